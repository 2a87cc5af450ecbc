/**
 * Paces work over many rows beside a running service: turns so short that nobody notices one, and rests between them that are
 * no shorter, so that whoever waits for the write lock or the event loop gets it. What a turn does is its caller's.
 */

import { setTimeout } from "node:timers/promises";

/** The longest that a turn may take, and what is aimed at, in milliseconds. */
const TURN_MS = 20;
const AIM_MS = 10;

/** A turn that took longer waited for somebody else: that needs no rest as long. */
const LONGEST_REST_MS = 1000;

export interface PaceOptions {
  /** How many rows the first turn takes; later ones take what the last one's time allows. */
  first: number;
  /** How many a turn takes at the most. */
  most: number;
}

export class Pace {
  #size: number;
  readonly #most: number;

  constructor({ first, most }: PaceOptions) {
    this.#size = first;
    this.#most = most;
  }

  /** How many rows the next turn is to take. */
  get size(): number {
    return this.#size;
  }

  /** Runs one turn over `size` rows or fewer, learns from its time, and rests at least as long. */
  async turn<T>(work: (size: number) => Promise<T>): Promise<T> {
    const begun = performance.now();
    const result = await work(this.#size);
    const took = performance.now() - begun;
    if (took > TURN_MS) this.#size = Math.max(1, Math.floor(this.#size * Math.max(AIM_MS / took, 1 / 4)));
    else if (took < AIM_MS / 2) this.#size = Math.min(this.#most, this.#size * 2);
    await setTimeout(Math.ceil(Math.min(took, LONGEST_REST_MS)));
    return result;
  }
}
