/** A sample of the kills of kill-series.full.ts: one at each call that a mailed link's life hangs on. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { histogram } from "./kill-histogram.ts";
import { steps } from "./kill-plan.ts";
import { runKillSeries } from "./kill-series.ts";

const seed = 20_250_101;
const kills = steps.filter(({ isCore }) => isCore).length;

it(`loses nothing to ${kills} kills (D2)`, async (test) => {
  const results = await runKillSeries({ seed, kills });
  test.diagnostic(`seed ${seed}`);
  for (const line of histogram(results)) test.diagnostic(line);
  assert.equal(results.length, kills);
});
