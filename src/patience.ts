/**
 * How long a caller waits for the store altogether, however many calls that takes. A back end that is reached
 * over a network gives each call what is left of it; a call without such a caller has its own measure.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Milliseconds } from "./clock.ts";

class Patience {
  #leftMs: Milliseconds;
  #waiting = 0;
  #since = 0;

  constructor(milliseconds: number) {
    this.#leftMs = milliseconds;
  }

  get leftMs(): Milliseconds {
    return this.#waiting === 0 ? this.#leftMs : this.#leftMs - (performance.now() - this.#since);
  }

  /** Time counts while anything is waited for, and once where that is several calls. */
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

const current = new AsyncLocalStorage<Patience>();

/** Runs work that waits for the store for so many milliseconds in all. */
export function withPatience<T>(milliseconds: number, work: () => T): T {
  return current.run(new Patience(milliseconds), work);
}

/** Runs work that a caller sets off but doesn't wait for. */
export function withoutPatience<T>(work: () => T): T {
  return current.exit(work);
}

/**
 * Makes one call, telling it for how many milliseconds it is waited for: `longestMs` at the most, 0 if none
 * are left.
 */
export function spendPatience<T>(
  longestMs: Milliseconds,
  call: (milliseconds: number) => Promise<T>,
): Promise<T> {
  const patience = current.getStore();
  if (patience === undefined) return call(longestMs);
  return patience.spend(call(Math.max(0, Math.min(longestMs, patience.leftMs))));
}
