/** Workers' leases, hourly counters and the queue of back-channel logouts in MongoDB. */

import type { SignOut } from "../../domain/records.ts";
import { countsThrottle, ONE_BATCH } from "../../domain/throttle-keys.ts";
import type { AdminStore, Count } from "../contract.ts";
import { isDuplicate, type MongoDatabase } from "./database.ts";
import { at, toRecord } from "./documents.ts";
import type { ThrottleWriter } from "./throttles.ts";

type Work = Pick<AdminStore, "takeLease" | "addCounts" | "counts" | "claimSignOut" | "settleSignOut">;

export function createWork(database: MongoDatabase, throttles: ThrottleWriter): Work {
  const { leases, counters, signOuts } = database.collections;

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
          throttles.hash(countsThrottle(batchId)),
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

    claimSignOut: (worker, now, leaseMs) =>
      database.run(async () => {
        // A lease moves dueAt on, as in the outbox.
        const claimed = await signOuts.findOneAndUpdate(
          { dueAt: { $lte: at(now) } },
          { $set: { leaseWorker: worker, dueAt: at(now + leaseMs) }, $inc: { attempts: 1 } },
          { sort: { dueAt: 1, seq: 1 }, returnDocument: "after" },
        );
        return claimed === null ? undefined : toRecord<SignOut>(claimed, "dueAt", "leaseWorker", "seq");
      }),

    settleSignOut: (id, worker, nextAttemptAt) =>
      database.run(async () => {
        const leased = { _id: id, leaseWorker: worker };
        if (nextAttemptAt === null) return (await signOuts.deleteOne(leased)).deletedCount === 1;
        const again = { $set: { dueAt: at(nextAttemptAt), leaseWorker: null } };
        return (await signOuts.updateOne(leased, again)).matchedCount === 1;
      }),
  };
}
