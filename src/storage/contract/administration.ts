/**
 * The part of the store contract that administration rests on: the directory, changes that are conditional on
 * what an administrator saw, lists of any length, figures. What holds for every method stands in
 * ../contract.ts, which is where it is imported from.
 */

import type { Instant } from "../../clock.ts";
import type {
  Account,
  AccountId,
  AdminRole,
  ApiKey,
  Client,
  ClientId,
  Delivery,
  GrantId,
  Identity,
  ImportOutcome,
  ImportRow,
  Membership,
  Organization,
  OrganizationId,
  OrganizationKind,
  OutboxState,
  ProfileEdit,
  ProfileId,
  SecretHash,
  Selection,
} from "../../domain/records.ts";
import type { Page, PageRequest } from "./pages.ts";
import type { Revocation, WorkStore } from "./work.ts";

export interface DirectoryStore {
  /**
   * Inserts or replaces an organization as a whole. Disabling one ends its profiles' grants (see Revocation)
   * and voids their pending requests in the same transaction. Audited if it changed anything.
   */
  putOrganization(organization: Organization, actor: string, now: Instant): Promise<Revocation>;
  /**
   * Inserts a profile, or replaces its name, roles, enabled flag and email. A changed email grows
   * `emailVersion` and voids pending requests; the binding stays. Disabling one ends its grants and voids its
   * pending requests in the same transaction. Throws `bad_request` for an unknown organization, or another
   * one than an existing profile's. The binding, `adminRole` and the versions of an existing profile are
   * never taken from the argument.
   */
  putProfile(profile: ProfileEdit, actor: string, now: Instant): Promise<Revocation>;
  /**
   * Imports rows in their order, in one transaction: reads what exists and writes, as `putOrganization` and
   * `putProfile` would, what differs and nothing else, with its audit events. Roles are compared as a set. A
   * refused row doesn't keep the others from being written. The outcomes are in the order of the rows
   * (domain/import-plan.ts decides them). With `dryRun` each row is compared with what is stored now, and
   * nothing is written. Racers: one batch is compared after the other is written. With `mailDomain` (of our
   * Message-IDs) both addresses of a changed email are told, by mails of the same transaction.
   */
  importBatch(
    rows: readonly ImportRow[],
    actor: string,
    now: Instant,
    options?: { dryRun: boolean; mailDomain?: string },
  ): Promise<Revocation & { outcomes: ImportOutcome[] }>;
  organization(id: OrganizationId): Promise<Organization | undefined>;
  membership(id: ProfileId): Promise<Membership | undefined>;
  /**
   * Profiles registered under an address key, disabled ones too, by id: all, or the first so many behind one.
   */
  membershipsByEmail(
    emailKey: string,
    page?: { after: ProfileId | null; limit: number },
  ): Promise<Membership[]>;
}

/** A fingerprint of a record as it was read: see domain/revision.ts. */
export type Revision = string;

/** What makes a creation that is repeated come true once. */
export interface Once {
  /** SHA-256 of who asks and the key they chose. */
  keyHash: SecretHash;
  /** SHA-256 of what is asked for. */
  fingerprint: string;
  /** What the first is answered, for those that repeat it. Encrypted at rest. */
  answer: string;
  expiresAt: Instant;
}

/** One thing that an administrator does. Each is audited, and comes true as a whole or not at all. */
export type AdminChange =
  | { kind: "create_organization"; organization: Organization }
  | { kind: "edit_organization"; organization: Organization; revision: Revision }
  | { kind: "create_profile"; profile: ProfileEdit }
  /**
   * Both addresses of a changed email are told. `isAnotherPerson`: the binding goes too, with everything
   * under it.
   */
  | {
      kind: "edit_profile";
      profile: ProfileEdit;
      revision: Revision;
      isAnotherPerson: boolean;
      mailDomain: string;
    }
  /**
   * Only of a profile of an operator's organization. Another role, or none, ends the profile's sign-ins to
   * the administration's pages. One that is given to a profile which nobody has linked lapses as an
   * invitation does: see `lapseInvitations`.
   */
  | { kind: "set_admin_role"; profileId: ProfileId; adminRole: AdminRole | null }
  /**
   * Makes the organization if there is none of its id, and the profile; mails where to sign in. Where the
   * address is registered in the organization already, by the profile of this id and nobody has linked it:
   * gives that one the role, begins the time of the invitation anew, and mails again. `exists` if another
   * profile has the address, if one is linked or disabled, or if the id is another address's.
   */
  | {
      kind: "invite";
      organization: Organization;
      profile: ProfileEdit;
      adminRole: AdminRole;
      mailDomain: string;
    }
  | { kind: "register_client"; client: Client }
  | { kind: "edit_client"; client: Client; revision: Revision }
  | { kind: "rotate_secret"; clientId: ClientId; secret: string; previousUntil: Instant }
  /**
   * Ends every grant of the client, and its own tokens; also for a client that is registered under the id
   * later.
   */
  | { kind: "remove_client"; clientId: ClientId }
  | { kind: "create_api_key"; key: ApiKey }
  | { kind: "remove_api_key"; id: string }
  | { kind: "revoke_grant"; grantId: GrantId }
  /** The session and every grant made in it; also where it has ended by itself, and grants of it go on. */
  | { kind: "end_session"; sessionUid: string };

