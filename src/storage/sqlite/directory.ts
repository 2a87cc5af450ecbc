/** The directory in SQLite: organizations and profiles, and what an edit of them ends. */

import type { Instant } from "../../clock.ts";
import { addressNotices } from "../../domain/address-notices.ts";
import { editOrganization, editProfile, unknownOrganization } from "../../domain/edits.ts";
import { MOST_AT_ONCE } from "../../domain/endings.ts";
import { planImport } from "../../domain/import-plan.ts";
import type { ImportRow, Membership, Organization, ProfileEdit } from "../../domain/records.ts";
import { organizationTexts, profileTexts } from "../../domain/search.ts";
import type { DirectoryStore, Revocation } from "../contract.ts";
import type { AuditWriter } from "./audit.ts";
import type { Database } from "./database.ts";
import type { MailWriter } from "./deferred-mail.ts";
import type { RequestWriter } from "./requests.ts";
import type { Revoker } from "./revoker.ts";
import { MEMBERSHIP_JSON, ORGANIZATION_JSON } from "./rows.ts";
import type { SearchWriter } from "./search-writer.ts";

type ImportOptions = NonNullable<Parameters<DirectoryStore["importBatch"]>[3]>;

interface EditOptions {
  /** The domain of our Message-IDs: both addresses of a changed email are told. */
  mailDomain?: string | undefined;
  /** How many grants may go at once; see Revoker.end. */
  most?: number;
}

/** Reads and writes organizations and profiles, inside the transaction of whatever needs it. */
export interface DirectoryWriter {
  findOrganization(id: string): Organization | undefined;
  findMembership(id: string): Membership | undefined;
  writeOrganization(
    organization: Organization,
    actor: string,
    now: Instant,
    options?: EditOptions,
  ): Revocation;
  writeProfile(edit: ProfileEdit, actor: string, now: Instant, options?: EditOptions): Revocation;
}

export interface DirectoryParts {
  audit: AuditWriter;
  requests: RequestWriter;
  revoker: Revoker;
  search: SearchWriter;
  queueMail: MailWriter;
}

export function createDirectoryWriter(database: Database, parts: DirectoryParts): DirectoryWriter {
  const { audit, requests, revoker, search, queueMail } = parts;
  const selectOrganization = database.prepare(
    `SELECT ${ORGANIZATION_JSON} AS record FROM organizations o WHERE o.id = :id`,
    { record: ORGANIZATION_JSON },
  );
  const upsertOrganization = database.prepare(`
    INSERT INTO organizations (id, name, account_number, kind, plan_status, plan_expires_at, enabled)
    VALUES (:id, :name, :accountNumber, :kind, :planStatus, :planExpiresAt, :enabled)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, account_number = excluded.account_number,
      kind = excluded.kind, plan_status = excluded.plan_status,
      plan_expires_at = excluded.plan_expires_at, enabled = excluded.enabled`);
  const selectMembership = database.prepare(
    `
    SELECT ${MEMBERSHIP_JSON} AS record FROM profiles p JOIN organizations o ON o.id = p.organization_id
    WHERE p.id = :id`,
    { record: MEMBERSHIP_JSON },
  );
  const insertProfile = database.prepare(`
    INSERT INTO profiles (id, organization_id, email, email_key, email_version, name, roles, enabled)
    VALUES (:id, :organizationId, :email, :emailKey, :emailVersion, :name, :roles, :enabled)`);
  const updateProfile = database.prepare(`
    UPDATE profiles SET email = :email, email_key = :emailKey, email_version = :emailVersion,
      name = :name, roles = :roles, enabled = :enabled
    WHERE id = :id`);

  const findOrganization = (id: string) => selectOrganization.get({ id })?.record;
  const findMembership = (id: string) => selectMembership.get({ id })?.record;

  const writeOrganization: DirectoryWriter["writeOrganization"] = (
    organization,
    actor,
    now,
    { most } = {},
  ) => {
    const { id, name, accountNumber, kind, plan, enabled } = organization;
    const consequences = editOrganization(findOrganization(id), organization, actor, now);
    const { entries, voids, revokes, endsAdministration } = consequences;
    upsertOrganization.run({
      id,
      name,
      accountNumber,
      kind,
      planStatus: plan.status,
      planExpiresAt: plan.expiresAt,
      enabled: Number(enabled),
    });
    search.put("organization", id, organizationTexts(organization));
    entries.forEach(audit);
    if (voids) requests.voidOrganization(id, now);
    if (revokes) return revoker.end({ kind: "organization", id }, now, most);
    return endsAdministration
      ? revoker.end({ kind: "organization_console", id }, now, most)
      : { revokedGrants: [] };
  };

  const writeProfile: DirectoryWriter["writeProfile"] = (edit, actor, now, { mailDomain, most } = {}) => {
    const before = findMembership(edit.id)?.profile;
    const { profile, entries, voids, revokes } = editProfile(before, edit, actor, now);
    const { id, organizationId, email, emailKey, emailVersion, name } = profile;
    const organization = findOrganization(organizationId);
    if (organization === undefined) throw unknownOrganization();
    const columns = {
      id,
      email,
      emailKey,
      emailVersion,
      name,
      roles: JSON.stringify(profile.roles),
      enabled: Number(profile.enabled),
    };
    if (before === undefined) insertProfile.run({ ...columns, organizationId });
    else updateProfile.run(columns);
    search.put("profile", id, profileTexts(profile));
    if (mailDomain !== undefined) {
      for (const mail of addressNotices(before, profile, organization, mailDomain)) queueMail(mail, now);
    }
    entries.forEach(audit);
    if (voids) requests.voidProfile(id, now);
    return revokes ? revoker.end({ kind: "profile", id }, now, most) : { revokedGrants: [] };
  };

  return { findOrganization, findMembership, writeOrganization, writeProfile };
}

