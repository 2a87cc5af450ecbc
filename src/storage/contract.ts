/**
 * The store contract: what a storage back end promises, in terms of intentions. Back ends live in sqlite/ and mongo/;
 * rules live in ../domain; nothing here knows HTTP or OIDC.
 *
 * What holds for every method:
 * - A returned promise resolves only after the write is durable. Short-lived things (OP artifacts other than the endings
 *   `revokeGrant` and `destroySession`, upstream sign-ins, throttle slots): after it survives a killed process.
 * - Everything that expires is treated as absent from the first instant of its `expiresAt`, whether or not it was swept.
 * - Racers are decided by conditional writes, across processes; each method's text says what the loser gets.
 * - A lease is lost when another worker has claimed after it ran out: a late worker whom nobody replaced may still finish.
 * - A back end that can't be reached throws `LiaisonError("store_unavailable")`.
 * - Fields that could be used if read off a disk (mailed secrets, client secrets, keys, code verifiers, OP payloads)
 *   are sealed under the encryption key by the back end.
 */

import type { Instant } from "../clock.ts";
import type {
  Account,
  AccountId,
  AuditEvent,
  Client,
  ClientId,
  Delivery,
  GrantId,
  Identity,
  IdentityKey,
  ImportOutcome,
  ImportRow,
  Inquiry,
  InquiryId,
  LinkRequest,
  LinkRequestId,
  MailContent,
  Membership,
  Organization,
  OrganizationId,
  OutboxMessage,
  OutboxState,
  ProfileEdit,
  ProfileId,
  SecretHash,
  Selection,
  SignInOutcome,
  UpstreamId,
  UpstreamTransaction,
} from "./records.ts";

export interface Store {
  readonly accounts: AccountStore;
  readonly directory: DirectoryStore;
  readonly links: LinkStore;
  readonly outbox: OutboxStore;
  readonly signIns: SignInStore;
  readonly standings: StandingStore;
  readonly artifacts: ArtifactStore;
  readonly clients: ClientStore;
  readonly keys: KeyStore;
  readonly throttles: ThrottleStore;
  readonly audit: AuditStore;
  /** Removes what expired before `now`, in bounded batches; nothing depends on its having run. Returns rows removed. */
  sweep(now: Instant): Promise<number>;
  close(): Promise<void>;
}

/** What an upstream said about a person at sign-in. */
export interface SignedInIdentity extends IdentityKey {
  upstreamId: UpstreamId;
  email: string | null;
  displayName: string | null;
}

export interface AccountStore {
  /**
   * Finds the account that owns the identity, or creates both; remembers the display data and the time.
   * Racers with the same identity all get the one account; exactly one of them creates it (and its audit event).
   */
  signIn(identity: SignedInIdentity, now: Instant): Promise<Account>;
  find(accountId: AccountId): Promise<Account | undefined>;
  /** The account's identities, most recently used first. */
  identities(accountId: AccountId): Promise<Identity[]>;
}

/** What an edit of the directory changed, so that portals can be told: the grants revoked with it. */
export interface Revocation {
  revokedGrants: { grantId: GrantId; clientId: ClientId; accountId: AccountId; sessionUid: string }[];
}

