/**
 * Owns the removal of what has expired. The server does the same by its expiry indexes, a day later and by its own clock;
 * nothing depends on either: every read checks expiry itself.
 */

import type { ClientSession, Collection, Filter } from "mongodb";
import type { Instant } from "../../clock.ts";
import type { MongoDatabase } from "./database.ts";
import { at } from "./documents.ts";
import { succeed } from "./succession.ts";

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
    ...[upstreamTransactions, signInOutcomes, throttles],
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

  /** In a transaction only where something succeeds them, for sweeps of several brokers would get in each other's way. */
  const sweepSelections = async (now: Instant) => {
    const isOver = { expiresAt: { $lte: at(now) } };
    const options = { projection: { _id: 1 }, sort: { expiresAt: 1 }, limit: BATCH } as const;
    const found = await database.run(() => selections.find(isOver, options).toArray());
    if (found.length === 0) return 0;
    const gone = found.map(({ _id }) => _id);
    const remove = async (session?: ClientSession) =>
      (await selections.deleteMany({ _id: { $in: gone } }, session === undefined ? {} : { session })).deletedCount;
    const replaced = await database.run(() => selections.findOne({ replacedBy: { $in: gone } }));
    if (replaced === null) return await database.run(() => remove());
    return await database.transaction(async (session) => {
      const removed = await remove(session);
      await succeed(database.collections, session, gone);
      return removed;
    });
  };

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
    const sweeps = [() => sweepSelections(now), ...expiring.map((one) => () => sweepBatch(one, now))];
    for (const sweep of sweeps) {
      for (let batch = BATCH; batch > 0; removed += batch) batch = await sweep();
    }
    return removed + (await sweepRows(now)) + (await sweepCounts(now));
  };
}
