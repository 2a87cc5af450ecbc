/** A series of random lifecycles by one seed. */

import fc from "fast-check";
import { LifecycleDeployment } from "./lifecycle-deployment.ts";
import { lifecycle } from "./lifecycle-operations.ts";
import { Lifecycle, type Tally } from "./lifecycle-steps.ts";

/**
 * Runs so many; throws with seed, path and the shortest lifecycle found that fails. Returns what was reached
 * how often.
 */
export async function runLifecycles({ seed, count }: { seed: number; count: number }): Promise<Tally> {
  const tally: Tally = new Map();
  let deployment = await LifecycleDeployment.open();
  let name = 0;
  try {
    await fc.assert(
      fc.asyncProperty(lifecycle, async (operations) => {
        name += 1;
        try {
          const begun = await Lifecycle.begin(deployment, `l${name}`, tally);
          for (const operation of operations) await begun.step(operation);
          await begun.rest();
        } catch (error) {
          // What a failed lifecycle leaves behind would meet the next.
          await deployment.close();
          deployment = await LifecycleDeployment.open();
          throw error;
        }
      }),
      { seed, numRuns: count },
    );
  } finally {
    await deployment.close();
  }
  return tally;
}

/** What any series of some length must have come by, or it proves little. */
export const deepPlaces = [
  "mail link",
  "mail already_linked",
  "mail linked_elsewhere",
  "mail not_active",
  "mail taken",
  "mail refused",
  "mail rejected",
  "redeem bound",
  "redeem wrong_account",
  "redeem unknown",
  ...["used", "cancelled", "superseded", "expired", "email_changed", "not_active", "bound_elsewhere"].map(
    (reason) => `redeem dead ${reason}`,
  ),
  "decline cancelled",
  "decline dead expired",
  "unbind true",
  "unbind false",
];
