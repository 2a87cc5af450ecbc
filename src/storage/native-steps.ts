/**
 * Native steps: what a back end does by a statement of its own making, as a step of an intention
 * (steps.ts) and in its transaction. Each is one thing that the general steps can't say, or not as cheaply;
 * no rule stands in any of them.
 */

import type { Instant, Milliseconds } from "../clock.ts";
import type { Limit } from "../domain/limit.ts";
import type { AccountId, GrantId, SignIn } from "../domain/records.ts";
import type { ArtifactExtension } from "./contract.ts";

export interface NativeSteps {
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
  /** See ArtifactStore.extend. */
  extendArtifact(artifact: ArtifactExtension, now: Instant): boolean;
  /** Makes this transaction and every other that changes who is an owner exclude each other. */
  excludeOwners(): void;
  /** Removes up to so many tokens of grants. Returns how many. */
  removeTokens(grantIds: readonly GrantId[], most: number): number;
  /**
   * Removes up to so many artifacts and sessions that had expired then, with what hangs on those. Returns how
   * many.
   */
  removeExpiredArtifacts(now: Instant, limit: number): number;
  /** Removes the `Grant`s themselves, under the SHA-256 of their ids. */
  removeGrants(grantIds: readonly GrantId[]): void;
  /** Those for whose code the portal was given anything. */
  redeemedAmong(grantIds: readonly GrantId[]): GrantId[];
  /** The ids that clients know sessions by, in this order; null for one that has none. */
  sidsOf(signIns: readonly SignIn[]): (string | null)[];
  /** Whose a session is that browsers are signed in with; undefined for one that has ended. */
  accountOfSession(sessionUid: string, now: Instant): { accountId: AccountId | null } | undefined;
  /** Removes a session: every row of its uid, and its clients' entries. */
  removeSession(sessionUid: string): void;
}
