/**
 * Watches the background's workers through the store that they are given: whether they have done all that was
 * due.
 */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { LinkStore, OutboxStore, Store } from "../../src/storage/contract.ts";

const longestMs = 60_000;
const lookAgainMs = 5;

export class WorkerWatch {
  /** Of the wakings that were waited for: the last, and the last after which nothing was found to be due. */
  #woken = 0;
  #idle = 0;
  /** Inquiries that a worker has claimed. */
  #claimed = 0;
  /** Calls of the outbox since the last waking, and those under way. */
  #asked = 0;
  #asking = 0;

  /** For `LiaisonOptions.decorate`. */
  decorate(store: Store): Store {
    return { ...store, links: this.#watchedLinks(store.links), outbox: this.#watchedOutbox(store.outbox) };
  }

  /** Resolves when a worker that was woken since has found no more inquiries due, and none is claimed. */
  async inquiriesLookedAt(wake: () => void): Promise<void> {
    this.#woken += 1;
    await untilDone("inquiries", wake, async () => this.#idle === this.#woken && this.#claimed === 0);
  }

  /** Resolves when nothing is left that can be sent now. `store` is a bare one. */
  async mailsSent(store: Store, wake: () => void): Promise<void> {
    this.#asked = 0;
    let calm = 0;
    await untilDone("mails", wake, async () => {
      const isCalm = this.#asked > 0 && this.#asking === 0 && (await store.outbox.nextDueAt()) === undefined;
      calm = isCalm ? calm + 1 : 0;
      return calm === 3;
    });
  }

  #watchedLinks(links: LinkStore): LinkStore {
    return {
      ...links,
      claimInquiry: async (...parameters) => {
        const woken = this.#woken;
        const found = await links.claimInquiry(...parameters);
        if (found === undefined) this.#idle = woken;
        else this.#claimed += 1;
        return found;
      },
      settleInquiry: async (...parameters) => {
        try {
          return await links.settleInquiry(...parameters);
        } finally {
          this.#claimed -= 1;
        }
      },
    };
  }

  #watchedOutbox(outbox: OutboxStore): OutboxStore {
    return new Proxy(outbox, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return async (...parameters: unknown[]) => {
          this.#asked += 1;
          this.#asking += 1;
          try {
            return await value.apply(target, parameters);
          } finally {
            this.#asking -= 1;
          }
        };
      },
    });
  }
}

async function untilDone(what: string, wake: () => void, isDone: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + longestMs;
  wake();
  for (let look = 1; !(await isDone()); look += 1) {
    assert.ok(performance.now() < deadline, `the workers aren't done with the ${what}`);
    await pause(lookAgainMs);
    // A run takes so many and leaves the others to the next, which this one doesn't wait for.
    if (look % 10 === 0) wake();
  }
}
