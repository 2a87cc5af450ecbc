/** A sample of the hostile requests of fuzz.full.ts. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { runFuzz } from "./fuzz-series.ts";

const seed = 20_260_314;
const count = 3000;

it(`answers ${count} hostile requests without a 500, a stack trace or an echo`, async (test) => {
  test.diagnostic(`seed ${seed}`);
  const { statuses, routes } = await runFuzz({ seed, count });
  test.diagnostic(`${routes} routes; ${JSON.stringify(Object.fromEntries([...statuses].sort()))}`);
  // Requests that get nowhere prove nothing.
  for (const status of ["200", "303", "400", "403", "404"])
    assert.ok((statuses.get(status) ?? 0) > 20, status);
});
