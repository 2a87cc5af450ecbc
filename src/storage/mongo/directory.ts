/** Owns organizations and profiles, and what an edit of them ends. */

import type { AnyBulkWriteOperation, ClientSession } from "mongodb";
import type { Instant } from "../../clock.ts";
import type { AuditEntry } from "../audit-entries.ts";
import type { DirectoryStore, Revocation } from "../contract.ts";
import { editOrganization, editProfile, unknownOrganization } from "../edits.ts";
import { planImport } from "../import-plan.ts";
import type { ImportOutcome, ImportRow, Organization, Profile, ProfileEdit } from "../records.ts";
import type { AuditWriter } from "./audit.ts";
import type { MongoDatabase } from "./database.ts";
import {
  type OrganizationDocument,
  type ProfileDocument,
  toDocument,
  toOrganization,
  toOrganizationDocument,
  toProfile,
} from "./documents.ts";
import { type MembershipDocument, toMembership, toMembershipStages } from "./memberships.ts";
import type { RequestWriter } from "./requests.ts";
import type { Revoker } from "./revoker.ts";

/** Edits of one transaction: what was read, as it becomes, and what is to be written. */
class Edits {
  readonly organizations: Map<string, Organization>;
  readonly profiles: Map<string, Profile>;
  readonly entries: AuditEntry[] = [];
  readonly #actor: string;
  readonly #now: Instant;
  readonly #organizationWrites: AnyBulkWriteOperation<OrganizationDocument>[] = [];
  readonly #profileWrites: AnyBulkWriteOperation<ProfileDocument>[] = [];
  readonly #voided = { organizations: new Set<string>(), profiles: new Set<string>() };
  readonly #revoked: { organization?: string; profile?: string }[] = [];

  constructor(organizations: Organization[], profiles: Profile[], actor: string, now: Instant) {
    this.organizations = new Map(organizations.map((organization) => [organization.id, organization]));
    this.profiles = new Map(profiles.map((profile) => [profile.id, profile]));
    this.#actor = actor;
    this.#now = now;
  }

  organization(after: Organization): void {
    const { id } = after;
    const { entries, voids, revokes } = editOrganization(this.organizations.get(id), after, this.#actor, this.#now);
    this.organizations.set(id, after);
    const { _id, ...replacement } = toOrganizationDocument(after);
    this.#organizationWrites.push({ replaceOne: { filter: { _id }, replacement, upsert: true } });
    this.entries.push(...entries);
    if (voids) this.#voided.organizations.add(id);
    if (revokes) this.#revoked.push({ organization: id });
  }

  profile(edit: ProfileEdit): void {
    const before = this.profiles.get(edit.id);
    const { profile, entries, voids, revokes } = editProfile(before, edit, this.#actor, this.#now);
    const { id, email, emailKey, emailVersion, name, roles, enabled } = profile;
    if (before === undefined) {
      if (!this.organizations.has(profile.organizationId)) throw unknownOrganization();
      this.#profileWrites.push({ insertOne: { document: toDocument(profile) } });
    } else {
      const $set = { email, emailKey, emailVersion, name, roles, enabled };
      this.#profileWrites.push({ updateOne: { filter: { _id: id }, update: { $set } } });
    }
    this.profiles.set(id, profile);
    this.entries.push(...entries);
    if (voids) this.#voided.profiles.add(id);
    if (revokes) this.#revoked.push({ profile: id });
  }

  /** Writes all of it. */
  async write(session: ClientSession, database: MongoDatabase, parts: DirectoryParts): Promise<Revocation> {
    const { organizations, profiles } = database.collections;
    if (this.#organizationWrites.length > 0) await organizations.bulkWrite(this.#organizationWrites, { session });
    if (this.#profileWrites.length > 0) await profiles.bulkWrite(this.#profileWrites, { session });
    await parts.audit(session, ...this.entries);
    for (const id of this.#voided.organizations) await parts.requests.voidOrganization(session, id, this.#now);
    for (const id of this.#voided.profiles) await parts.requests.voidProfile(session, id, this.#now);
    const revokedGrants: Revocation["revokedGrants"] = [];
    for (const { organization, profile } of this.#revoked) {
      const { revoker } = parts;
      const ended =
        organization === undefined
          ? await revoker.profile(session, profile ?? "", this.#now)
          : await revoker.organization(session, organization, this.#now);
      revokedGrants.push(...ended.revokedGrants);
    }
    return { revokedGrants };
  }
}

interface DirectoryParts {
  audit: AuditWriter;
  requests: RequestWriter;
  revoker: Revoker;
}

export function createDirectoryStore(database: MongoDatabase, parts: DirectoryParts): DirectoryStore {
  const { organizations, profiles } = database.collections;

  /** Reads what the edits are about: two queries, whatever their number. */
  const read = async (
    { organizationIds, profileIds }: { organizationIds: string[]; profileIds: string[] },
    actor: string,
    now: Instant,
    session?: ClientSession,
  ) => {
    const options = session === undefined ? {} : { session };
    const foundOrganizations = await organizations.find({ _id: { $in: organizationIds } }, options).toArray();
    const foundProfiles = await profiles.find({ _id: { $in: profileIds } }, options).toArray();
    return new Edits(foundOrganizations.map(toOrganization), foundProfiles.map(toProfile), actor, now);
  };

  const importRows = (rows: readonly ImportRow[], edits: Edits, dryRun: boolean): ImportOutcome[] =>
    rows.map(({ organization, profile }) => {
      const outcome = planImport(
        { organization, profile },
        edits.organizations.get(organization.id),
        edits.profiles.get(profile.id),
      );
      if (dryRun || outcome.result === "refused") return outcome;
      if (outcome.organization.result !== "unchanged") edits.organization(organization);
      if (outcome.profile.result !== "unchanged") edits.profile(profile);
      return outcome;
    });

  const memberships = (match: Partial<ProfileDocument>) =>
    database.run(async () => {
      const found = await profiles
        .aggregate<MembershipDocument>([{ $match: match }, { $sort: { _id: 1 } }, ...toMembershipStages])
        .toArray();
      return found.map(toMembership);
    });

  return {
    putOrganization: (organization, actor, now) =>
      database.transaction(async (session) => {
        const edits = await read({ organizationIds: [organization.id], profileIds: [] }, actor, now, session);
        edits.organization(organization);
        return await edits.write(session, database, parts);
      }),

    putProfile: (profile, actor, now) =>
      database.transaction(async (session) => {
        const ids = { organizationIds: [profile.organizationId], profileIds: [profile.id] };
        const edits = await read(ids, actor, now, session);
        edits.profile(profile);
        return await edits.write(session, database, parts);
      }),

    importBatch: (rows, actor, now, { dryRun } = { dryRun: false }) => {
      const ids = {
        organizationIds: rows.map(({ organization }) => organization.id),
        profileIds: rows.map(({ profile }) => profile.id),
      };
      if (dryRun) {
        return database.run(async () => {
          const outcomes = importRows(rows, await read(ids, actor, now), true);
          return { outcomes, revokedGrants: [] };
        });
      }
      return database.transaction(async (session) => {
        const edits = await read(ids, actor, now, session);
        const outcomes = importRows(rows, edits, false);
        return { outcomes, ...(await edits.write(session, database, parts)) };
      });
    },

    organization: (id) =>
      database.run(async () => {
        const found = await organizations.findOne({ _id: id });
        return found === null ? undefined : toOrganization(found);
      }),
    membership: async (id) => (await memberships({ _id: id }))[0],
    membershipsByEmail: (emailKey) => memberships({ emailKey }),
  };
}
