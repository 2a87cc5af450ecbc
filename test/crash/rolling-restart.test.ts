/** Two broker processes, replaced one after the other under load: no request fails. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { rollBrokers } from "./rolling-restart.ts";

it("two brokers are told to end, one after the other, under load: no request fails", async (test) => {
  const { failures, ends, ...tally } = await rollBrokers({ rounds: 1, clients: 12, drainSeconds: 1 });
  test.diagnostic(JSON.stringify(tally));
  assert.deepEqual(failures, []);
  assert.deepEqual(ends, ["0", "0"]);
  assert.ok(tally.requests > 500, `${tally.requests} requests`);
  assert.ok(tally.longestEndMs < 12_000, `${tally.longestEndMs} ms`);
});
