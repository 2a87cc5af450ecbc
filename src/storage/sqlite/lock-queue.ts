/**
 * The queue of whatever in this process waits for the write lock of one SQLite file, which another process or
 * thread holds. SQLite's own waiting sleeps on the event loop, and wakes whom it pleases; here one waiter
 * polls for all, and they go in the order in which they came. What is tried, and how it fails, is
 * database.ts's.
 */

import { setImmediate, setTimeout } from "node:timers/promises";

/**
 * The pauses between two tries, in milliseconds: each up to twice the one before, and random in its upper
 * half.
 */
const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 16;

export interface Waiter {
  /** Tries again. True once it is settled, well or badly; false if the lock is still held. Never throws. */
  attempt(): boolean | Promise<boolean>;
  /** Its time is over. */
  giveUp(): void;
}

interface Place {
  waiter: Waiter;
  until: number;
}

export class LockQueue {
  #waiting: Place[] = [];
  #isServed = false;
  #isTurn = false;

  /** Whether whoever asks may try to write at once: nobody waits, or it is their turn. */
  get isOpen(): boolean {
    return this.#isTurn || this.#waiting.length === 0;
  }

  /**
   * Puts a waiter at the end. It is tried again and again until it is settled, or given up after so many
   * milliseconds.
   */
  enter(waiter: Waiter, milliseconds: number): void {
    if (milliseconds <= 0) {
      waiter.giveUp();
      return;
    }
    this.#waiting.push({ waiter, until: performance.now() + milliseconds });
    if (!this.#isServed) void this.#serve();
  }

  async #serve(): Promise<void> {
    this.#isServed = true;
    let pause = FIRST_PAUSE_MS;
    let isFree = false;
    for (;;) {
      // What others of this process do stands between two turns, the lock free or not.
      if (isFree) await setImmediate();
      else await setTimeout(pause * (0.5 + Math.random() / 2));
      this.#dismissLate();
      const [first] = this.#waiting;
      if (first === undefined) break;
      isFree = await this.#take(first);
      if (isFree) this.#waiting.shift();
      pause = isFree ? FIRST_PAUSE_MS : Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
    this.#isServed = false;
  }

  /** What is tried reads and writes before it first awaits, if it awaits at all: the turn is over by then. */
  #take(first: Place): boolean | Promise<boolean> {
    this.#isTurn = true;
    try {
      return first.waiter.attempt();
    } finally {
      this.#isTurn = false;
    }
  }

  #dismissLate(): void {
    const now = performance.now();
    const late = this.#waiting.filter(({ until }) => until <= now);
    if (late.length === 0) return;
    this.#waiting = this.#waiting.filter(({ until }) => until > now);
    for (const { waiter } of late) waiter.giveUp();
  }
}