export function createDirectoryStore(database: Database, writer: DirectoryWriter): DirectoryStore {
  const { findOrganization, findMembership, writeOrganization, writeProfile } = writer;
  const selectByEmail = database.prepare(
    `
    SELECT ${MEMBERSHIP_JSON} AS record FROM profiles p JOIN organizations o ON o.id = p.organization_id
    WHERE p.email_key = :emailKey AND p.id > :after ORDER BY p.id LIMIT :limit`,
    { record: MEMBERSHIP_JSON },
  );

  const importRows = (rows: readonly ImportRow[], actor: string, now: Instant, options: ImportOptions) => {
    const revokedGrants: Revocation["revokedGrants"] = [];
    let goesOn = false;
    const note = (ended: Revocation) => {
      revokedGrants.push(...ended.revokedGrants);
      goesOn ||= ended.goesOn ?? false;
    };
    // What may go at once is all of the batch's together.
    const edit = () => ({
      mailDomain: options.mailDomain,
      most: Math.max(0, MOST_AT_ONCE - revokedGrants.length),
    });
    const outcomes = rows.map((row) => {
      const { organization, profile } = row;
      const outcome = planImport(row, findOrganization(organization.id), findMembership(profile.id)?.profile);
      if (options.dryRun || outcome.result === "refused") return outcome;
      if (outcome.organization.result !== "unchanged") {
        note(writeOrganization(organization, actor, now, edit()));
      }
      if (outcome.profile.result !== "unchanged") {
        note(writeProfile(profile, actor, now, edit()));
      }
      return outcome;
    });
    return { outcomes, revokedGrants, ...(goesOn ? { goesOn } : {}) };
  };

  return {
    putOrganization: (organization, actor, now) =>
      database.transaction(() => writeOrganization(organization, actor, now)),
    putProfile: (profile, actor, now) => database.transaction(() => writeProfile(profile, actor, now)),
    importBatch: (rows, actor, now, options = { dryRun: false }) =>
      options.dryRun
        ? database.run(() => importRows(rows, actor, now, options))
        : database.transaction(() => importRows(rows, actor, now, options)),
    organization: (id) => database.run(() => findOrganization(id)),
    membership: (id) => database.run(() => findMembership(id)),
    // No id is empty, and LIMIT -1 is none (https://www.sqlite.org/lang_select.html#limitoffset).
    membershipsByEmail: (emailKey, { after, limit } = { after: null, limit: -1 }) =>
      database.run(() => {
        const rows = selectByEmail.all({ emailKey, after: after ?? "", limit });
        return rows.map(({ record }) => record);
      }),
  };
}
