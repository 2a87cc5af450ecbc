/**
 * The store contract: what a storage back end promises, in terms of intentions. Back ends live in sqlite/ and
 * mongo/; rules live in ../domain; nothing here knows HTTP or OIDC.
 *
 * What holds for every method:
 * - A returned promise resolves only after the write is durable. Short-lived things (OP artifacts other than
 *   the endings `revokeGrant`, `destroySession` and `consume` with `ends`, upstream sign-ins, throttle
 *   slots): after it survives a killed process.
 * - Everything that expires is treated as absent from the first instant of its `expiresAt`, whether or not it
 *   was swept.
 * - Racers are decided by conditional writes, across processes; each method's text says what the loser gets.
 * - A lease is lost when another worker has claimed after it ran out: a late worker whom nobody replaced may
 *   still finish.
 * - A back end that can't be reached throws `LiaisonError("store_unavailable")`.
 * - Fields that could be used if read off a disk (mailed secrets, client secrets, keys, code verifiers, OP
 *   payloads) are encrypted under the encryption key by the back end.
 */

import type { Instant, Milliseconds } from "../clock.ts";
import type { AccountAtClient } from "../domain/admission.ts";
import type {
  Account,
  AccountId,
  Client,
  ClientId,
  ClientUse,
  GrantId,
  ImportOutcome,
  ImportRow,
  Membership,
  Organization,
  OrganizationId,
  ProfileEdit,
  ProfileId,
  RefusedAddress,
  SecretHash,
  Selection,
  SignedInIdentity,
  SignIn,
  SignInOutcome,
  SignInPurpose,
  UpstreamTransaction,
} from "../domain/records.ts";
import type { WorkerRun } from "../worker-loop.ts";
import type { AdminStore, AuditStore, VerificationStore } from "./contract-admin.ts";
import type { ThrottleStore } from "./contract-limits.ts";
import type { LinkStore, OutboxStore, Revocation } from "./contract-linking.ts";

export type * from "./contract-admin.ts";
export type * from "./contract-limits.ts";
export type * from "./contract-linking.ts";

/** Its disk is full, it may be read alone, or what is written is refused for whatever reason. */
export type WriteFault = "full" | "read_only" | "failing";

export interface Store {
  readonly accounts: AccountStore;
  readonly directory: DirectoryStore;
  readonly links: LinkStore;
  readonly outbox: OutboxStore;
  readonly signIns: SignInStore;
  readonly accountsAtClients: AccountAtClientStore;
  readonly artifacts: ArtifactStore;
  readonly clients: ClientStore;
  readonly keys: KeyStore;
  readonly throttles: ThrottleStore;
  readonly audit: AuditStore;
  readonly verifications: VerificationStore;
  readonly administration: AdminStore;
  /**
   * How long a turn of work over many rows (pace.ts) may take here, in milliseconds: as short as it gets
   * where it holds a write lock that everybody needs; longer where it holds its own documents alone, and most
   * of it is one acknowledgment by a majority.
   */
  readonly turnMs: Milliseconds;
  /**
   * How many grants a turn removes at the least: as many as are worth what a turn costs, however few they
   * are.
   */
  readonly grantsATurn: number;
  /**
   * Removes what expired before `now`, in short turns (pace.ts) until the run is told to end; nothing depends
   * on its having run. Returns rows removed.
   */
  sweep(now: Instant, run?: WorkerRun): Promise<number>;
  /**
   * The version of the schema that the store has now, and the one that this process needs at least. One small
   * read, which shows that the store answers. A newer one is well: `liaison migrate` runs beside brokers of
   * the version before.
   */
  schemaVersion(): Promise<{ found: number; needed: number }>;
  /**
   * What keeps a store that may well be read from being written to. Costs nothing while writes succeed; once
   * one of this process failed, each call tries whether there is room for one again.
   */
  writeFault(): Promise<WriteFault | undefined>;
  close(): Promise<void>;
}

/** Accounts as people sign in to them; administration reads them (`AdminStore.account`). */
export interface AccountStore {
  /**
   * Finds the account that owns the identity, or creates both; remembers the display data and the time.
   * Racers with the same identity all get the one account; exactly one of them creates it (and its audit
   * event).
   */
  signIn(identity: SignedInIdentity, now: Instant): Promise<Account>;
}

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

export interface CallbackAttempt
  extends Pick<UpstreamTransaction, "stateHash" | "browserHash" | "upstreamId"> {
  /**
   * SHA-256 of a random value: the same one only when an attempt is made again because its answer was lost.
   */
  attemptHash: SecretHash;
}

