/** What a load driver knows by itself, so that the database's word can be held against it. */

import assert from "node:assert/strict";

export type Operation = "sign-in" | "redemption" | "refresh";

const operations = ["sign-in", "redemption", "refresh"] as const;

/** How long a request may take before it answers, in milliseconds. */
export const promptMs = 5000;

export class Ledger {
  /** Operations that ended as they should. */
  readonly done: Record<Operation, number> = { "sign-in": 0, redemption: 0, refresh: 0 };
  readonly inFlight: Record<Operation, number> = { "sign-in": 0, redemption: 0, refresh: 0 };
  /** People whom the broker told that their profile is linked. */
  readonly toldLinked = new Set<number>();
  /** Requests of the broker, those answered 503, and the slowest of all. */
  requests = 0;
  unavailable = 0;
  slowestMs = 0;
  /** What went on in another way after a 503: allowed for these alone. */
  readonly begunAnew = { callback: 0, code: 0, refresh: 0 };
  readonly #redeemed = new Map<string, number>();

  /** Runs one operation, in flight meanwhile. */
  async during<T>(operation: Operation, work: () => Promise<T>): Promise<T> {
    this.inFlight[operation] += 1;
    try {
      const result = await work();
      this.done[operation] += 1;
      return result;
    } finally {
      this.inFlight[operation] -= 1;
    }
  }

  /** Whether something of everything is in flight. */
  get isBusy(): boolean {
    return operations.every((operation) => this.inFlight[operation] > 0);
  }

  /** Notes how a request of the broker was answered, and how long that took. */
  answered(status: number, tookMs: number, what: string): void {
    this.requests += 1;
    this.slowestMs = Math.max(this.slowestMs, tookMs);
    if (status === 503) this.unavailable += 1;
    assert.ok(status < 500 || status === 503, `${what} answered ${status}`);
    assert.ok(tookMs <= promptMs, `${what} took ${Math.round(tookMs)} ms`);
  }

  /** Notes that a code or refresh token was exchanged for tokens. */
  exchanged(credential: string): void {
    const times = (this.#redeemed.get(credential) ?? 0) + 1;
    this.#redeemed.set(credential, times);
    assert.equal(times, 1, "a code or refresh token was redeemed twice");
  }

  toJSON(): object {
    const { requests, unavailable, slowestMs, done, begunAnew } = this;
    return {
      requests,
      unavailable,
      slowestMs: Math.round(slowestMs),
      done,
      begunAnew,
      tokens: this.#redeemed.size,
    };
  }
}
