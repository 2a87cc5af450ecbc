/** The states of link requests: each transition and condition on one. What goes with them is links.ts's. */

import type { Instant } from "../../clock.ts";
import type { LinkRequestId, OrganizationId, ProfileId, SecretHash } from "../../domain/records.ts";
import type { NewLink } from "../contract.ts";
import { getAll, insert, list, type Steps, update } from "../steps.ts";
import { linkRequests, profiles } from "../tables.ts";
import { linkRequestRow } from "./memberships.ts";

/** Inserts a pending request; an older pending one of the same identity and profile is superseded. */
export function* insertRequest(
  request: NewLink["request"],
  organizationId: OrganizationId,
  now: Instant,
): Steps<void> {
  const { profileId, requester } = request;
  const { issuer, subject } = requester;
  const same = { profileId, issuer, subject, state: "pending" } as const;
  yield* update(linkRequests, same, { state: "superseded", settledAt: now });
  yield* insert(
    linkRequests,
    linkRequestRow({ ...request, state: "pending", settledAt: null }, organizationId),
  );
}

/** What somebody has who opened a mailed link. */
export interface Attempt {
  requestId: LinkRequestId;
  secretHash: SecretHash;
}

/** Settles a pending, unexpired request. False if a condition fails. */
export function* settleRequest(
  { requestId, secretHash }: Attempt,
  state: "bound" | "cancelled",
  now: Instant,
): Steps<boolean> {
  const pending = { id: requestId, secretHash, state: "pending", expiresAt: { gt: now } } as const;
  return (yield* update(linkRequests, pending, { state, settledAt: now })) === 1;
}

/** Voids every pending request for a profile. */
export function* voidRequestsOf(profileId: ProfileId, now: Instant): Steps<void> {
  yield* update(linkRequests, { profileId, state: "pending" }, { state: "void", settledAt: now });
}

/** Voids every pending request for the profiles of an organization. */
export function* voidRequestsIn(organizationId: OrganizationId, now: Instant): Steps<void> {
  yield* update(linkRequests, { organizationId, state: "pending" }, { state: "void", settledAt: now });
  // Those that a broker of a version made which didn't say of which organization: few, and soon none.
  const unplaced = yield* list(linkRequests, { organizationId: null, state: "pending" });
  const found = yield* getAll(
    profiles,
    unplaced.map(({ profileId }) => profileId),
  );
  const inside = found.filter((profile) => profile.organizationId === organizationId);
  for (const { id } of inside) yield* voidRequestsOf(id, now);
}

/** Those of them that wait for proof, and haven't lapsed. */
export function* pendingAmong(
  requestIds: readonly LinkRequestId[],
  now: Instant,
): Steps<ReadonlySet<LinkRequestId>> {
  const found = yield* getAll(linkRequests, requestIds);
  return new Set(
    found.filter(({ state, expiresAt }) => state === "pending" && expiresAt > now).map(({ id }) => id),
  );
}

/** Starts the lives of those of them that are pending, and says which these are. */
export function* startLives(
  requestIds: readonly LinkRequestId[],
  expiresAt: Instant,
): Steps<ReadonlySet<LinkRequestId>> {
  if (requestIds.length === 0) return new Set();
  const pending = { id: { in: requestIds }, state: "pending" } as const;
  const changed = yield* update(linkRequests, pending, { expiresAt });
  if (changed === requestIds.length) return new Set(requestIds);
  return new Set((yield* list(linkRequests, pending)).map(({ id }) => id));
}
