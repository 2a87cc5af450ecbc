/**
 * Removes what has expired; its caller gives a time that lies back (`sweepSlackMs`). The server does the same
 * by its expiry indexes, a day later and by its own clock, for a database that no broker serves; nothing
 * depends on either: every read checks expiry itself.
 */

import type { Collection, Filter } from "mongodb";
import type { Instant } from "../../clock.ts";
import { Pace } from "../../pace.ts";
import type { Store } from "../contract.ts";
import { COUNTS_RETENTION_MS, sweepSelections } from "../intentions/sweep.ts";
import { type MongoDatabase, TURN_MS } from "./database.ts";
import { at } from "./documents.ts";
import type { MongoEngine } from "./engine.ts";

/** How many documents go at a time, so that nobody waits long behind them. */
const BATCH = { least: 50, most: 500, turnMs: TURN_MS };

/** Removes up to so many documents; returns how many. */
type SweepOne = (limit: number) => Promise<number>;

interface Expiring {
  _id: string;
  expiresAt: Date;
}

/** Of sessions, whose rows are removed, too, it counts both. */
export function createSweep(database: MongoDatabase, engine: MongoEngine): Store["sweep"] {
  const { upstreamTransactions, signInOutcomes, throttles, mailboxes } = database.collections;
  const { artifacts, sessions, idempotencyKeys, counters } = database.collections;
  const expiring = [
    upstreamTransactions,
    signInOutcomes,
    throttles,
    mailboxes,
    artifacts,
    sessions,
    idempotencyKeys,
  ].map((collection) => collection as unknown as Collection<Expiring>);

  const sweepBatch = (collection: Collection<Expiring>, now: Instant, limit: number) =>
    database.run(async () => {
      const isOver: Filter<Expiring> = { expiresAt: { $lte: at(now) } };
      const found = await collection
        .find(isOver, { projection: { _id: 1 }, sort: { expiresAt: 1 }, limit })
        .toArray();
      if (found.length === 0) return 0;
      // What was prolonged meanwhile stays.
      const { deletedCount } = await collection.deleteMany({
        _id: { $in: found.map(({ _id }) => _id) },
        ...isOver,
      });
      return deletedCount;
    });

  /** Rows that parallel resumes left behind in sessions that go on. */
  const sweepRows = (now: Instant, limit: number) =>
    database.run(async () => {
      const isOver = { expiresAt: { $lte: at(now) } };
      const isLeftOver = { "rows.expiresAt": { $lte: at(now) }, expiresAt: { $gt: at(now) } };
      const options = { projection: { _id: 1 }, sort: { "rows.expiresAt": 1 }, limit } as const;
      const ids = (await sessions.find(isLeftOver, options).toArray()).map(({ _id }) => _id);
      if (ids.length === 0) return 0;
      const { modifiedCount } = await sessions.updateMany({ _id: { $in: ids } }, { $pull: { rows: isOver } });
      return modifiedCount;
    });

  const sweepCounts = (now: Instant, limit: number) =>
    database.run(async () => {
      const isOld = { hour: { $lt: at(now - COUNTS_RETENTION_MS) } };
      const found = await counters
        .find(isOld, { projection: { _id: 1 }, sort: { hour: 1 }, limit })
        .toArray();
      if (found.length === 0) return 0;
      return (await counters.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } })).deletedCount;
    });

  return async (now, run) => {
    const sweeps: readonly SweepOne[] = [
      (limit) => sweepSelections(engine, now, limit),
      ...expiring.map(
        (one): SweepOne =>
          (limit) =>
            sweepBatch(one, now, limit),
      ),
      (limit) => sweepRows(now, limit),
      (limit) => sweepCounts(now, limit),
    ];
    let removed = 0;
    for (const sweep of sweeps) {
      removed += await new Pace(BATCH).turns(async (size) => {
        const done = await sweep(size);
        // Another broker's sweep may have had some of them: until nothing is found.
        return { done, isLast: done === 0 };
      }, run);
    }
    return removed;
  };
}
