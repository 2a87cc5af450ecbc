/** Workers' leases, hourly counters and the queue of back-channel logouts in MongoDB. */

import { countsThrottle, ONE_BATCH } from "../../domain/throttle-keys.ts";
import type { AdminStore, Count } from "../contract.ts";
import { keyHashOf } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { isDuplicate, type MongoDatabase } from "./database.ts";
import { at } from "./documents.ts";
import type { ThrottleWriter } from "./throttles.ts";

type Work = Pick<AdminStore, "takeLease" | "addCounts" | "counts">;

export function createWork(
  database: MongoDatabase,
  throttles: ThrottleWriter,
  encryption: FieldEncryption,
): Work {
  const { leases, counters } = database.collections;

  return {
    takeLease: (name, worker, now, leaseMs) =>
      database.run(async () => {
        try {
          await leases.updateOne(
            {
              _id: name,
              $or: [{ worker }, { until: { $lte: at(now) } }, { until: { $gt: at(now + 2 * leaseMs) } }],
            },
            { $set: { worker, until: at(now + leaseMs) } },
            { upsert: true },
          );
          return true;
        } catch (error) {
          // Another holds it: there is one of that name, and it isn't to be had.
          if (isDuplicate(error)) return false;
          throw error;
        }
      }),

    // An answer that was lost leaves open whether it was added: the batch's slot is taken with it, or neither
    // is.
    addCounts: (added, batchId, now) =>
      database.transaction(async (session) => {
        if (added.length === 0) return;
        const { taken } = await throttles.take(
          keyHashOf(encryption)(countsThrottle(batchId)),
          ONE_BATCH,
          now,
          session,
        );
        if (!taken) return;
        for (const { name, hour, count } of added) {
          const change = { $inc: { count }, $setOnInsert: { name, hour: at(hour) } };
          await counters.updateOne({ _id: `${hour}:${name}` }, change, { session, upsert: true });
        }
      }),

    counts: (from, to) =>
      database.run(async () => {
        const found = await counters.find({ hour: { $gte: at(from), $lt: at(to) } }).toArray();
        return found
          .map(({ name, hour, count }): Count => ({ name, hour: hour.getTime(), count }))
          .toSorted((one, other) => one.hour - other.hour || (one.name < other.name ? -1 : 1));
      }),
  };
}