/** An artifact that is to be kept longer than it was stored for. */
export interface ArtifactExtension {
  model: ArtifactModel;
  idHash: SecretHash;
  until: Instant;
}

export interface SignInStore {
  /**
   * Stores a sign-in begun at an upstream. With `extension`, it does what `ArtifactStore.extend` does in the
   * same operation.
   */
  begin(transaction: UpstreamTransaction, extension?: ArtifactExtension): Promise<void>;
  /**
   * Takes the transaction of a callback: state, browser and upstream must all be its own, and it must be
   * unexpired. From then on it is the attempt's: of any number of attempts one gets it, as often as it asks,
   * and the others get undefined. A callback with a wrong browser or upstream gets undefined and leaves it in
   * place.
   */
  take(callback: CallbackAttempt, now: Instant): Promise<UpstreamTransaction | undefined>;
  /**
   * What a sign-in was begun for that an attempt has taken, for the browser that began it. Undefined for any
   * other browser or upstream, for one that nobody has taken, and once it is expired.
   */
  purposeOfTaken(
    callback: Omit<CallbackAttempt, "attemptHash">,
    now: Instant,
  ): Promise<SignInPurpose | undefined>;
  /**
   * Leaves a finished sign-in for its interaction (replacing an earlier one). `interactionHash` is the
   * SHA-256 of its uid.
   */
  leaveOutcome(interactionHash: SecretHash, outcome: SignInOutcome, expiresAt: Instant): Promise<void>;
  /**
   * Takes it with one of these proofs: one racer gets it, the others undefined. Without its own proof nobody
   * gets it, and it stays.
   */
  takeOutcome(
    interactionHash: SecretHash,
    proofHashes: readonly SecretHash[],
    now: Instant,
  ): Promise<SignInOutcome | undefined>;
}

/**
 * What a grant speaks for, in one read. A grant that was ended with its client, organization, profile or
 * session has none, from that transaction on, whether or not its rows are gone: every use of a code or token
 * rests on this.
 */
export interface AccountOfGrant {
  selection: Selection;
  membership: Membership;
  /** The grants that end when this one's code is redeemed: those that it was made in place of. */
  replaces: GrantId[];
}

export interface AccountAtClientStore {
  /** Undefined when there is no such account. One operation. */
  forClient(
    accountId: AccountId,
    clientId: ClientId,
    sessionUid: string | null,
    now: Instant,
  ): Promise<AccountAtClient | undefined>;
  /**
   * Undefined when the grant has no selection, or the profile is no longer bound to the selection's account.
   * One operation.
   */
  forGrant(grantId: GrantId, now: Instant): Promise<AccountOfGrant | undefined>;
  /**
   * Selects a profile for a session at a client and (unless told not to) remembers it as the last choice:
   * returns the grant id of the current selection if that is of the same profile, or makes one under
   * `selection.grantId`, which was never used. The session's other selections at the client are replaced by
   * the new one: they and their tokens go on until its code is redeemed (`ArtifactStore.consume`). Those that
   * have expired, and those of another account, are revoked at once; `revokedGrants` are the latter. Racers
   * choosing the same profile all get one grant id; of racers choosing different ones the last is current,
   * and redeeming its code ends the others.
   *
   * Undefined, changing nothing, if the profile isn't bound to the account any more, or if the person didn't
   * choose it (`byHand: false`) and another profile is selected by now: decide anew from what is stored.
   */
  select(
    selection: Selection,
    now: Instant,
    options?: { remember?: boolean; byHand?: boolean },
  ): Promise<{ grantId: GrantId; revokedGrants: GrantId[] } | undefined>;
}

/** Models of oidc-provider that are kept as artifacts. Clients are not: they have a store of their own. */
export type ArtifactModel = string;

/** What the adapter keeps beside the payload so that rows can be found. */
export interface ArtifactKeys {
  grantId?: GrantId | undefined;
  accountId?: AccountId | undefined;
  /** Of what is a client's own and under no grant: it is gone when its client is removed. */
  clientId?: ClientId | undefined;
}

