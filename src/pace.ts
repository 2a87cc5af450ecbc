/**
 * Paces work over many rows beside a running service: turns so short that nobody notices one, and rests
 * between them that are no shorter, so that whoever waits for the write lock or the event loop gets it. What
 * a turn does is its caller's.
 */

import { setTimeout } from "node:timers/promises";
import type { Milliseconds } from "./clock.ts";
import { runAlone, type WorkerRun } from "./worker-loop.ts";

/**
 * The longest that a turn may take, in milliseconds, where others can do nothing else meanwhile. Half of it
 * is aimed at.
 */
export const TURN_MS: Milliseconds = 20;

/** A turn that took longer waited for somebody else: that needs no rest as long. */
const LONGEST_REST_MS: Milliseconds = 1000;

export interface PaceOptions {
  /**
   * How many rows a turn takes at the least, and the first: enough to be worth the flush to disk that ends
   * it.
   */
  least: number;
  /** How many at the most. In between, what the last turn's time allows. */
  most: number;
  /** The longest that a turn may take, in milliseconds. Default: TURN_MS. */
  turnMs?: Milliseconds;
}

/** What a turn came to. */
export interface Turn {
  done: number;
  isLast: boolean;
}

export class Pace {
  #size: number;
  readonly #options: PaceOptions;

  constructor(options: PaceOptions) {
    this.#size = options.least;
    this.#options = options;
  }

  /** How many rows the next turn is to take. */
  get size(): number {
    return this.#size;
  }

  /** Runs one turn over `size` rows or fewer, learns from its time, and rests at least as long. */
  async turn<T>(work: (size: number) => Promise<T>): Promise<T> {
    const begun = performance.now();
    let result: T;
    try {
      result = await work(this.#size);
    } catch (error) {
      // It may have been too much for the time that one operation has: the next try is of less, even than the
      // least.
      this.#size = Math.max(1, Math.floor(this.#size / 4));
      throw error;
    }
    const took = performance.now() - begun;
    const { least, most, turnMs = TURN_MS } = this.#options;
    const aimMs: Milliseconds = turnMs / 2;
    if (took > turnMs) this.#size = Math.max(least, Math.floor(this.#size * Math.max(aimMs / took, 1 / 4)));
    else if (took < aimMs / 2) this.#size = Math.min(most, this.#size * 2);
    await setTimeout(Math.ceil(Math.min(took, LONGEST_REST_MS)));
    return result;
  }

  /**
   * Runs turns until one says that there is no more, or the run is told to end. Each says how many it has
   * done; returns how many all of them have.
   */
  async turns(
    work: (size: number) => Promise<Turn>,
    { signal, onStep }: WorkerRun = runAlone,
  ): Promise<number> {
    let done = 0;
    for (let isLast = false; !isLast && !signal.aborted; onStep()) {
      const turn = await this.turn(work);
      done += turn.done;
      isLast = turn.isLast;
    }
    return done;
  }
}
