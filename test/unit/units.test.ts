/**
 * That seconds aren't taken for milliseconds, nor a duration for an instant: where they are handed on, by
 * types, each marked statement is an error of tsc, and `npm run check` fails where one of them is none any
 * more. In a sum, which is a number to tsc, they are found by lint/units.grit: see boundaries.test.ts.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Clock, Instant, Milliseconds, Seconds } from "../../src/clock.ts";
import { isWithin } from "../../src/clock.ts";
import type { Config } from "../../src/config/schema.ts";
import type { LinkRequest } from "../../src/domain/records.ts";
import type { Store } from "../../src/storage/contract.ts";

/** Never run: seams as they must not be used. */
export async function acrossSeams(config: Config, store: Store, clock: Clock): Promise<unknown[]> {
  const lifetime: Seconds = config.linking.link_lifetime_seconds;
  const lease: Milliseconds = 60_000;
  const now: Instant = clock.now();
  // @ts-expect-error seconds of the configuration for milliseconds
  const milliseconds: Milliseconds = config.sessions.absolute_seconds;
  // @ts-expect-error milliseconds for seconds
  const seconds: Seconds = lease;
  // @ts-expect-error a duration for an instant
  const at: Instant = lease;
  // @ts-expect-error an instant for a duration
  const left: Milliseconds = now;
  // @ts-expect-error a function that takes milliseconds
  isWithin(now, now, lifetime);
  // @ts-expect-error a record's field
  const request: Pick<LinkRequest, "expiresAt"> = { expiresAt: lifetime };
  // @ts-expect-error a store's lease
  await store.outbox.lease("worker", now, lifetime, lease);
  return [milliseconds, seconds, at, left, request];
}

describe("units", () => {
  it("are told apart by types alone: at run time they are numbers", () => {
    const [since, lease]: [Instant, Milliseconds] = [1_000, 60_000];
    assert.equal(isWithin(since + lease - 1, since, lease), true);
    assert.equal(isWithin(since + lease, since, lease), false);
    assert.equal(isWithin(since - 1, since, lease), false);
  });
});
