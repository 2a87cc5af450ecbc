/**
 * Many grants ended at once on MongoDB, the process that removes them killed: MONGO_GRANTS=100000
 * MONGO_KILLS=10 for a long series.
 */

import { it } from "node:test";
import { startReplicaSet } from "../support/replica-set.ts";
import { endMany } from "./endings-series.ts";

const grants = Number(process.env["MONGO_GRANTS"] ?? 3000);
const kills = Number(process.env["MONGO_KILLS"] ?? 3);

for (const what of ["client", "organization"] as const) {
  it(
    `${grants} grants of one ${what} are ended at once on two brokers, and go though their remover is ` +
      "killed",
    async (test) => {
      const set = await startReplicaSet({ transactionLifetimeSeconds: 2 });
      try {
        const tally = await endMany({
          of: what,
          grants,
          kills,
          seed: 13,
          withinMs: 600_000,
          mongodb: set.url,
        });
        test.diagnostic(JSON.stringify(tally));
      } finally {
        await set.close();
      }
    },
  );
}