export interface DirectoryStore {
  /**
   * Inserts or replaces an organization as a whole. Disabling one revokes its profiles' grants and voids
   * their pending requests in the same transaction. Audited if it changed anything.
   */
  putOrganization(organization: Organization, actor: string, now: Instant): Promise<Revocation>;
  /**
   * Inserts a profile, or replaces its name, roles, enabled flag and email. A changed email grows `emailVersion` and voids
   * pending requests; the binding stays. Disabling one revokes its grants and voids its pending requests in the same
   * transaction. Throws `bad_request` for an unknown organization, or another one than an existing profile's.
   * The binding, `adminRole` and the versions of an existing profile are never taken from the argument.
   */
  putProfile(profile: ProfileEdit, actor: string, now: Instant): Promise<Revocation>;
  /**
   * Imports rows in their order, in one transaction: reads what exists and writes, as `putOrganization` and `putProfile`
   * would, what differs and nothing else, with its audit events. Roles are compared as a set. A refused row doesn't keep the
   * others from being written. The outcomes are in the order of the rows (storage/import-plan.ts decides them). With `dryRun`
   * each row is compared with what is stored now, and nothing is written. Racers: one batch is compared after the other is written.
   */
  importBatch(
    rows: readonly ImportRow[],
    actor: string,
    now: Instant,
    options?: { dryRun: boolean },
  ): Promise<Revocation & { outcomes: ImportOutcome[] }>;
  organization(id: OrganizationId): Promise<Organization | undefined>;
  membership(id: ProfileId): Promise<Membership | undefined>;
  /** All profiles registered under an address key, disabled ones too, in a stable order. */
  membershipsByEmail(emailKey: string): Promise<Membership[]>;
}

/**
 * What redeeming or cancelling a link came to. `refused` changed nothing: the request and its profile are what the failed
 * condition saw, so that domain/link.ts can say why. `unknown`: no such request, or the secret isn't its own.
 */
export type RedeemResult =
  | { result: "bound"; membership: Membership }
  | { result: "refused"; request: LinkRequest; membership: Membership }
  | { result: "unknown" };

export type CancelResult =
  | { result: "cancelled"; request: LinkRequest; membership: Membership }
  | { result: "refused"; request: LinkRequest; membership: Membership }
  | { result: "unknown" };

/** A link request with what it is about and who it would bind. */
export interface LinkView {
  request: LinkRequest;
  membership: Membership;
}

/** A link request and its mail, made by the worker for one profile. */
export interface NewLink {
  request: Omit<LinkRequest, "state" | "settledAt">;
  mail: NewMail;
}

export interface NewMail {
  id: string;
  messageId: string;
  to: string;
  content: MailContent;
  throttle?: MailThrottle;
}

export type NewInquiry = Omit<Inquiry, "ordinal" | "heldUntil" | "matched">;

/** At most `limit` in a window of so many seconds. */
export interface Limit {
  limit: number;
  windowSeconds: number;
}

/** What keeps an inquiry waiting. */
export interface InquiryThrottles {
  identity: Limit;
  /** `key`: the client address, or what stands for it. */
  client: Limit & { key: string };
}

/** A mail that a stranger can cause: how many of its kind one mailbox and one profile get, and who comes first. */
export interface MailThrottle {
  mailbox: Limit & { key: string };
  profile: Limit & { key: string };
  /** Among mails held for one mailbox the lowest goes first, of equals the newest. */
  rank: number;
}