export interface ArtifactStore {
  /** Inserts or replaces. `payload` is encrypted at rest; `consumed` survives a replace. */
  upsert(
    model: ArtifactModel,
    idHash: SecretHash,
    payload: Record<string, unknown>,
    keys: ArtifactKeys,
    expiresAt: Instant,
  ): Promise<void>;
  /**
   * Inserts, or returns false when an unexpired row is there: for one-time values such as client assertions'
   * `jti`.
   */
  insertOnce(model: ArtifactModel, idHash: SecretHash, expiresAt: Instant, now: Instant): Promise<boolean>;
  /**
   * The payload, with `consumed` (seconds since the epoch) once consumed. Expired rows are absent unless
   * asked for.
   */
  find(
    model: ArtifactModel,
    idHash: SecretHash,
    now: Instant,
    options?: { includeExpired?: boolean },
  ): Promise<Record<string, unknown> | undefined>;
  /** The newest unexpired session of this uid. */
  findSessionByUid(uid: string, now: Instant): Promise<Record<string, unknown> | undefined>;
  /**
   * Conditional: exactly one of any number of racers gets true. The winner's transaction revokes the grants
   * of `ends`, as `revokeGrant` does; the losers end nothing.
   */
  consume(
    model: ArtifactModel,
    idHash: SecretHash,
    now: Instant,
    options?: { ends?: readonly GrantId[] },
  ): Promise<boolean>;
  destroy(model: ArtifactModel, idHash: SecretHash): Promise<void>;
  /**
   * Conditional: an unexpired artifact that expires more than a minute before `until` expires then. Returns
   * whether it was one; every other stays as it is, and of racers one gets true.
   */
  extend(artifact: ArtifactExtension, now: Instant): Promise<boolean>;
  /**
   * Writes a session. `authorizations` (give only those that changed) are upserted client by client, so that
   * two portals signing on at once both stay; those of `removed` are deleted. With `replaces` (the session
   * got a new id) the old row goes in the same transaction, so that `findByUid` always sees one. `find` and
   * `findByUid` give back the payload with all `authorizations` composed in.
   *
   * A session that was `found` is written only while it goes on. `ended`: no row of its uid is left, because
   * somebody signed out meanwhile; nothing is written. `rotated`: a racer gave it a new id; the clients'
   * entries are written, the row isn't.
   */
  upsertSession(
    idHash: SecretHash,
    payload: Record<string, unknown>,
    session: {
      uid: string;
      accountId?: AccountId | undefined;
      authorizations: Record<ClientId, SessionAuthorization>;
      removed: ClientId[];
      replaces?: SecretHash | undefined;
      /** Whether the session was read from the store; a new one is inserted whatever is there. */
      found?: boolean;
    },
    expiresAt: Instant,
  ): Promise<"saved" | "rotated" | "ended">;
  /**
   * Ends a session: this row, every other row of the same uid, and its clients' entries. Clients of `tells`
   * are queued to be told, under the `sid` that the session holds for them, in the same transaction
   * (AdminStore.claimSignOut): of racers only the one that finds the session queues.
   */
  destroySession(
    idHash: SecretHash,
    tells?: { accountId: AccountId; clientIds: readonly ClientId[]; now: Instant },
  ): Promise<void>;
  /**
   * Removes every token kept under the grant id, the `Grant` under its SHA-256, and its selection, in one
   * transaction. What it was made in place of goes on: the newest of that is current again. With `signIn` the
   * same goes of every grant that the session has at the client, whether or not this one is still there. Of
   * more than a hundred tokens of one grant the rest goes in the background: without the grant's standing no
   * token is any use.
   */
  revokeGrant(grantId: GrantId, options?: { signIn?: SignIn }): Promise<void>;
}

/** One client's share of a session: kept by client, so that two portals signing on at once both stay. */
export interface SessionAuthorization {
  sid?: string;
  grantId?: GrantId;
  persistsLogout?: boolean;
}

/** Clients as the provider reads them. They are registered, changed and removed by `AdminStore.apply`. */
export interface ClientStore {
  find(id: ClientId): Promise<Client | undefined>;
  list(): Promise<Client[]>;
  /**
   * Notes that a client authenticated, with its secret or the one before. A later time replaces an earlier
   * one.
   */
  noteUse(id: ClientId, secret: "current" | "previous", now: Instant): Promise<void>;
  /**
   * Notes an unregistered address that came with a client's id, as domain/refused-addresses.ts keeps them:
   * what comes again or is too much is read and not written. Of racers for one client one is noted at least.
   */
  noteRefused(
    id: ClientId,
    refused: Pick<RefusedAddress, "parameter" | "address">,
    now: Instant,
  ): Promise<void>;
  /** Of those of which anything was noted. */
  uses(ids: readonly ClientId[]): Promise<ClientUse[]>;
}

export interface KeyStore {
  /**
   * Returns what is stored under the name; if nothing is, stores and returns what `make` gives. Racers all
   * get one value.
   */
  findOrCreate(name: string, make: () => Promise<string>): Promise<string>;
}
