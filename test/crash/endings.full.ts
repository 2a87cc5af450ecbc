/** Many grants ended at once, the process that removes their rows killed at ten places: a long series. */

import { it } from "node:test";
import { endMany } from "./endings-series.ts";

for (const what of ["client", "organization"] as const) {
  it(`100,000 grants of one ${what} end on two brokers, and go though a remover is killed`, async (test) => {
    const tally = await endMany({ of: what, grants: 100_000, kills: 10, seed: 13, withinMs: 400_000 });
    test.diagnostic(JSON.stringify(tally));
  });
}
