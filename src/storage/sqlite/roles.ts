/**
 * Administrators' roles in SQLite: written and lapsed, and who the owners are, inside the transaction of
 * whatever asks.
 */

import type { Instant } from "../../clock.ts";
import { adminInvitedAgain, adminRoleChanged, invitationLapsed } from "../../domain/audit-entries.ts";
import { asProfileId } from "../../domain/ids.ts";
import { hasLapsed, invitedSince, lapsedUntil } from "../../domain/invitations.ts";
import type { AdminRole, Membership, Profile, ProfileId } from "../../domain/records.ts";
import { Pace } from "../../pace.ts";
import { as, text } from "../../sql-columns.ts";
import type { AdminStore, Revocation } from "../contract.ts";
import type { AuditWriter } from "./audit.ts";
import type { Database } from "./database.ts";
import type { Revoker } from "./revoker.ts";
import { MEMBERSHIP_JSON } from "./rows.ts";

export interface RoleWriter {
  /** Writes another role, or none: audited, and the profile's sign-ins to the administration's pages end. */
  change(profile: Profile, adminRole: AdminRole | null, by: { actor: string; now: Instant }): Revocation;
  /** Begins the time of an invitation anew, with the role that the profile has; audited. */
  inviteAgain(profile: Profile, by: { actor: string; now: Instant }): void;
  /** Takes the role of an invitation that has lapsed away. False if it hasn't, or nobody else is an owner. */
  lapse(profileId: ProfileId, now: Instant): boolean;
  /** Whether somebody may do everything; somebody besides, when given. */
  hasOwner(besides?: ProfileId): boolean;
  /** Those who may do everything. */
  owners(): Membership[];
}

export interface RoleParts {
  audit: AuditWriter;
  revoker: Revoker;
}

export function createRoleWriter(database: Database, { audit, revoker }: RoleParts): RoleWriter {
  const select = database.prepare(
    `
    SELECT ${MEMBERSHIP_JSON} AS record FROM profiles p JOIN organizations o ON o.id = p.organization_id
    WHERE p.id = :profileId`,
    { record: MEMBERSHIP_JSON },
  );
  const write = database.prepare(
    "UPDATE profiles SET admin_role = :adminRole, invited_at = :invitedAt WHERE id = :profileId",
  );
  const anOwner = database.prepare(`
    SELECT 1 FROM organizations o CROSS JOIN profiles p ON p.organization_id = o.id
    WHERE o.kind = 'operator' AND o.enabled = 1 AND p.admin_role = 'owner' AND p.enabled = 1 AND p.id <>
      :besides LIMIT 1`);
  const selectOwners = database.prepare(
    `
    SELECT ${MEMBERSHIP_JSON} AS record FROM organizations o CROSS JOIN profiles p ON p.organization_id = o.id
    WHERE o.kind = 'operator' AND o.enabled = 1 AND p.admin_role = 'owner' AND p.enabled = 1 ORDER BY p.id`,
    { record: MEMBERSHIP_JSON },
  );

  const hasOwner = (besides: string = "") => anOwner.isAny({ besides });

  return {
    hasOwner,
    owners: () => selectOwners.all({}).map(({ record }) => record),
    change(profile, adminRole, { actor, now }) {
      write.run({ profileId: profile.id, adminRole, invitedAt: invitedSince(profile, adminRole, now) });
      audit(adminRoleChanged(profile, adminRole, { actor, at: now }));
      return revoker.end({ kind: "profile_console", id: profile.id }, now);
    },
    inviteAgain(profile, { actor, now }) {
      const { id: profileId, adminRole } = profile;
      write.run({ profileId, adminRole, invitedAt: invitedSince(profile, adminRole, now) });
      audit(adminInvitedAgain(profile, { actor, at: now }));
    },
    lapse(profileId, now) {
      const profile = select.get({ profileId })?.record.profile;
      if (profile === undefined || !hasLapsed(profile, now)) return false;
      if (profile.adminRole === "owner" && !hasOwner(profileId)) return false;
      write.run({ profileId, adminRole: null, invitedAt: null });
      audit(invitationLapsed(profile, now));
      // Nobody speaks for a profile that isn't linked; what was left over would speak for it once it is.
      revoker.end({ kind: "profile_console", id: profileId }, now);
      return true;
    },
  };
}

/** How many invitations are found at a time. */
const FOUND_AT_A_TIME = 100;

export function createInvitations(
  database: Database,
  roles: RoleWriter,
): Pick<AdminStore, "hasOwner" | "lapseInvitations"> {
  const lapsed = database.prepare(
    `SELECT id FROM profiles WHERE invited_at <= :until ORDER BY invited_at
    LIMIT ${FOUND_AT_A_TIME} OFFSET :skipped`,
    { id: as(text, asProfileId) },
  );
  return {
    hasOwner: () => database.run(() => roles.hasOwner()),
    async lapseInvitations(now, run) {
      const until = lapsedUntil(now);
      // What doesn't lapse stays in front of the others: the last owner's, and what others have just taken.
      let skipped = 0;
      const find = () => database.run(() => lapsed.all({ until, skipped }).map(({ id }) => id));
      let found = await find();
      if (found.length === 0) return 0;
      return await new Pace({ least: 1, most: 20 }).turns(async (size) => {
        const ids = found.splice(0, size);
        const done = await database.transaction(() => ids.filter((id) => roles.lapse(id, now)).length);
        skipped += ids.length - done;
        if (found.length === 0) found = await find();
        return { done, isLast: found.length === 0 };
      }, run);
    },
  };
}
