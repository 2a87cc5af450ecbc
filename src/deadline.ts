/**
 * Deadlines: how long a caller waits for the store altogether, however many calls that takes. A back end
 * gives each call what is left of it; a call of nobody who has set one has a bound of its own.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Milliseconds } from "./clock.ts";

/** What is left of a deadline: it runs only while something is waited for. */
class Remaining {
  #leftMs: Milliseconds;
  #waiting = 0;
  #since = 0;

  constructor(milliseconds: number) {
    this.#leftMs = milliseconds;
  }

  get leftMs(): Milliseconds {
    return this.#waiting === 0 ? this.#leftMs : this.#leftMs - (performance.now() - this.#since);
  }

  /** Several calls that are waited for at once take their time once. */
  async spend<T>(wait: Promise<T>): Promise<T> {
    if (this.#waiting === 0) this.#since = performance.now();
    this.#waiting += 1;
    try {
      return await wait;
    } finally {
      if (this.#waiting === 1) this.#leftMs = this.leftMs;
      this.#waiting -= 1;
    }
  }
}

const current = new AsyncLocalStorage<Remaining>();

/** Runs work that waits for the store for so many milliseconds in all. */
export function withDeadline<T>(milliseconds: number, work: () => T): T {
  return current.run(new Remaining(milliseconds), work);
}

/** Runs work that a caller sets off but doesn't wait for. */
export function withoutDeadline<T>(work: () => T): T {
  return current.exit(work);
}

/**
 * Makes one call, telling it for how many milliseconds it is waited for: `longestMs` at the most, 0 if none
 * are left.
 */
export function callWithinDeadline<T>(
  longestMs: Milliseconds,
  call: (milliseconds: number) => Promise<T>,
): Promise<T> {
  const remaining = current.getStore();
  if (remaining === undefined) return call(longestMs);
  return remaining.spend(call(Math.max(0, Math.min(longestMs, remaining.leftMs))));
}
