/** Owns organizations and profiles, and what an edit of them ends. */

import type { Instant } from "../../clock.ts";
import { LiaisonError } from "../../errors.ts";
import type { DirectoryStore, Revocation } from "../contract.ts";
import { planImport } from "../import-plan.ts";
import type { ImportRow, Membership, Organization, Profile, ProfileEdit } from "../records.ts";
import type { AuditWriter } from "./audit.ts";
import type { Database } from "./database.ts";
import type { RequestWriter } from "./requests.ts";
import type { Revoker } from "./revoker.ts";
import { MEMBERSHIP_JSON, ORGANIZATION_JSON, parse } from "./rows.ts";

type Detail = Record<string, string | number | boolean | null>;

export function createDirectoryStore(
  database: Database,
  parts: { audit: AuditWriter; requests: RequestWriter; revoker: Revoker },
): DirectoryStore {
  const { audit, requests, revoker } = parts;
  const selectOrganization = database.prepare(
    `SELECT ${ORGANIZATION_JSON} AS record FROM organizations o WHERE o.id = :id`,
  );
  const upsertOrganization = database.prepare(`
    INSERT INTO organizations (id, name, account_number, kind, plan_status, plan_expires_at, enabled)
    VALUES (:id, :name, :accountNumber, :kind, :planStatus, :planExpiresAt, :enabled)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, account_number = excluded.account_number, kind = excluded.kind,
      plan_status = excluded.plan_status, plan_expires_at = excluded.plan_expires_at, enabled = excluded.enabled`);
  const selectMembership = database.prepare(`
    SELECT ${MEMBERSHIP_JSON} AS record FROM profiles p JOIN organizations o ON o.id = p.organization_id
    WHERE p.id = :id`);
  const selectByEmail = database.prepare(`
    SELECT ${MEMBERSHIP_JSON} AS record FROM profiles p JOIN organizations o ON o.id = p.organization_id
    WHERE p.email_key = :emailKey ORDER BY p.id`);
  const insertProfile = database.prepare(`
    INSERT INTO profiles (id, organization_id, email, email_key, email_version, name, roles, enabled)
    VALUES (:id, :organizationId, :email, :emailKey, 1, :name, :roles, :enabled)`);
  const updateProfile = database.prepare(`
    UPDATE profiles SET email = :email, email_key = :emailKey, email_version = email_version + (email <> :email),
      name = :name, roles = :roles, enabled = :enabled
    WHERE id = :id`);

  const findOrganization = (id: string) => {
    const row = selectOrganization.get({ id });
    return row && parse<Organization>(row["record"]);
  };
  const findMembership = (id: string) => {
    const row = selectMembership.get({ id });
    return row && parse<Membership>(row["record"]);
  };

  const insert = (profile: ProfileEdit, actor: string, now: Instant) => {
    const { id, organizationId, email, emailKey, name } = profile;
    if (findOrganization(organizationId) === undefined) {
      throw new LiaisonError("bad_request", "The organization that the profile names doesn't exist.");
    }
    insertProfile.run({
      ...{ id, organizationId, email, emailKey, name },
      ...{ roles: JSON.stringify(profile.roles), enabled: Number(profile.enabled) },
    });
    audit({
      ...{ at: now, actor, profileId: id, organizationId },
      ...{ action: "profile.changed", detail: { created: true } },
    });
  };

  const update = (before: Profile, profile: ProfileEdit, actor: string, now: Instant) => {
    const { id, email, emailKey, name } = profile;
    const { organizationId, accountId } = before;
    if (profile.organizationId !== organizationId) {
      throw new LiaisonError("bad_request", "A profile can't move to another organization.");
    }
    const roles = JSON.stringify(profile.roles);
    updateProfile.run({ id, email, emailKey, name, roles, enabled: Number(profile.enabled) });
    if (email !== before.email) {
      requests.voidProfile(id, now);
      audit({
        ...{ at: now, actor, profileId: id, organizationId, accountId },
        ...{ action: "profile.email_changed", detail: { emailVersion: before.emailVersion + 1 } },
      });
    }
    const detail = changes(
      { name: before.name, roles: JSON.stringify(before.roles), enabled: before.enabled },
      { name, roles, enabled: profile.enabled },
    );
    if (Object.keys(detail).length > 0) {
      audit({ at: now, actor, profileId: id, organizationId, accountId, action: "profile.changed", detail });
    }
  };

  const writeOrganization = (organization: Organization, actor: string, now: Instant): Revocation => {
    const before = findOrganization(organization.id);
    const after = organizationDetail(organization);
    upsertOrganization.run({ id: organization.id, ...after, enabled: Number(organization.enabled) });
    const detail = before === undefined ? { created: true } : changes(organizationDetail(before), after);
    if (Object.keys(detail).length > 0) {
      audit({ at: now, action: "organization.changed", actor, organizationId: organization.id, detail });
    }
    if (organization.enabled) return { revokedGrants: [] };
    requests.voidOrganization(organization.id, now);
    return revoker.organization(organization.id, now);
  };

  const writeProfile = (profile: ProfileEdit, actor: string, now: Instant): Revocation => {
    const before = findMembership(profile.id)?.profile;
    if (before === undefined) insert(profile, actor, now);
    else update(before, profile, actor, now);
    if (profile.enabled) return { revokedGrants: [] };
    requests.voidProfile(profile.id, now);
    return revoker.profile(profile.id, now);
  };

  const importRows = (rows: readonly ImportRow[], actor: string, now: Instant, dryRun: boolean) => {
    const revokedGrants: Revocation["revokedGrants"] = [];
    const outcomes = rows.map((row) => {
      const { organization, profile } = row;
      const outcome = planImport(row, findOrganization(organization.id), findMembership(profile.id)?.profile);
      if (dryRun || outcome.result === "refused") return outcome;
      if (outcome.organization.result !== "unchanged") {
        revokedGrants.push(...writeOrganization(organization, actor, now).revokedGrants);
      }
      if (outcome.profile.result !== "unchanged") {
        revokedGrants.push(...writeProfile(profile, actor, now).revokedGrants);
      }
      return outcome;
    });
    return { outcomes, revokedGrants };
  };

  return {
    putOrganization: (organization, actor, now) =>
      database.transaction(() => writeOrganization(organization, actor, now)),
    putProfile: (profile, actor, now) => database.transaction(() => writeProfile(profile, actor, now)),
    importBatch: (rows, actor, now, { dryRun } = { dryRun: false }) =>
      dryRun
        ? database.run(() => importRows(rows, actor, now, true))
        : database.transaction(() => importRows(rows, actor, now, false)),
    organization: (id) => database.run(() => findOrganization(id)),
    membership: (id) => database.run(() => findMembership(id)),
    membershipsByEmail: (emailKey) =>
      database.run(() => selectByEmail.all({ emailKey }).map((row) => parse<Membership>(row["record"]))),
  };
}

function organizationDetail({ name, accountNumber, kind, plan, enabled }: Organization) {
  return { name, accountNumber, kind, planStatus: plan.status, planExpiresAt: plan.expiresAt, enabled };
}

/** The fields whose value is another one afterwards, with that value. */
function changes(before: Detail, after: Detail): Detail {
  return Object.fromEntries(Object.entries(after).filter(([field, value]) => before[field] !== value));
}
