/**
 * The queue in MongoDB of endings whose rows are still there: claimed under a lease, removed part by part.
 */

import { endingOf, isCountPermanent } from "../../domain/endings.ts";
import type { AdminStore } from "../contract.ts";
import type { MongoDatabase } from "./database.ts";
import { at } from "./documents.ts";
import type { Revoker } from "./revoker.ts";

export function createEndedRows(
  database: MongoDatabase,
  revoker: Pick<Revoker, "removePart">,
): Pick<AdminStore, "claimEnding" | "removeEnded"> {
  const { endings } = database.collections;

  return {
    claimEnding: (worker, now, leaseMs) =>
      database.run(async () => {
        // A lease moves dueAt on, as in the outbox.
        const claimed = await endings.findOneAndUpdate(
          { dueAt: { $gt: at(0), $lte: at(now) } },
          { $set: { leaseWorker: worker, dueAt: at(now + leaseMs) } },
          { sort: { dueAt: 1 }, projection: { _id: 1 } },
        );
        return claimed === null ? undefined : { key: claimed._id };
      }),

    // Whoever claims it, or ends the same anew meanwhile, writes it, too, so that one of the two is run
    // again.
    removeEnded: (key, worker, { most, now, leaseMs }) =>
      database.transaction(async (session) => {
        const leased = await endings.findOne({ _id: key, leaseWorker: worker }, { session });
        if (leased === null) return { result: "lost" };
        const ending = endingOf(key);
        const part = { after: leased.place, most, endedAt: leased.endedAt.getTime(), now };
        const { grants, next } = await revoker.removePart(session, ending, part);
        if (next === null && !isCountPermanent(ending)) {
          await endings.deleteOne({ _id: key }, { session });
          return { result: "done", grants };
        }
        const $set =
          next === null
            ? { place: "", dueAt: null, leaseWorker: null }
            : { place: next, dueAt: at(now + leaseMs), leaseWorker: worker };
        await endings.updateOne({ _id: key }, { $set }, { session });
        return { result: next === null ? "done" : "more", grants };
      }),
  };
}