export interface LinkStore {
  /**
   * Stores an inquiry, in one transaction with what it takes of the throttles. Over the identity's limit it is held until
   * that window ends, and an older one of the identity that is still held is settled without an answer; over the client
   * address's it waits for its place in that flow. Returns it as stored. Reads nothing of the directory.
   */
  inquire(inquiry: NewInquiry, throttles?: InquiryThrottles): Promise<Inquiry>;
  /** The newest inquiry of an interaction chain, settled or not (its address is null once settled). */
  latestInquiry(interactionCid: string): Promise<Inquiry | undefined>;
  /**
   * Claims the oldest unsettled inquiry whose `notBefore` has come and whose lease is free, until `now + leaseMs`.
   * Racers never hold the same one; a worker that dies loses its lease, not the inquiry.
   */
  claimInquiry(worker: string, now: Instant, leaseMs: number): Promise<Inquiry | undefined>;
  /**
   * Settles a claimed inquiry in one transaction: supersedes pending requests of the same identity and profile, inserts
   * the new requests, queues all mails (holds those that are over a limit of their throttle), writes one audit event a
   * request, notes how many profiles matched, deletes the typed address.
   * Returns false, changing nothing, if this worker's lease was lost or the inquiry is already settled.
   */
  settleInquiry(
    inquiryId: InquiryId,
    worker: string,
    outcome: { links: NewLink[]; mails: NewMail[]; matched?: number },
    now: Instant,
  ): Promise<boolean>;
  /** An inquiry with the requests made of it, oldest first. */
  history(inquiryId: InquiryId): Promise<{ inquiry: Inquiry; requests: LinkRequest[] } | undefined>;
  /** The inquiry that a request was made of. */
  inquiryOf(requestId: LinkRequestId): Promise<InquiryId | undefined>;
  /** Newest first: of an account, of those that made a request for a profile, or all; before an instant, when given. */
  inquiries(filter: {
    accountId?: AccountId;
    profileId?: ProfileId;
    before?: Instant;
    limit: number;
  }): Promise<Inquiry[]>;
  /** The request whose secret has this hash. Changes nothing. */
  view(requestId: LinkRequestId, secretHash: SecretHash): Promise<LinkView | undefined>;
  /**
   * Consumes the request, binds its profile to the identity's account, writes the audit event, queues the notice mail and
   * voids every other pending request for the profile: all or nothing. Conditional on: request pending, unexpired, secret,
   * purpose, upstream, issuer and subject equal byte for byte, the identity owned by the account, the profile's email version
   * as requested, profile enabled and unbound, organization enabled. Of any number of racers exactly one gets `bound`.
   */
  redeem(
    attempt: { requestId: LinkRequestId; secretHash: SecretHash; identity: SignedInIdentity; accountId: AccountId },
    notice: Pick<NewMail, "id" | "messageId">,
    now: Instant,
  ): Promise<RedeemResult>;
  /** *Don't link*: cancels a pending, unexpired request, audited with who did it. Racers: one gets `cancelled`. */
  cancel(
    attempt: { requestId: LinkRequestId; secretHash: SecretHash; accountId: AccountId },
    now: Instant,
  ): Promise<CancelResult>;
  /**
   * Removes a profile's binding, voids its pending requests and revokes its grants, audited, in one transaction.
   * Returns undefined if it wasn't bound (to that account, when given): racers get one result and then undefined.
   */
  unbind(profileId: ProfileId, actor: string, now: Instant, accountId?: AccountId): Promise<Revocation | undefined>;
}

/** States that somebody may want to look after. */
export type TroubledState = Extract<OutboxState, "held" | "failed" | "bounced">;

export interface OutboxStore {
  /**
   * Claims the queued message whose attempt is due longest, until `now + leaseMs`. For a link mail the request's life starts
   * before this returns (`expiresAt = now + linkLifetimeMs`) if it is still pending; if it no longer is, the message becomes
   * `dropped` and the next one is tried. Racers never hold the same message. `attempts` counts this claim.
   * `linkExpiresAt` is set for link mails.
   */
  claim(
    worker: string,
    now: Instant,
    leaseMs: number,
    linkLifetimeMs: number,
  ): Promise<{ message: OutboxMessage; linkExpiresAt: Instant | null } | undefined>;
  /**
   * Queues a mail that has no other cause, in one transaction with a slot of each throttle. Where one has none left nothing
   * is queued or taken, and the throttle's key with the end of its window is returned.
   */
  enqueue(
    mail: NewMail,
    slots: readonly (Limit & { key: string })[],
    now: Instant,
  ): Promise<{ queued: true } | { queued: false; key: string; resetsAt: Instant }>;
  /** Marks a claimed message sent and erases its content. False if the lease was lost. */
  markSent(id: string, worker: string, serverReply: string, now: Instant): Promise<boolean>;
  /** Gives a claimed message back for `nextAttemptAt`, or fails it for good when that is null. False if the lease was lost. */
  markDeferred(
    id: string,
    worker: string,
    error: string,
    nextAttemptAt: Instant | null,
    now: Instant,
  ): Promise<boolean>;
  /**
   * Queues held messages for which the throttles have room by now: of a mailbox's the one of lowest rank, of equals the
   * newest; one whose link is dead is dropped. Returns how many were queued. Racers: each slot and each message once.
   */
  releaseHeld(limits: { mailbox: Limit; profile: Limit }, now: Instant): Promise<number>;
  /** The earliest instant at which a queued message may be due, or undefined when none is queued. */
  nextDueAt(): Promise<Instant | undefined>;
  find(id: string): Promise<Delivery | undefined>;
  /** Those in one of the states, or all that answer an inquiry; newest first. */
  list(filter: { states: readonly TroubledState[]; limit: number } | { inquiryId: InquiryId }): Promise<Delivery[]>;
  /** Queues a held message past its throttles, audited. False if it isn't held. */
  release(id: string, actor: string, now: Instant): Promise<boolean>;
  /** Queues a message anew that was given up, as if it were made now; audited. False if it isn't `failed`. */
  resend(id: string, actor: string, now: Instant): Promise<boolean>;
  /**
   * Notes what a mail server reported of a sent message: a bounce for good makes it `bounced`, anything else is only noted.
   * Returns it as it is then, or undefined if no sent message has this Message-ID.
   */
  noteBounce(
    messageId: string,
    bounce: { reason: string; permanent: boolean },
    now: Instant,
  ): Promise<Delivery | undefined>;
}