/**
 * What a change came to; all but `done` changed nothing. repeated: it was carried out before, under the same
 * key · exists: its id is taken · missing: there is no such record · changed: it isn't as it was read any
 * more · last_owner: nobody would be left who may do everything · not_operator: the profile is of no
 * operator's organization.
 */
export type ChangeOutcome =
  | { result: "done"; revokedGrants: Revocation["revokedGrants"] }
  | { result: "repeated"; fingerprint: string; answer: string }
  | { result: "exists" | "missing" | "changed" | "last_owner" | "not_operator" };

export interface AccountView {
  account: Account;
  /** Most recently used first. */
  identities: Identity[];
}

/**
 * A session of an account: one that a browser is signed in with, or one that has ended while grants of it go
 * on.
 */
export interface AccountSession {
  sessionUid: string;
  accountId: AccountId;
  /**
   * The clients that hold grants of the account in it, in order; of a session with very many grants, of some
   * of them.
   */
  clientIds: ClientId[];
}

/** So much happened in the hour that begins at `hour`. */
export interface Count {
  name: string;
  hour: Instant;
  count: number;
}

/** What administrators do and see; with it, what workers do behind them. */
export interface AdminStore extends WorkStore {
  /** Carries out one change. Racers with one `once.keyHash`: one gets `done`, the others `repeated`. */
  apply(change: AdminChange, by: { actor: string; now: Instant; once?: Once }): Promise<ChangeOutcome>;

  /**
   * By name. `search` finds by the beginning of any word of name and account number, and lists in the order
   * of what was found.
   */
  organizations(
    filter: { search?: string; kind?: OrganizationKind; enabled?: boolean },
    page: PageRequest,
  ): Promise<Page<Organization>>;
  /** By name. `search` finds by the beginning of the address, of its domain, or of any word of the name. */
  memberships(
    filter: {
      search?: string;
      organizationId?: OrganizationId;
      accountId?: AccountId;
      enabled?: boolean;
      /** Those with an `adminRole` alone. */
      isAdministrator?: true;
    },
    page: PageRequest,
  ): Promise<Page<Membership>>;
  /**
   * Newest first. `search` finds by the beginning of an identity's subject, address, or any word of its name.
   */
  accounts(filter: { search?: string }, page: PageRequest): Promise<Page<AccountView>>;
  account(id: AccountId): Promise<AccountView | undefined>;
  /** Active plans that end within the time given, soonest first. */
  expiringPlans(from: Instant, to: Instant, limit: number): Promise<Organization[]>;
  /** What portals hold now: selections that haven't expired. */
  grants(
    filter: { accountId?: AccountId; profileId?: ProfileId; clientId?: ClientId },
    page: PageRequest,
    now: Instant,
  ): Promise<Page<Selection>>;
  /**
   * By id: the sessions that browsers are signed in with, whether or not portals hold grants of them, and
   * those that have ended by themselves while grants go on.
   */
  sessions(accountId: AccountId, page: PageRequest, now: Instant): Promise<Page<AccountSession>>;
  /** One of them, whosever it is; undefined for one that is nobody's. */
  session(sessionUid: string, now: Instant): Promise<AccountSession | undefined>;
  /** How many unexpired grants a client has: counted up to `most`. */
  countGrants(clientId: ClientId, now: Instant, most: number): Promise<number>;
  /**
   * Newest first, of one state or all. `isPutOff`: of those that are queued, the ones that a server didn't
   * take at once.
   */
  deliveries(filter: { state?: OutboxState; isPutOff?: true }, page: PageRequest): Promise<Page<Delivery>>;

  /** Newest first. */
  apiKeys(): Promise<ApiKey[]>;
  apiKey(secretHash: SecretHash, now: Instant): Promise<ApiKey | undefined>;
  noteApiKeyUse(id: string, now: Instant): Promise<void>;

  /**
   * Adds to the counts of their hours, each batch once: given again within a day, by its id, it adds nothing.
   * So whoever lost the answer gives the same batch again. Racers with one batch: one of them adds it.
   */
  addCounts(counts: readonly Count[], batchId: string, now: Instant): Promise<void>;
  /** Every count of the hours from `from` up to `to`. */
  counts(from: Instant, to: Instant): Promise<Count[]>;

  /** Whether there is somebody who may do everything. */
  hasOwner(): Promise<boolean>;
}
