/** SIGKILL at every call of the journey, before it, within it and after it. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { histogram } from "./kill-histogram.ts";
import { steps } from "./kill-plan.ts";
import { runKillSeries } from "./kill-series.ts";

const seed = 1;
const killsPerStep = 6;
const kills = steps.length * killsPerStep;

it(`loses nothing to ${kills} kills`, async (test) => {
  const results = await runKillSeries({ seed, kills });
  test.diagnostic(`seed ${seed}`);
  for (const line of histogram(results)) test.diagnostic(line);
  for (const step of steps) {
    assert.equal(results.filter(({ kill }) => kill.step === step).length, killsPerStep, step.name);
  }
});
