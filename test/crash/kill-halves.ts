/**
 * The whole series of kills in two halves, each a test file of its own: the longest of all tests is as long
 * as it is otherwise.
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import { histogram } from "./kill-histogram.ts";
import { everyKill, planKills, steps } from "./kill-plan.ts";
import { runKillSeries } from "./kill-series.ts";

const seed = 1;
const kills = Math.max(500, everyKill);

/** Makes every other kill, from the first or the second on. */
export function killHalf(index: 0 | 1): void {
  const share = { index, of: 2 };
  it(`loses nothing to ${kills} kills, half ${index + 1} of 2`, async (test) => {
    const results = await runKillSeries({ seed, kills, share });
    test.diagnostic(`seed ${seed}`);
    for (const line of histogram(results)) test.diagnostic(line);
    const planned = planKills({ seed, kills });
    assert.equal(
      results.length,
      index === 0 ? Math.ceil(planned.length / 2) : Math.floor(planned.length / 2),
    );
    for (const step of steps) {
      assert.ok(planned.filter((kill) => kill.step === step).length >= 5, step.name);
      assert.ok(
        results.some(({ kill }) => kill.step === step),
        step.name,
      );
    }
  });
}
