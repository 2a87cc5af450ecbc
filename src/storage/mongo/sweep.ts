/**
 * Owns the removal of what has expired. The server does the same by its expiry indexes, a day later and by its own clock;
 * nothing depends on either: every read checks expiry itself.
 */

import type { Collection, Filter } from "mongodb";
import type { Instant } from "../../clock.ts";
import type { MongoDatabase } from "./database.ts";
import { at } from "./documents.ts";

/** How long counts are kept: a little longer than they are shown. */
const KEPT_COUNTS_MS = 40 * 24 * 3_600_000;

/** How many documents go at a time, so that nobody waits long behind them. */
const BATCH = 500;

interface Expiring {
  _id: string;
  expiresAt: Date;
}

/** Removes everything that had expired at `now`; returns how many documents, and rows of sessions, that were. */
export function createSweep(database: MongoDatabase): (now: Instant) => Promise<number> {
  const { upstreamTransactions, signInOutcomes, selections, throttles } = database.collections;
  const { artifacts, sessions, idempotencyKeys, counters } = database.collections;
  const expiring = [
    ...[upstreamTransactions, signInOutcomes, selections, throttles],
    ...[artifacts, sessions, idempotencyKeys],
  ].map((collection) => collection as unknown as Collection<Expiring>);

  const sweepBatch = (collection: Collection<Expiring>, now: Instant) =>
    database.run(async () => {
      const isOver: Filter<Expiring> = { expiresAt: { $lte: at(now) } };
      const found = await collection
        .find(isOver, { projection: { _id: 1 }, sort: { expiresAt: 1 }, limit: BATCH })
        .toArray();
      if (found.length === 0) return 0;
      // What was prolonged meanwhile stays.
      const { deletedCount } = await collection.deleteMany({ _id: { $in: found.map(({ _id }) => _id) }, ...isOver });
      return deletedCount;
    });

  /** Rows that parallel resumes left behind in sessions that go on. */
  const sweepRows = (now: Instant) =>
    database.run(async () => {
      const isOver = { expiresAt: { $lte: at(now) } };
      const { modifiedCount } = await sessions.updateMany(
        { "rows.expiresAt": { $lte: at(now) }, expiresAt: { $gt: at(now) } },
        { $pull: { rows: isOver } },
      );
      return modifiedCount;
    });

  const sweepCounts = (now: Instant) =>
    database.run(async () => (await counters.deleteMany({ hour: { $lt: at(now - KEPT_COUNTS_MS) } })).deletedCount);

  return async (now) => {
    let removed = 0;
    for (const collection of expiring) {
      for (let batch = BATCH; batch > 0; removed += batch) batch = await sweepBatch(collection, now);
    }
    return removed + (await sweepRows(now)) + (await sweepCounts(now));
  };
}
