/** Who administrates: roles written and lapsed, and who the owners are. */

import type { Instant } from "../../clock.ts";
import { adminInvitedAgain, adminRoleChanged, invitationLapsed } from "../../domain/audit-entries.ts";
import { isOwner } from "../../domain/edits.ts";
import { hasLapsed, invitedSince, lapsedUntil } from "../../domain/invitations.ts";
import type { AdminRole, Membership, Profile, ProfileId } from "../../domain/records.ts";
import { Pace } from "../../pace.ts";
import type { AdminStore, Revocation } from "../contract.ts";
import { call, type Engine, get, list, type Steps, update } from "../steps.ts";
import { profiles } from "../tables.ts";
import { audit } from "./audit.ts";
import { withOrganizations } from "./memberships.ts";
import { endGrants } from "./revoking.ts";

interface By {
  actor: string;
  now: Instant;
}

/** Those who may do everything. */
export function* owners(): Steps<Membership[]> {
  // Every name is at least the empty text: this walks the index of administrators, who are few.
  const candidates = { adminRole: "owner", enabled: true, name: { gte: "" } } as const;
  const found = yield* withOrganizations(yield* list(profiles, candidates, { order: ["name", "id"] }));
  return found.filter(({ profile, organization }) => isOwner(profile, organization));
}

/** Whether somebody may do everything; somebody besides, when given. */
export function* hasOwner(besides?: ProfileId): Steps<boolean> {
  return (yield* owners()).some(({ profile }) => profile.id !== besides);
}

/** Writes another role, or none: audited, and the profile's sign-ins to the administration's pages end. */
export function* changeRole(
  profile: Profile,
  adminRole: AdminRole | null,
  { actor, now }: By,
): Steps<Revocation> {
  yield* call("excludeOwners");
  yield* writeRole(profile.id, adminRole, invitedSince(profile, adminRole, now));
  yield* audit(adminRoleChanged(profile, adminRole, { actor, at: now }));
  return yield* endGrants({ kind: "profile_console", id: profile.id }, now);
}

/** Begins the time of an invitation anew, with the role that the profile has; audited. */
export function* inviteAgain(profile: Profile, { actor, now }: By): Steps<void> {
  yield* writeRole(profile.id, profile.adminRole, invitedSince(profile, profile.adminRole, now));
  yield* audit(adminInvitedAgain(profile, { actor, at: now }));
}

/**
 * Takes the role of an invitation that has lapsed away. False if it hasn't, or nobody else is an owner.
 * Whoever links the profile or gives it a role meanwhile writes it, too, so that one of the two transactions
 * is run again.
 */
export function* lapseRole(profile: Profile, now: Instant): Steps<boolean> {
  if (!hasLapsed(profile, now)) return false;
  const { id } = profile;
  if (profile.adminRole === "owner") {
    yield* call("excludeOwners");
    if (!(yield* hasOwner(id))) return false;
  }
  yield* writeRole(id, null, null);
  yield* audit(invitationLapsed(profile, now));
  // Nobody speaks for a profile that isn't linked; what was left over would speak for it once it is.
  yield* endGrants({ kind: "profile_console", id }, now);
  return true;
}

function* lapseRoleOf(id: ProfileId, now: Instant): Steps<boolean> {
  const profile = yield* get(profiles, id);
  return profile !== undefined && (yield* lapseRole(profile, now));
}

function* writeRole(id: ProfileId, adminRole: AdminRole | null, invitedAt: Instant | null): Steps<void> {
  yield* update(profiles, { id }, { adminRole, invitedAt });
}

/** How many invitations are found at a time. */
const FOUND_AT_A_TIME = 100;

export function createInvitations(engine: Engine): Pick<AdminStore, "hasOwner" | "lapseInvitations"> {
  return {
    hasOwner: () => engine.run(() => hasOwner()),
    async lapseInvitations(now, run) {
      // What doesn't lapse stays in front of the others: the last owner's, and what others have just taken.
      let skip = 0;
      const listing = { order: ["invitedAt"], limit: FOUND_AT_A_TIME } as const;
      const isLapsed = { invitedAt: { gt: 0, lte: lapsedUntil(now) } };
      const find = () => engine.run(() => list(profiles, isLapsed, { ...listing, skip }));
      let found = await find();
      if (found.length === 0) return 0;
      return await new Pace({ least: 1, most: 1 }).turns(async () => {
        const next = found.shift();
        const isTaken = next !== undefined && (await engine.transaction(() => lapseRoleOf(next.id, now)));
        if (!isTaken) skip += 1;
        if (found.length === 0) found = await find();
        return { done: isTaken ? 1 : 0, isLast: found.length === 0 };
      }, run);
    },
  };
}
