/** Many grants ended at once, the process that removes their rows killed at three places: a short series. */

import { it } from "node:test";
import { endMany } from "./endings-series.ts";

it(
  "1,000 grants of one organization are ended at once on two brokers, and go though their remover is " +
    "killed",
  async (test) => {
    const tally = await endMany({ of: "organization", grants: 1000, kills: 3, seed: 13, withinMs: 60_000 });
    test.diagnostic(JSON.stringify(tally));
  },
);
