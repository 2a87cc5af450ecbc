/**
 * Random lifecycles of links on the real store against a plain model: bindings, mails, deaths and audit after
 * each step.
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import { deepPlaces, runLifecycles } from "./lifecycle-series.ts";
import { chosenSeed } from "./seed.ts";

const seed = chosenSeed(20_261_123);
const count = 10_000;
/**
 * So many series side by side, each on a store of its own: most of a lifecycle waits, for the disk and for
 * workers that rest.
 */
const lanes = 3;

it(`agrees with the model of a link's life in ${count} random lifecycles`, async (test) => {
  test.diagnostic(`seeds ${seed} to ${seed + lanes - 1}`);
  const series = Array.from({ length: lanes }, (_, lane) =>
    runLifecycles({ seed: seed + lane, count: Math.ceil(count / lanes) }),
  );
  const tally = new Map<string, number>();
  for (const one of await Promise.all(series)) {
    for (const [place, times] of one) tally.set(place, (tally.get(place) ?? 0) + times);
  }
  for (const [place, times] of [...tally].sort()) test.diagnostic(`${place}: ${times}`);
  for (const place of deepPlaces) assert.ok((tally.get(place) ?? 0) >= 20, `hardly came to: ${place}`);
});
