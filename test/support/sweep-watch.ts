/**
 * Watches the sweep of what is over, which the application's background does, so that a test can wait for it.
 */

import { setTimeout as pause } from "node:timers/promises";
import type { Store } from "../../src/storage/contract.ts";
import type { Liaison } from "./liaison.ts";

export class SweepWatch {
  #begun = 0;
  /** The last that ended, by the order in which they began, and how many are under way. */
  #ended = 0;
  #running = 0;

  readonly decorate = (store: Store): Store => ({
    ...store,
    sweep: async (now, run) => {
      this.#begun += 1;
      const mine = this.#begun;
      this.#running += 1;
      try {
        return await store.sweep(now, run);
      } finally {
        this.#running -= 1;
        this.#ended = Math.max(this.#ended, mine);
      }
    },
  });

  /**
   * Moves the clock, and waits for the end of a sweep that began after that, and of every other: one leaves
   * to another broker's what that has in its hands.
   */
  async later(liaison: Pick<Liaison, "clock" | "wake">, seconds: number): Promise<void> {
    liaison.clock.advance(seconds);
    for (const awaited = this.#begun + 1; this.#ended < awaited || this.#running > 0; ) {
      liaison.wake("sweep");
      await pause(20);
    }
  }
}
