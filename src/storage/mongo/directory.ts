/** The directory in MongoDB: organizations and profiles, and what an edit of them ends. */

import type { ClientSession } from "mongodb";
import type { Instant } from "../../clock.ts";
import { addressNotices } from "../../domain/address-notices.ts";
import type { AuditEntry } from "../../domain/audit-entries.ts";
import { editOrganization, editProfile, unknownOrganization } from "../../domain/edits.ts";
import { type Ending, MOST_AT_ONCE } from "../../domain/endings.ts";
import { asOrganizationId, asProfileId } from "../../domain/ids.ts";
import { planImport } from "../../domain/import-plan.ts";
import type {
  ImportOutcome,
  ImportRow,
  NewMail,
  Organization,
  Profile,
  ProfileEdit,
} from "../../domain/records.ts";
import { organizationTexts, profileTexts } from "../../domain/search.ts";
import type { DirectoryStore, Revocation } from "../contract.ts";
import type { AuditWriter } from "./audit.ts";
import type { MongoDatabase } from "./database.ts";
import type { MailWriter } from "./deferred-mail.ts";
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
import type { Searched, SearchWriter } from "./search-writer.ts";
import type { Operation, Where } from "./typed-collection.ts";

/** Who edits, when; and with the domain of our Message-IDs both addresses of a changed email are told. */
export interface Editing {
  actor: string;
  now: Instant;
  mailDomain?: string | undefined;
}

export interface DirectoryParts {
  audit: AuditWriter;
  requests: RequestWriter;
  revoker: Revoker;
  search: SearchWriter;
  queueMail: MailWriter;
}

/** Edits of one transaction: what was read, as it becomes, and what is to be written. */
export class Edits {
  readonly organizations: Map<string, Organization>;
  readonly profiles: Map<string, Profile>;
  readonly #by: Editing;
  readonly #entries: AuditEntry[] = [];
  readonly #mails: NewMail[] = [];
  readonly #organizationWrites: Operation<OrganizationDocument>[] = [];
  readonly #profileWrites: Operation<ProfileDocument>[] = [];
  readonly #edited = { organizations: new Set<string>(), profiles: new Set<string>() };
  readonly #voided = { organizations: new Set<string>(), profiles: new Set<string>() };
  readonly #ended: Ending[] = [];

  constructor(organizations: Organization[], profiles: Profile[], by: Editing) {
    this.organizations = new Map(organizations.map((organization) => [organization.id, organization]));
    this.profiles = new Map(profiles.map((profile) => [profile.id, profile]));
    this.#by = by;
  }

  organization(after: Organization): void {
    const { id } = after;
    const { actor, now } = this.#by;
    const consequences = editOrganization(this.organizations.get(id), after, actor, now);
    const { entries, voids, revokes, endsAdministration } = consequences;
    this.organizations.set(id, after);
    this.#edited.organizations.add(id);
    const { _id, ...replacement } = toOrganizationDocument(after);
    this.#organizationWrites.push({ replaceOne: { filter: { _id }, replacement, upsert: true } });
    this.#entries.push(...entries);
    if (voids) this.#voided.organizations.add(id);
    if (revokes) this.#ended.push({ kind: "organization", id });
    else if (endsAdministration) this.#ended.push({ kind: "organization_console", id });
  }

  /** Throws `bad_request` for an organization that isn't there. */
  profile(edit: ProfileEdit): void {
    const before = this.profiles.get(edit.id);
    const { actor, now, mailDomain } = this.#by;
    const { profile, entries, voids, revokes } = editProfile(before, edit, actor, now);
    const { id, email, emailKey, emailVersion, name, roles, enabled } = profile;
    const organization = this.organizations.get(profile.organizationId);
    if (organization === undefined) throw unknownOrganization();
    if (before === undefined) {
      this.#profileWrites.push({ insertOne: { document: toDocument(profile) } });
    } else {
      const $set = { email, emailKey, emailVersion, name, roles, enabled };
      this.#profileWrites.push({ updateOne: { filter: { _id: id }, update: { $set } } });
    }
    this.profiles.set(id, profile);
    this.#edited.profiles.add(id);
    if (mailDomain !== undefined)
      this.#mails.push(...addressNotices(before, profile, organization, mailDomain));
    this.#entries.push(...entries);
    if (voids) this.#voided.profiles.add(id);
    if (revokes) this.#ended.push({ kind: "profile", id });
  }

