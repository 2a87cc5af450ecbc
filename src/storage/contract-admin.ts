/**
 * The part of the store contract that administration rests on: changes that are conditional on what an
 * administrator saw, lists of any length, the audit and its chain, figures. What holds for every method
 * stands in contract.ts, which is where it is imported from.
 */

import type { Instant, Milliseconds } from "../clock.ts";
import type { ClaimedEnding, RemovedPart } from "../domain/endings.ts";
import type {
  Account,
  AccountId,
  AdminRole,
  ApiKey,
  AuditAction,
  AuditEvent,
  AuditVerification,
  ChainedEvent,
  ChainMark,
  Client,
  ClientId,
  Delivery,
  GrantId,
  Identity,
  LinkRequestId,
  Membership,
  Organization,
  OrganizationId,
  OrganizationKind,
  OutboxState,
  ProfileEdit,
  ProfileId,
  SecretHash,
  Selection,
  SignOut,
} from "../domain/records.ts";
import type { WorkerRun } from "../worker-loop.ts";
import type { Revocation } from "./contract-linking.ts";

/** A part of a list: what follows `after`, the `next` of the page before. */
export interface PageRequest {
  after: string | null;
  /** At most so many. */
  limit: number;
}

/**
 * What a list holds there. `next` is null at the end; a page may hold fewer than asked for, or none, and yet
 * have one, because no more than a bounded number of records is looked at for one page. Throws `bad_request`
 * for an `after` that it never gave.
 */
export interface Page<T> {
  items: T[];
  next: string | null;
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

export interface AdminStore {
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
  /**
   * Takes the roles away that nobody has taken up in time (see domain/invitations.ts), the oldest first,
   * until the run is told to end: each in one transaction with its audit event, never the last owner's.
   * Returns how many. Racers, and whoever links the profile meanwhile: one of them gets it.
   */
  lapseInvitations(now: Instant, run?: WorkerRun): Promise<number>;

  /**
   * Bounds what waits after a clock was set back, by whatever amount: inquiries, mails and sign-outs stored
   * later than `now` wait from `now` as long as they were to wait, whatever was put off waits an hour at
   * most, and what a worker has claimed is his for a minute at most. Returns how much was moved; nothing
   * where the clock is right.
   */
  boundWaits(now: Instant): Promise<number>;

  /**
   * Takes or keeps a lease. False while another worker holds it. One that ends later than two of its lives
   * from now was taken before the clock was set back, and is nobody's.
   */
  takeLease(name: string, worker: string, now: Instant, leaseMs: Milliseconds): Promise<boolean>;

  /**
   * Claims the ending that is due longest of those whose rows aren't all removed, until `now + leaseMs`.
   * Racers never hold the same.
   */
  claimEnding(worker: string, now: Instant, leaseMs: Milliseconds): Promise<ClaimedEnding | undefined>;
  /**
   * Removes the next rows of a claimed ending, looking at `most` of them at the most, in one transaction with
   * the sign-outs by which portals are told of them; prolongs the lease. A grant that was made after the
   * ending stays. `lost` if the lease was lost, or the same was ended anew since, so that it begins again
   * from the first row.
   */
  removeEnded(
    key: string,
    worker: string,
    options: { most: number; now: Instant; leaseMs: Milliseconds },
  ): Promise<RemovedPart>;

  /**
   * Claims the sign-out that is due longest, until `now + leaseMs`; `attempts` counts this claim. Racers
   * never hold the same.
   */
  claimSignOut(worker: string, now: Instant, leaseMs: Milliseconds): Promise<SignOut | undefined>;
  /**
   * Removes a claimed one (told, or given up), or gives it back for `nextAttemptAt`. False if the lease was
   * lost.
   */
  settleSignOut(id: string, worker: string, nextAttemptAt: Instant | null): Promise<boolean>;
}

export interface AuditFilter {
  action?: AuditAction;
  actor?: string;
  profileId?: ProfileId;
  organizationId?: OrganizationId;
  accountId?: AccountId;
  requestId?: LinkRequestId;
  from?: Instant;
  to?: Instant;
}

export interface AuditStore {
  append(event: AuditEvent): Promise<void>;
  /**
   * Appends it unless there is one of its id: for what is noted once. Returns whether it did; of racers one
   * does.
   */
  appendOnce(event: AuditEvent): Promise<boolean>;
  /** Newest first. */
  list(filter: { profileId?: ProfileId; requestId?: LinkRequestId; limit: number }): Promise<AuditEvent[]>;
  /** Newest first. */
  search(filter: AuditFilter, page: PageRequest): Promise<Page<AuditEvent>>;

  /** Events that have no place in the chain yet, in the order in which they were written. */
  unsealed(limit: number): Promise<AuditEvent[]>;
  /** How many they are: counted up to `most`. */
  countUnsealed(most: number): Promise<number>;
  /**
   * Where the chain begins (after what retention removed) and ends; undefined before the first was sealed.
   */
  chainEnds(): Promise<{ base: ChainMark; head: ChainMark } | undefined>;
  /**
   * Gives events their places and moves the head, in one transaction, if the head is still at `after` (0 for
   * none) and none of the events has a place. `base` is written with the first. Racers: one gets true.
   */
  seal(
    events: readonly { id: string; seq: number; mac: string }[],
    ends: { after: number; head: ChainMark; base: ChainMark },
  ): Promise<boolean>;
  /** Sealed events from a place on, in the order of the chain. */
  chain(fromSeq: number, limit: number): Promise<ChainedEvent[]>;
  /**
   * Removes sealed events up to a place and moves the base there, with an event that says so, in one
   * transaction; at most the number of events up to `base.seq`. False, changing nothing, if the base isn't at
   * `after` any more.
   */
  prune(after: number, base: ChainMark, event: AuditEvent): Promise<boolean>;
}

/**
 * Verifications of the audit: asked for by people, carried out by a worker under a lease, kept until newer
 * ones take their place.
 */
export interface VerificationStore {
  /**
   * Asks for one, with an audit event. Where one with the same kept head hasn't ended, that one is joined and
   * returned instead. Of those that have ended, the oldest go (domain/verifications.ts says how many are
   * kept). Undefined, writing nothing, if too many haven't ended. Racers: one makes it, the others join.
   */
  ask(
    asked: Pick<AuditVerification, "id" | "keptHead" | "seal">,
    by: { actor: string; now: Instant },
  ): Promise<AuditVerification | undefined>;
  find(id: string): Promise<AuditVerification | undefined>;
  /** All that are kept, newest first. */
  list(): Promise<AuditVerification[]>;

  /**
   * Claims the one that waits longest, or whose worker's lease has run out, until `now + leaseMs`; `attempts`
   * counts this claim. Racers never hold the same.
   */
  claim(worker: string, now: Instant, leaseMs: Milliseconds): Promise<AuditVerification | undefined>;
  /** Notes how far it is, and holds it until `leaseUntil`. False, changing nothing, if the lease was lost. */
  note(
    id: string,
    worker: string,
    noted: Pick<AuditVerification, "progress" | "seal"> & { leaseUntil: Instant },
  ): Promise<boolean>;
  /** Ends a claimed one. False, changing nothing, if the lease was lost. */
  settle(
    id: string,
    worker: string,
    outcome: Pick<AuditVerification, "state" | "progress" | "result" | "failure" | "seal">,
    now: Instant,
  ): Promise<boolean>;
}
