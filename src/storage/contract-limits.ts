/** Limits as every back end keeps them: so many slots in so much time, taken by one of those who race. */

import type { Instant, Milliseconds, Seconds } from "../clock.ts";
import type { Limit } from "../domain/limit.ts";

export interface ThrottleStore {
  /**
   * Takes one of `limit` slots of the window under `key`. One conditional write: never more than `limit` per
   * window among any number of racers and processes. Returns whether it was had, and when the window ends:
   * one window from `now` at the latest, also where the clock has been set back since it began.
   */
  takeSlot(
    key: string,
    limit: number,
    windowSeconds: Seconds,
    now: Instant,
  ): Promise<{ taken: boolean; resetsAt: Instant }>;
  /** The same for several at once: as many of `wanted` as the window has left, none if it is full. */
  takeSlots(
    key: string,
    wanted: number,
    limit: Limit,
    now: Instant,
  ): Promise<{ taken: number; resetsAt: Instant }>;
  /**
   * Reserves the next place in a flow of at most `limit` per window, bursts up to the limit included, and
   * returns when it may go: `now`, or later by what others have reserved (the generic cell rate algorithm),
   * but never by more than `longestMs` milliseconds, a year unless given. Whoever would wait longer goes then
   * and takes no place beyond, so that no flow grows longer than its most patient. Nothing is ever refused. A
   * clock that has been set back by more than a window takes the flow along.
   */
  reserve(key: string, limit: Limit, now: Instant, longestMs?: Milliseconds): Promise<Instant>;
}
