/** Random lifecycles of links on the real store against a plain model: bindings, mails, deaths and audit after each step. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { deepPlaces, runLifecycles } from "./lifecycle-series.ts";
import { chosenSeed } from "./seed.ts";

const seed = chosenSeed(20_261_123);
const count = 10_000;

it(`agrees with the model of a link's life in ${count} random lifecycles`, async (test) => {
  test.diagnostic(`seed ${seed}`);
  const tally = await runLifecycles({ seed, count });
  for (const [place, times] of [...tally].sort()) test.diagnostic(`${place}: ${times}`);
  for (const place of deepPlaces) assert.ok((tally.get(place) ?? 0) >= 20, `hardly came to: ${place}`);
});
