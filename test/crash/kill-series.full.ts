/** SIGKILL at every call of the journey, before it, within it and after it. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { histogram } from "./kill-histogram.ts";
import { everyKill, steps } from "./kill-plan.ts";
import { runKillSeries } from "./kill-series.ts";

const seed = 1;

const kills = Math.max(500, everyKill);
/** One more than the short series has: half of a kill's time is waiting for timers, processes and disks. */
const lanes = 3;

it(`loses nothing to ${kills} kills`, async (test) => {
  const results = await runKillSeries({ seed, kills, lanes });
  test.diagnostic(`seed ${seed}`);
  for (const line of histogram(results)) test.diagnostic(line);
  for (const step of steps) {
    assert.ok(results.filter(({ kill }) => kill.step === step).length >= 5, step.name);
  }
});
