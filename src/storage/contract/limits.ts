/** Limits as every back end keeps them: so many slots in so much time, taken by one of those who race. */

import type { Instant, Seconds } from "../../clock.ts";
import type { Limit } from "../../domain/limit.ts";

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
}
