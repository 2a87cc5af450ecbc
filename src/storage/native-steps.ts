/**
 * Native steps: what a back end does by a statement of its own making, as a step of an intention
 * (steps.ts) and in its transaction. Each is one thing that the general steps can't say, or not as cheaply;
 * no rule stands in any of them.
 */

import type { Instant, Milliseconds } from "../clock.ts";
import type { Limit } from "../domain/limit.ts";
import type { AccountId, GrantId, SignIn } from "../domain/records.ts";

export interface NativeSteps {
  /**
   * Takes a slot of a throttle; `count` is which one of the window, from 1, and one more than the limit where
   * none was left.
   */
  takeSlot(keyHash: string, limit: Limit, now: Instant): { taken: boolean; count: number; resetsAt: Instant };
  /** Gives a slot back that the same transaction took. */
  giveSlotBack(keyHash: string): void;
  /** Reserves a place in a flow: see ThrottleStore. */
  reservePlace(keyHash: string, limit: Limit, now: Instant, longestMs: Milliseconds): Instant;
  /** Makes this transaction and every other that changes who is an owner exclude each other. */
  excludeOwners(): void;
  /** Removes up to so many tokens of grants. Returns how many. */
  removeTokens(grantIds: readonly GrantId[], most: number): number;
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