  /** Writes all of it. */
  async write(session: ClientSession, database: MongoDatabase, parts: DirectoryParts): Promise<Revocation> {
    const { organizations, profiles } = database.collections;
    const { now } = this.#by;
    if (this.#organizationWrites.length > 0)
      await organizations.bulkWrite(this.#organizationWrites, { session });
    if (this.#profileWrites.length > 0) await profiles.bulkWrite(this.#profileWrites, { session });
    const searched = this.#searched();
    if (searched.length > 0) await parts.search.put(session, searched);
    for (const mail of this.#mails) await parts.queueMail(session, mail, now);
    await parts.audit(session, ...this.#entries);
    for (const id of this.#voided.organizations)
      await parts.requests.voidOrganization(session, asOrganizationId(id), now);
    for (const id of this.#voided.profiles) await parts.requests.voidProfile(session, asProfileId(id), now);
    const revokedGrants: Revocation["revokedGrants"] = [];
    let goesOn = false;
    for (const ending of this.#ended) {
      // What may go at once is all of the transaction's together.
      const most = Math.max(0, MOST_AT_ONCE - revokedGrants.length);
      const ended = await parts.revoker.end(session, ending, now, most);
      revokedGrants.push(...ended.revokedGrants);
      goesOn ||= ended.goesOn ?? false;
    }
    return { revokedGrants, ...(goesOn ? { goesOn } : {}) };
  }

  #searched(): Searched[] {
    const { organizations, profiles } = this.#edited;
    return [
      ...[...organizations].map((id) => {
        const after = this.organizations.get(id);
        return {
          kind: "organization",
          id,
          texts: after === undefined ? [] : organizationTexts(after),
        } as const;
      }),
      ...[...profiles].map((id) => {
        const after = this.profiles.get(id);
        return { kind: "profile", id, texts: after === undefined ? [] : profileTexts(after) } as const;
      }),
    ];
  }
}

/** Reads and writes organizations and profiles, inside the transaction of whatever needs it. */
export interface DirectoryWriter {
  /** Reads what edits are about: two queries, whatever their number. */
  read(
    ids: { organizationIds: readonly string[]; profileIds: readonly string[] },
    by: Editing,
    session?: ClientSession,
  ): Promise<Edits>;
  write(session: ClientSession, edits: Edits): Promise<Revocation>;
}

export function createDirectoryWriter(database: MongoDatabase, parts: DirectoryParts): DirectoryWriter {
  const { organizations, profiles } = database.collections;
  return {
    async read({ organizationIds, profileIds }, by, session) {
      const options = session === undefined ? {} : { session };
      const foundOrganizations = await organizations
        .find({ _id: { $in: [...organizationIds] } }, options)
        .toArray();
      const foundProfiles = await profiles.find({ _id: { $in: [...profileIds] } }, options).toArray();
      return new Edits(foundOrganizations.map(toOrganization), foundProfiles.map(toProfile), by);
    },
    write: (session, edits) => edits.write(session, database, parts),
  };
}

export function createDirectoryStore(database: MongoDatabase, writer: DirectoryWriter): DirectoryStore {
  const { organizations, profiles } = database.collections;

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

  const memberships = (match: Where<ProfileDocument>, limit?: number) =>
    database.run(async () => {
      const first = limit === undefined ? [] : [{ $limit: limit }];
      const found = await profiles
        .aggregate<MembershipDocument>([
          { $match: match },
          { $sort: { _id: 1 } },
          ...first,
          ...toMembershipStages,
        ])
        .toArray();
      return found.map(toMembership);
    });

  return {
    putOrganization: (organization, actor, now) =>
      database.transaction(async (session) => {
        const ids = { organizationIds: [organization.id], profileIds: [] };
        const edits = await writer.read(ids, { actor, now }, session);
        edits.organization(organization);
        return await writer.write(session, edits);
      }),

    putProfile: (profile, actor, now) =>
      database.transaction(async (session) => {
        const ids = { organizationIds: [profile.organizationId], profileIds: [profile.id] };
        const edits = await writer.read(ids, { actor, now }, session);
        edits.profile(profile);
        return await writer.write(session, edits);
      }),

    importBatch: (rows, actor, now, { dryRun, mailDomain } = { dryRun: false }) => {
      const by = { actor, now, mailDomain };
      const ids = {
        organizationIds: rows.map(({ organization }) => organization.id),
        profileIds: rows.map(({ profile }) => profile.id),
      };
      if (dryRun) {
        return database.run(async () => {
          const outcomes = importRows(rows, await writer.read(ids, by), true);
          return { outcomes, revokedGrants: [] };
        });
      }
      return database.transaction(async (session) => {
        const edits = await writer.read(ids, by, session);
        const outcomes = importRows(rows, edits, false);
        return { outcomes, ...(await writer.write(session, edits)) };
      });
    },

    organization: (id) =>
      database.run(async () => {
        const found = await organizations.findOne({ _id: id });
        return found === null ? undefined : toOrganization(found);
      }),
    membership: async (id) => (await memberships({ _id: id }))[0],
    // No id is empty.
    membershipsByEmail: (emailKey, page) =>
      memberships({ emailKey, _id: { $gt: page?.after ?? "" } }, page?.limit),
  };
}
