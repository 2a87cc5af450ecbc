/**
 * Native steps: what a back end does by a statement of its own making, as a step of an intention
 * (steps.ts) and in its transaction. Each is one thing that the general steps can't say, or not as cheaply;
 * no rule stands in any of them.
 */

import type { Instant, Milliseconds } from "../clock.ts";
import type { Limit } from "../domain/limit.ts";
import type { AccountId, ClientId, GrantId, ProfileId, SecretHash, SignIn } from "../domain/records.ts";
import type { ArtifactExtension, ArtifactKeys, ArtifactModel } from "./contract.ts";

/** An artifact as it is stored. */
export interface StoredArtifact {
  idHash: SecretHash;
  encrypted: string | null;
  /** Seconds since the epoch. */
  consumed: number | null;
}

/** oidc-provider's artifacts, without its sessions. */
export interface ArtifactSteps {
  /** See ArtifactStore.upsert. */
  putArtifact(
    model: ArtifactModel,
    idHash: SecretHash,
    encrypted: string,
    keys: ArtifactKeys,
    expiresAt: Instant,
  ): void;
  /** See ArtifactStore.insertOnce. */
  insertOnce(model: ArtifactModel, idHash: SecretHash, expiresAt: Instant, now: Instant): boolean;
  /** An unexpired one, or any; but no client's own token that has been ended. */
  artifact(
    model: ArtifactModel,
    idHash: SecretHash,
    now: Instant,
    includeExpired: boolean,
  ): StoredArtifact | undefined;
  /** Notes that an unexpired one was consumed; false if it was, or isn't there. */
  consumeArtifact(model: ArtifactModel, idHash: SecretHash, now: Instant): boolean;
  removeArtifact(model: ArtifactModel, idHash: SecretHash): void;
  /** See ArtifactStore.extend. */
  extendArtifact(artifact: ArtifactExtension, now: Instant): boolean;
  /**
   * Removes up to so many artifacts and sessions that had expired then, with what hangs on those. Returns how
   * many.
   */
  removeExpiredArtifacts(now: Instant, limit: number): number;
  /** Removes up to so many tokens of grants. Returns how many. */
  removeTokens(grantIds: readonly GrantId[], most: number): number;
  /** Removes the `Grant`s themselves, under the SHA-256 of their ids. */
  removeGrants(grantIds: readonly GrantId[]): void;
  /** Those for whose code the portal was given anything. */
  redeemedAmong(grantIds: readonly GrantId[]): GrantId[];
}

/** A client's share of a session. */
export interface SessionShare {
  clientId: ClientId;
  sid: string | null;
  grantId: GrantId | null;
  persistsLogout: boolean | null;
}

/** A session as it is stored. */
export interface StoredSession extends Omit<StoredArtifact, "consumed"> {
  shares: readonly SessionShare[];
}

export interface SessionSave {
  uid: string;
  idHash: SecretHash;
  encrypted: string;
  accountId: AccountId | null;
  expiresAt: Instant;
  /** Whether it was read from the store: then it is written only while a row of its uid is left. */
  isFound: boolean;
  /** Whether a row is made of this id if there is none. */
  appends: boolean;
  /** The row that goes. */
  replaces: SecretHash | undefined;
  /** Clients whose shares go. */
  removed: readonly ClientId[];
  /** Shares that come, or take the place of those that are there. */
  shares: readonly SessionShare[];
}

/** oidc-provider's sessions, whose authorizations are stored client by client. */
export interface SessionSteps {
  /** An unexpired one, or any. */
  session(idHash: SecretHash, now: Instant, includeExpired: boolean): StoredSession | undefined;
  /** The newest unexpired one. */
  sessionByUid(uid: string, now: Instant): StoredSession | undefined;
  /** See ArtifactStore.upsertSession. */
  saveSession(save: SessionSave): "saved" | "rotated" | "ended";
  uidOfSession(idHash: SecretHash): string | undefined;
  /** The ids that clients know sessions by, in this order; null for one that has none. */
  sidsOf(signIns: readonly SignIn[]): (string | null)[];
  /** Whose a session of browsers is, null for nobody's; undefined for one that has ended. */
  accountOfSession(sessionUid: string, now: Instant): { accountId: AccountId | null } | undefined;
  /** The ids of sessions of an account behind one, in order: of browsers, and of which grants are left. */
  sessionsOfAccount(accountId: AccountId, after: string, limit: number): string[];
  /** Those of these sessions that browsers are signed in with, as the account. */
  signedInAmong(sessionUids: readonly string[], accountId: AccountId, now: Instant): string[];
  /** Removes a session: every row of its uid, and its clients' shares. */
  removeSession(sessionUid: string): void;
}

export interface NativeSteps extends ArtifactSteps, SessionSteps {
  /**
   * Takes a slot of a throttle; `count` is which one of the window, from 1, and one more than the limit where
   * none was left.
   */
  takeSlot(keyHash: string, limit: Limit, now: Instant): { taken: boolean; count: number; resetsAt: Instant };
  /** Takes as many of `wanted` as there are. */
  takeSlots(
    keyHash: string,
    wanted: number,
    limit: Limit,
    now: Instant,
  ): { taken: number; resetsAt: Instant };
  /** Gives a slot back that the same transaction took. */
  giveSlotBack(keyHash: string): void;
  /**
   * Reserves the next place in a flow of at most `limit` per window and returns when it may go: `now`, or
   * later by what others have reserved, by `longestMs` at the most. See LinkStore.inquire.
   */
  reservePlace(keyHash: string, limit: Limit, now: Instant, longestMs: Milliseconds): Instant;
  /** Makes this transaction and every other that changes who is an owner exclude each other. */
  excludeOwners(): void;
  /** Makes this transaction and every other that rests on the profile or changes it exclude each other. */
  holdProfile(id: ProfileId): void;
}