export interface CallbackAttempt extends Pick<UpstreamTransaction, "stateHash" | "browserHash" | "upstreamId"> {
  /** SHA-256 of a random value: the same one only when an attempt is made again because its answer was lost. */
  attemptHash: SecretHash;
}

export interface SignInStore {
  /** Stores a sign-in begun at an upstream. */
  begin(transaction: UpstreamTransaction): Promise<void>;
  /**
   * Takes the transaction of a callback: state, browser and upstream must all be its own, and it must be unexpired. From
   * then on it is the attempt's instead of the browser's: of any number of attempts one gets it, as often as it asks, and
   * the others get undefined. A callback with a wrong browser or upstream gets undefined and leaves it in place.
   */
  take(callback: CallbackAttempt, now: Instant): Promise<UpstreamTransaction | undefined>;
  /** Leaves a finished sign-in for its interaction (replacing an earlier one). `interactionHash` is the SHA-256 of its uid. */
  leaveOutcome(interactionHash: SecretHash, outcome: SignInOutcome, expiresAt: Instant): Promise<void>;
  /** Takes it: one racer gets it, the others undefined. */
  takeOutcome(interactionHash: SecretHash, now: Instant): Promise<SignInOutcome | undefined>;
}

/** All that a decision about an account at a portal needs, in one read. */
export interface Standing {
  accountId: AccountId;
  /** The account's bound profiles with their organizations, disabled ones too, in a stable order. */
  memberships: Membership[];
  /** The selection that this session holds for this client, or null. */
  current: Selection | null;
  /** The profile chosen last by this account at this client, or null. */
  rememberedProfileId: ProfileId | null;
  /** The most recently used identity, for *signed in as X at Y*. */
  identity: Identity | null;
}

/** What a grant speaks for, in one read. */
export interface GrantStanding {
  selection: Selection;
  membership: Membership;
}

export interface StandingStore {
  /** Undefined when there is no such account. One operation. */
  forClient(
    accountId: AccountId,
    clientId: ClientId,
    sessionUid: string | null,
    now: Instant,
  ): Promise<Standing | undefined>;
  /** Undefined when the grant has no selection, or the profile is no longer bound to the selection's account. One operation. */
  forGrant(grantId: GrantId, now: Instant): Promise<GrantStanding | undefined>;
  /**
   * Selects a profile for a session at a client and (unless told not to) remembers it as the last choice: returns the grant id of the existing selection of the same
   * profile, or makes one under `selection.grantId`. A selection of another profile is replaced, its grant and all tokens of
   * that revoked in the same transaction. Racers choosing the same profile all get one grant id.
   * Undefined, changing nothing, if the profile isn't bound to the account any more.
   */
  select(
    selection: Selection,
    now: Instant,
    options?: { remember: boolean },
  ): Promise<{ grantId: GrantId; revokedGrants: GrantId[] } | undefined>;
}

