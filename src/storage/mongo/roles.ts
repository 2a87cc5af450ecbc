/**
 * Administrators' roles in MongoDB: written and lapsed, inside the transaction of whatever asks. Who the
 * owners are, is owners.ts's.
 */

import type { ClientSession } from "mongodb";
import type { Instant } from "../../clock.ts";
import { adminInvitedAgain, adminRoleChanged, invitationLapsed } from "../../domain/audit-entries.ts";
import { asProfileId } from "../../domain/ids.ts";
import { hasLapsed, invitedSince, lapsedUntil } from "../../domain/invitations.ts";
import type { AdminRole, Profile, ProfileId } from "../../domain/records.ts";
import { Pace } from "../../pace.ts";
import type { AdminStore, Revocation } from "../contract.ts";
import type { AuditWriter } from "./audit.ts";
import type { MongoDatabase } from "./database.ts";
import { at, toProfile } from "./documents.ts";
import type { OwnerGuard } from "./owners.ts";
import type { Revoker } from "./revoker.ts";

interface By {
  actor: string;
  now: Instant;
}

export interface RoleWriter {
  /** Writes another role, or none: audited, and the profile's sign-ins to the administration's pages end. */
  change(session: ClientSession, profile: Profile, adminRole: AdminRole | null, by: By): Promise<Revocation>;
  /** Begins the time of an invitation anew, with the role that the profile has; audited. */
  inviteAgain(session: ClientSession, profile: Profile, by: By): Promise<void>;
  /** Takes the role of an invitation that has lapsed away. False if it hasn't, or nobody else is an owner. */
  lapse(session: ClientSession, profileId: ProfileId, now: Instant): Promise<boolean>;
}

export interface RoleParts {
  audit: AuditWriter;
  revoker: Revoker;
  owners: OwnerGuard;
}

export function createRoleWriter(
  { collections }: MongoDatabase,
  { audit, revoker, owners }: RoleParts,
): RoleWriter {
  const { profiles } = collections;

  const write = async (
    session: ClientSession,
    id: ProfileId,
    adminRole: AdminRole | null,
    since: Instant | null,
  ) => {
    const $set = { adminRole, invitedAt: since === null ? null : at(since) };
    await profiles.updateOne({ _id: id }, { $set }, { session });
  };

  return {
    async change(session, profile, adminRole, { actor, now }) {
      await owners.exclude(session);
      await write(session, profile.id, adminRole, invitedSince(profile, adminRole, now));
      await audit(session, adminRoleChanged(profile, adminRole, { actor, at: now }));
      return await revoker.end(session, { kind: "profile_console", id: profile.id }, now);
    },
    async inviteAgain(session, profile, { actor, now }) {
      await write(session, profile.id, profile.adminRole, invitedSince(profile, profile.adminRole, now));
      await audit(session, adminInvitedAgain(profile, { actor, at: now }));
    },
    // Whoever links the profile or gives it a role meanwhile writes it, too, so that one of the two
    // transactions is run again.
    async lapse(session, profileId, now) {
      const found = await profiles.findOne({ _id: profileId }, { session });
      const profile = found === null ? undefined : toProfile(found);
      if (profile === undefined || !hasLapsed(profile, now)) return false;
      if (profile.adminRole === "owner") {
        await owners.exclude(session);
        if (!(await owners.isLeft(session, profileId))) return false;
      }
      await write(session, profileId, null, null);
      await audit(session, invitationLapsed(profile, now));
      // Nobody speaks for a profile that isn't linked; what was left over would speak for it once it is.
      await revoker.end(session, { kind: "profile_console", id: profileId }, now);
      return true;
    },
  };
}

/** How many invitations are found at a time. */
const FOUND_AT_A_TIME = 100;

export function createInvitations(
  database: MongoDatabase,
  { roles, owners }: { roles: RoleWriter; owners: OwnerGuard },
): Pick<AdminStore, "hasOwner" | "lapseInvitations"> {
  const { profiles } = database.collections;
  return {
    hasOwner: () => database.transaction((session) => owners.isLeft(session)),
    async lapseInvitations(now, run) {
      const isLapsed = { invitedAt: { $gt: at(0), $lte: at(lapsedUntil(now)) } };
      // What doesn't lapse stays in front of the others: the last owner's, and what others have just taken.
      let skipped = 0;
      const find = () =>
        database.run(() =>
          profiles
            .find(isLapsed, { projection: { _id: 1 } })
            .sort({ invitedAt: 1 })
            .skip(skipped)
            .limit(FOUND_AT_A_TIME)
            .toArray(),
        );
      let found = await find();
      if (found.length === 0) return 0;
      return await new Pace({ least: 1, most: 1 }).turns(async () => {
        const next = found.shift();
        const isTaken =
          next !== undefined &&
          (await database.transaction((session) => roles.lapse(session, asProfileId(next._id), now)));
        if (!isTaken) skipped += 1;
        if (found.length === 0) found = await find();
        return { done: isTaken ? 1 : 0, isLast: found.length === 0 };
      }, run);
    },
  };
}
