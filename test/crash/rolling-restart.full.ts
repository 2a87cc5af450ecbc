/** The long series of rolling-restart.test.ts. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { rollBrokers } from "./rolling-restart.ts";

it("two brokers are replaced ten times each under load: no request fails", async (test) => {
  const { failures, ends, ...tally } = await rollBrokers({ rounds: 10, clients: 40, drainSeconds: 1 });
  test.diagnostic(JSON.stringify(tally));
  assert.deepEqual(failures, []);
  assert.deepEqual(new Set(ends), new Set(["0"]));
});
