/**
 * The pace at which requests of one visitor are served: bursts at once, what comes faster than that each at
 * its own moment, in the order in which it came (the generic cell rate algorithm, as a virtual scheduler).
 * Nobody holds a turn, so that no request waits for another to end: a half-sent one costs those behind it its
 * one place and nothing else.
 */

import type { Milliseconds } from "../../clock.ts";
import type { Limit } from "../../domain/limit.ts";
import { createRecent } from "./recent.ts";

export interface Pace {
  /**
   * Takes the next place of `key`. Returns after how many milliseconds it may be served, or how long it is
   * until one is free that is near enough.
   */
  take(key: string): { waitMs: Milliseconds } | { fullForMs: Milliseconds };
}

export interface PaceOptions {
  /** So many at once, and as many in each window from then on. */
  limit: Limit;
  /** The longest that a request is made to wait, in milliseconds. */
  longestWaitMs: Milliseconds;
  /** How many keys are kept at the most. */
  remembered: number;
  /** Milliseconds of a clock that nobody can set. */
  elapsed: () => number;
}

export function createPace({ limit, longestWaitMs, remembered, elapsed }: PaceOptions): Pace {
  const intervalMs: Milliseconds = (limit.windowSeconds * 1000) / limit.limit;
  const burstMs: Milliseconds = intervalMs * (limit.limit - 1);
  /** When the next place of each would be free if it had come evenly. */
  const places = createRecent<number>(remembered);

  return {
    take(key) {
      const now = elapsed();
      const place = Math.max(places.get(key) ?? now, now);
      const waitMs: Milliseconds = Math.max(0, place - burstMs - now);
      if (waitMs > longestWaitMs) return { fullForMs: waitMs - longestWaitMs };
      places.set(key, place + intervalMs);
      return { waitMs };
    },
  };
}
