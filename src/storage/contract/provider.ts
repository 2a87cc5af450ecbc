/**
 * The part of the store contract that our OpenID Provider rests on: its artifacts and sessions, what a grant
 * speaks for, clients as it reads them, keys. What holds for every method stands in ../contract.ts, which is
 * where it is imported from.
 */

import type { Instant } from "../../clock.ts";
import type { AccountAtClient } from "../../domain/admission.ts";
import type {
  AccountId,
  Client,
  ClientId,
  ClientUse,
  GrantId,
  Membership,
  RefusedAddress,
  SecretHash,
  Selection,
  SignIn,
} from "../../domain/records.ts";

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

/** An artifact that is to be kept longer than it was stored for. */
export interface ArtifactExtension {
  model: ArtifactModel;
  idHash: SecretHash;
  until: Instant;
}

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
