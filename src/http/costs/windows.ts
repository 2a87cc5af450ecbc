/**
 * Fixed windows counted in memory, for so many keys and no more. A window whose beginning lies ahead was
 * begun before the clock was set back: it is over, so that no jump of the clock delays anybody.
 */

import type { Instant, Seconds } from "../../clock.ts";
import { createRecent } from "./recent.ts";

/** What is known here of one key. */
export interface Window {
  readonly startedAt: Instant;
  readonly endsAt: Instant;
  /** How many were counted here since it started. */
  count: number;
  /** How many of them the store has given. */
  taken: number;
  /** Over the limit until then, as the store said. */
  fullUntil: Instant;
}

export interface Windows {
  /** The window of `key` that `now` lies in; a new one where the last is over. */
  at(key: string, windowSeconds: Seconds, now: Instant): Window;
  /** The same, without making any. */
  find(key: string, now: Instant): Window | undefined;
}

/** @param remembered how many keys are kept at the most */
export function createWindows(remembered: number): Windows {
  const windows = createRecent<Window>(remembered);

  function find(key: string, now: Instant): Window | undefined {
    const known = windows.get(key);
    return known !== undefined && known.startedAt <= now && now < known.endsAt ? known : undefined;
  }

  return {
    find,
    at(key, windowSeconds, now) {
      const known = find(key, now);
      if (known !== undefined) return known;
      const begun: Window = {
        startedAt: now,
        endsAt: now + windowSeconds * 1000,
        count: 0,
        taken: 0,
        fullUntil: 0,
      };
      windows.set(key, begun);
      return begun;
    },
  };
}
