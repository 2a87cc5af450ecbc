/**
 * The kill series on MongoDB: what a dead broker leaves in the middle of a transaction ends with the
 * transaction's time.
 */

import { it } from "node:test";
import { startReplicaSet } from "../support/replica-set.ts";
import { histogram } from "./kill-histogram.ts";
import { runKillSeries } from "./kill-series.ts";

const seed = 2;
/** Each takes seconds: MONGO_KILLS=500 for a whole series. */
const kills = Number(process.env["MONGO_KILLS"] ?? 40);

it(`loses nothing to ${kills} kills on a replica set`, async (test) => {
  const set = await startReplicaSet({ transactionLifetimeSeconds: 2 });
  try {
    const results = await runKillSeries({ seed, kills, mongodb: set.url });
    test.diagnostic(`seed ${seed}`);
    for (const line of histogram(results)) test.diagnostic(line);
  } finally {
    await set.close();
  }
});