/** Models of oidc-provider that are kept as artifacts. Clients are not: they have a store of their own. */
export type ArtifactModel = string;

/** What the adapter keeps beside the payload so that rows can be found. */
export interface ArtifactKeys {
  grantId?: GrantId | undefined;
  accountId?: AccountId | undefined;
}

export interface ArtifactStore {
  /** Inserts or replaces. `payload` is sealed at rest; `consumed` survives a replace. */
  upsert(
    model: ArtifactModel,
    idHash: SecretHash,
    payload: Record<string, unknown>,
    keys: ArtifactKeys,
    expiresAt: Instant,
  ): Promise<void>;
  /** Inserts, or returns false when an unexpired row is there: for one-time values such as client assertions' `jti`. */
  insertOnce(model: ArtifactModel, idHash: SecretHash, expiresAt: Instant, now: Instant): Promise<boolean>;
  /** The payload, with `consumed` (seconds since the epoch) once consumed. Expired rows are absent unless asked for. */
  find(
    model: ArtifactModel,
    idHash: SecretHash,
    now: Instant,
    options?: { includeExpired?: boolean },
  ): Promise<Record<string, unknown> | undefined>;
  /** The newest unexpired session of this uid. */
  findSessionByUid(uid: string, now: Instant): Promise<Record<string, unknown> | undefined>;
  /** Conditional: exactly one of any number of racers gets true. */
  consume(model: ArtifactModel, idHash: SecretHash, now: Instant): Promise<boolean>;
  destroy(model: ArtifactModel, idHash: SecretHash): Promise<void>;
  /**
   * Writes a session. `authorizations` (give only those that changed) are upserted client by client, so that two portals
   * signing on at once both stay; those of `removed` are deleted. With `replaces` (the session got a new id) the old row goes
   * in the same transaction, so that `findByUid` always sees one. `find` and `findByUid` give back the payload with all
   * `authorizations` composed in.
   *
   * A session that was `found` is written only while it goes on. `ended`: no row of its uid is left, because somebody signed
   * out meanwhile; nothing is written. `rotated`: a racer gave it a new id; the clients' entries are written, the row isn't.
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
  /** Ends a session: this row, every other row of the same uid, and its clients' entries. */
  destroySession(idHash: SecretHash): Promise<void>;
  /**
   * Removes every token kept under the grant id, the `Grant` under its SHA-256, and its selection, in one transaction.
   */
  revokeGrant(grantId: GrantId): Promise<void>;
}

/** One client's share of a session: kept by client, so that two portals signing on at once both stay. */
export interface SessionAuthorization {
  sid?: string;
  grantId?: GrantId;
  persistsLogout?: boolean;
}

export interface ClientStore {
  find(id: ClientId): Promise<Client | undefined>;
  list(): Promise<Client[]>;
  put(client: Client): Promise<void>;
  remove(id: ClientId): Promise<void>;
}

export interface KeyStore {
  /** Returns what is stored under the name; if nothing is, stores and returns what `make` gives. Racers all get one value. */
  findOrCreate(name: string, make: () => Promise<string>): Promise<string>;
}

export interface ThrottleStore {
  /**
   * Takes one of `limit` slots of the window under `key`. One conditional write: never more than `limit` per window among
   * any number of racers and processes. Returns whether it was had, and when the window ends.
   */
  takeSlot(
    key: string,
    limit: number,
    windowSeconds: number,
    now: Instant,
  ): Promise<{ taken: boolean; resetsAt: Instant }>;
  /**
   * Reserves the next place in a flow of at most `limit` per window, bursts up to the limit included, and returns when it
   * may go: `now`, or later by what others have reserved (the generic cell rate algorithm). Nothing is ever refused.
   */
  reserve(key: string, limit: Limit, now: Instant): Promise<Instant>;
}

export interface AuditStore {
  append(event: AuditEvent): Promise<void>;
  /** Newest first. */
  list(filter: { profileId?: ProfileId; requestId?: LinkRequestId; limit: number }): Promise<AuditEvent[]>;
}
