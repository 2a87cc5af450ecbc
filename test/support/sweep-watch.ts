/** Watches the sweep of what is over, which the application's background does, so that a test can wait for it. */

import { setTimeout as pause } from "node:timers/promises";
import type { Store } from "../../src/storage/contract.ts";
import type { Liaison } from "./liaison.ts";

export class SweepWatch {
  #begun = 0;
  /** The last that ended, by the order in which they began. */
  #ended = 0;

  readonly decorate = (store: Store): Store => ({
    ...store,
    sweep: async (now, run) => {
      this.#begun += 1;
      const mine = this.#begun;
      const removed = await store.sweep(now, run);
      this.#ended = Math.max(this.#ended, mine);
      return removed;
    },
  });

  /** Moves the clock, and waits for the end of a sweep that began after that. */
  async later(liaison: Pick<Liaison, "clock" | "wake">, seconds: number): Promise<void> {
    liaison.clock.advance(seconds);
    for (const awaited = this.#begun + 1; this.#ended < awaited; ) {
      liaison.wake("sweep");
      await pause(20);
    }
  }
}
