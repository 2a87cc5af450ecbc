/**
 * The directory: organizations and profiles, read and written with what an edit of them ends
 * (domain/edits.ts), in one transaction.
 */

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
import {
  type Engine,
  getAll,
  inserted,
  list,
  replaced,
  type Steps,
  updated,
  type WriteStep,
  write,
} from "../steps.ts";
import { organizations, profiles } from "../tables.ts";
import { audit } from "./audit.ts";
import type { QueueMail } from "./mail.ts";
import {
  membershipOf,
  organizationOf,
  organizationRow,
  toOrganization,
  withOrganizations,
} from "./memberships.ts";
import { voidRequestsIn, voidRequestsOf } from "./requests.ts";
import { endGrants } from "./revoking.ts";
import { putSearched, type Searched } from "./search.ts";

/** Who edits, when; and with the domain of our Message-IDs both addresses of a changed email are told. */
export interface Editing {
  actor: string;
  now: Instant;
  mailDomain?: string | undefined;
}

/** Edits of one transaction: what was read, as it becomes, and what is to be written. */
export class Edits {
  readonly organizations: Map<string, Organization>;
  readonly profiles: Map<string, Profile>;
  readonly #by: Editing;
  readonly #entries: AuditEntry[] = [];
  readonly #mails: NewMail[] = [];
  readonly #organizationWrites: WriteStep[] = [];
  readonly #profileWrites: WriteStep[] = [];
  readonly #edited = { organizations: new Set<string>(), profiles: new Set<string>() };
  readonly #voided = { organizations: new Set<string>(), profiles: new Set<string>() };
  readonly #ended: Ending[] = [];

  constructor(found: { organizations: Organization[]; profiles: Profile[] }, by: Editing) {
    this.organizations = new Map(found.organizations.map((organization) => [organization.id, organization]));
    this.profiles = new Map(found.profiles.map((profile) => [profile.id, profile]));
    this.#by = by;
  }

  organization(after: Organization): void {
    const { id } = after;
    const { actor, now } = this.#by;
    const consequences = editOrganization(this.organizations.get(id), after, actor, now);
    const { entries, voids, revokes, endsAdministration } = consequences;
    this.organizations.set(id, after);
    this.#edited.organizations.add(id);
    this.#organizationWrites.push(replaced(organizations, organizationRow(after)));
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
    const edited = { email, emailKey, emailVersion, name, roles, enabled };
    this.#profileWrites.push(
      before === undefined ? inserted(profiles, profile) : updated(profiles, { id }, edited),
    );
    this.profiles.set(id, profile);
    this.#edited.profiles.add(id);
    if (mailDomain !== undefined)
      this.#mails.push(...addressNotices(before, profile, organization, mailDomain));
    this.#entries.push(...entries);
    if (voids) this.#voided.profiles.add(id);
    if (revokes) this.#ended.push({ kind: "profile", id });
  }

  /** Writes all of it. */
  *write(queueMail: QueueMail): Steps<Revocation> {
    const { now } = this.#by;
    yield* write([...this.#organizationWrites, ...this.#profileWrites]);
    yield* putSearched(this.#searched());
    for (const mail of this.#mails) yield* queueMail(mail, now);
    yield* audit(...this.#entries);
    for (const id of this.#voided.organizations) yield* voidRequestsIn(asOrganizationId(id), now);
    for (const id of this.#voided.profiles) yield* voidRequestsOf(asProfileId(id), now);
    const revokedGrants: Revocation["revokedGrants"] = [];
    let goesOn = false;
    for (const ending of this.#ended) {
      // What may go at once is all of the transaction's together.
      const most = Math.max(0, MOST_AT_ONCE - revokedGrants.length);
      const ended = yield* endGrants(ending, now, most);
      revokedGrants.push(...ended.revokedGrants);
      goesOn ||= ended.goesOn ?? false;
    }
    return { revokedGrants, ...(goesOn ? { goesOn } : {}) };
  }

  #searched(): Searched[] {
    const found: Searched[] = [];
    for (const id of this.#edited.organizations) {
      const after = this.organizations.get(id);
      if (after !== undefined) found.push({ kind: "organization", id, texts: organizationTexts(after) });
    }
    for (const id of this.#edited.profiles) {
      const after = this.profiles.get(id);
      if (after !== undefined) found.push({ kind: "profile", id, texts: profileTexts(after) });
    }
    return found;
  }
}

/** Reads what edits are about: two reads, whatever their number. */
export function* readForEdits(
  ids: { organizationIds: readonly string[]; profileIds: readonly string[] },
  by: Editing,
): Steps<Edits> {
  const found = yield* getAll(organizations, ids.organizationIds);
  return new Edits(
    { organizations: found.map(toOrganization), profiles: yield* getAll(profiles, ids.profileIds) },
    by,
  );
}

export function createDirectoryStore(engine: Engine, queueMail: QueueMail): DirectoryStore {
  return {
    putOrganization: (organization, actor, now) =>
      engine.transaction(function* () {
        const ids = { organizationIds: [organization.id], profileIds: [] };
        const edits = yield* readForEdits(ids, { actor, now });
        edits.organization(organization);
        return yield* edits.write(queueMail);
      }),

    putProfile: (profile, actor, now) =>
      engine.transaction(function* () {
        const ids = { organizationIds: [profile.organizationId], profileIds: [profile.id] };
        const edits = yield* readForEdits(ids, { actor, now });
        edits.profile(profile);
        return yield* edits.write(queueMail);
      }),

    importBatch: (rows, actor, now, { dryRun, mailDomain } = { dryRun: false }) => {
      const by = { actor, now, mailDomain };
      const ids = {
        organizationIds: rows.map(({ organization }) => organization.id),
        profileIds: rows.map(({ profile }) => profile.id),
      };
      if (dryRun) {
        return engine.run(function* () {
          return { outcomes: importRows(rows, yield* readForEdits(ids, by), true), revokedGrants: [] };
        });
      }
      return engine.transaction(function* () {
        const edits = yield* readForEdits(ids, by);
        const outcomes = importRows(rows, edits, false);
        return { outcomes, ...(yield* edits.write(queueMail)) };
      });
    },

    organization: (id) => engine.run(() => organizationOf(id)),
    membership: (id) => engine.run(() => membershipOf(id)),
    membershipsByEmail: (emailKey, page) =>
      engine.run(function* () {
        // No id is empty.
        const behind = { order: ["id"], behind: [page?.after ?? ""] } as const;
        const listing = page === undefined ? behind : { ...behind, limit: page.limit };
        return yield* withOrganizations(yield* list(profiles, { emailKey }, listing));
      }),
  };
}

function importRows(rows: readonly ImportRow[], edits: Edits, dryRun: boolean): ImportOutcome[] {
  return rows.map(({ organization, profile }) => {
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
}
