/** What becomes of a link request: redeemed, cancelled, or refused; and the unbinding of a profile. */

import type { Instant } from "../../clock.ts";
import { linkCancelled, profileBound, profileUnbound } from "../../domain/audit-entries.ts";
import { isAdministrators } from "../../domain/edits.ts";
import { invitedSince } from "../../domain/invitations.ts";
import { isFor } from "../../domain/link.ts";
import { linkedNotice, ownersNotices } from "../../domain/linked-notice.ts";
import type { AccountId, ProfileId } from "../../domain/records.ts";
import type { CancelResult, LinkStore, LinkView, RedeemResult, Revocation } from "../contract.ts";
import { assertComparable } from "../encrypted-fields.ts";
import { type Engine, first, get, remove, type Steps, update } from "../steps.ts";
import { identities, linkRequests, profiles, rememberedChoices } from "../tables.ts";
import { audit } from "./audit.ts";
import type { QueueMail } from "./mail.ts";
import { membershipOf, toLinkRequest } from "./memberships.ts";
import { type Attempt, settleRequest, voidRequestsOf } from "./requests.ts";
import { endGrants } from "./revoking.ts";
import { lapseRole, owners } from "./roles.ts";

export function createLinkMethods(
  engine: Engine,
  queueMail: QueueMail,
): Pick<LinkStore, "view" | "redeem" | "cancel" | "unbind"> {
  return {
    view: (requestId, secretHash) => engine.run(() => view({ requestId, secretHash })),
    redeem: (attempt, notice, now) => {
      assertComparable(attempt.identity);
      return engine.transaction(() => redeem(attempt, notice, now, queueMail));
    },
    cancel: (attempt, now) => engine.transaction(() => cancel(attempt, now)),
    unbind: (profileId, actor, now, onlyFrom) =>
      engine.transaction(() => unbind(profileId, actor, now, onlyFrom)),
  };
}

function* view({ requestId, secretHash }: Attempt): Steps<LinkView | undefined> {
  const row = yield* first(linkRequests, { id: requestId, secretHash });
  if (row === undefined) return undefined;
  const membership = yield* membershipOf(row.profileId);
  return membership && { request: toLinkRequest(row), membership };
}

/**
 * All is read and written at one instant: whoever disables, edits, binds or voids meanwhile writes the
 * request or the profile, too, so that one of the two transactions is run again.
 */
function* redeem(
  attempt: Parameters<LinkStore["redeem"]>[0],
  notice: Parameters<LinkStore["redeem"]>[1],
  now: Instant,
  queueMail: QueueMail,
): Steps<RedeemResult> {
  const { identity, accountId } = attempt;
  const seen = yield* view(attempt);
  if (seen === undefined) return { result: "unknown" };
  const { issuer, subject } = identity;
  const owned = yield* first(identities, { issuer, subject });
  const holds = isFor(seen.request, seen.membership, identity) && owned?.accountId === accountId;
  if (!holds || !(yield* settleRequest(attempt, "bound", now))) return { result: "refused", ...seen };
  const { profile: unbound } = seen.membership;
  const { id, emailVersion } = unbound;
  const adminRole = (yield* lapseRole(unbound, now)) ? null : unbound.adminRole;
  const binding = { accountId, boundAt: now, provenEmailVersion: emailVersion, invitedAt: null };
  if ((yield* update(profiles, { id, accountId: null }, binding)) === 0)
    throw new Error("a consumed link found its profile bound");
  yield* voidRequestsOf(id, now);
  const profile = { ...unbound, ...binding, adminRole };
  const membership = { ...seen.membership, profile };
  yield* audit(profileBound(attempt, profile, now));
  yield* queueMail(linkedNotice(notice, membership, identity, now), now);
  if (isAdministrators(membership)) {
    const told = { owners: yield* owners(), linkedAt: now };
    for (const mail of ownersNotices(notice, membership, identity, told)) yield* queueMail(mail, now);
  }
  return { result: "bound", membership };
}

function* cancel(attempt: Parameters<LinkStore["cancel"]>[0], now: Instant): Steps<CancelResult> {
  const isCancelled = yield* settleRequest(attempt, "cancelled", now);
  const seen = yield* view(attempt);
  if (seen === undefined) return { result: "unknown" };
  if (!isCancelled) return { result: "refused", ...seen };
  yield* audit(linkCancelled(attempt, seen.membership.profile, now));
  return { result: "cancelled", ...seen };
}

/** See LinkStore.unbind. */
export function* unbind(
  id: ProfileId,
  actor: string,
  now: Instant,
  onlyFrom?: AccountId,
): Steps<Revocation | undefined> {
  const profile = yield* get(profiles, id);
  const accountId = onlyFrom ?? profile?.accountId ?? null;
  if (profile === undefined || accountId === null) return undefined;
  // An administrator's role waits again, for the next who links the profile.
  const invitedAt = invitedSince({ accountId: null }, profile.adminRole, now);
  const nobodys = { accountId: null, boundAt: null, provenEmailVersion: null, invitedAt };
  if ((yield* update(profiles, { id, accountId }, nobodys)) === 0) return undefined;
  yield* voidRequestsOf(id, now);
  yield* remove(rememberedChoices, { accountId, profileId: id });
  yield* audit(profileUnbound(profile, accountId, actor, now));
  return yield* endGrants({ kind: "profile", id }, now);
}
