/** A sample of the random lifecycles of lifecycle.full.ts. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { deepPlaces, runLifecycles } from "./lifecycle-series.ts";

const seed = 20_260_314;
const count = 300;

it(`agrees with the model of a link's life in ${count} random lifecycles`, async (test) => {
  test.diagnostic(`seed ${seed}`);
  const tally = await runLifecycles({ seed, count });
  for (const [place, times] of [...tally].sort()) test.diagnostic(`${place}: ${times}`);
  for (const place of deepPlaces) assert.ok((tally.get(place) ?? 0) > 0, `never came to: ${place}`);
});
