/**
 * Hostile requests to every address there is, from every stage of a journey: no 500, no stack trace, no echo,
 * nothing done.
 */

import { it } from "node:test";
import { runFuzz } from "./fuzz-series.ts";
import { chosenSeed } from "./seed.ts";

const seed = chosenSeed(639_771_257);
const count = 200_000;

it(`answers ${count} hostile requests without a 500, a stack trace or an echo`, async (test) => {
  test.diagnostic(`seed ${seed}`);
  const { statuses, routes } = await runFuzz({ seed, count });
  test.diagnostic(`${routes} routes; ${JSON.stringify(Object.fromEntries([...statuses].sort()))}`);
});
