/**
 * Removes what has expired, in short turns. Nothing depends on it: every read checks expiry itself. Its
 * caller gives a time that lies back, by `sweepSlackMs` of background/background.ts.
 */

import type { Instant } from "../../clock.ts";
import { Pace, type PaceOptions } from "../../pace.ts";
import type { Store } from "../contract.ts";
import type { Table } from "../fields.ts";
import { call, type Engine, first, list, remove } from "../steps.ts";
import {
  counters,
  idempotencyKeys,
  mailboxes,
  selections,
  signInOutcomes,
  throttles,
  upstreamTransactions,
} from "../tables.ts";
import { succeed } from "./revoking.ts";

/** How long counts are kept: a little longer than they are shown. */
const COUNTS_RETENTION_MS = 40 * 24 * 3_600_000;

interface Expiring {
  expiresAt: Instant;
}

/** What goes by itself when it has expired. */
const EXPIRING = [
  upstreamTransactions,
  signInOutcomes,
  throttles,
  mailboxes,
  idempotencyKeys,
] as readonly unknown[] as readonly Table<Expiring>[];

/** Removes up to so many; returns how many. */
type SweepOne = (limit: number) => Promise<number>;

export interface SweepParts {
  engine: Engine;
  shortLived: Engine;
  /** How much goes at a time, so that nobody waits long behind it. */
  pace: PaceOptions;
}

export function createSweep({ engine, shortLived, pace }: SweepParts): Store["sweep"] {
  return async (now, run) => {
    const isOver = { expiresAt: { lte: now } };
    const isOld = { hour: { lt: now - COUNTS_RETENTION_MS } };
    const sweeps: readonly SweepOne[] = [
      (limit) => sweepSelections(engine, now, limit),
      (limit) => shortLived.run(() => call("removeExpiredArtifacts", now, limit)),
      ...EXPIRING.map(
        (table): SweepOne =>
          (limit) =>
            shortLived.run(() => remove(table, isOver, limit)),
      ),
      (limit) => shortLived.run(() => remove(counters, isOld, limit)),
    ];
    let removed = 0;
    for (const sweep of sweeps) {
      removed += await new Pace(pace).turns(async (size) => {
        const done = await sweep(size);
        // Another broker's sweep may have had some of them: until nothing is found.
        return { done, isLast: done === 0 };
      }, run);
    }
    return removed;
  };
}

/**
 * In a transaction only where something succeeds them, for sweeps of several brokers would get in each
 * other's way.
 */
async function sweepSelections(engine: Engine, now: Instant, limit: number): Promise<number> {
  const isOver = { expiresAt: { lte: now } };
  const found = await engine.run(() => list(selections, isOver, { order: ["expiresAt"], limit }));
  if (found.length === 0) return 0;
  const gone = found.map(({ grantId }) => grantId);
  const going = { grantId: { in: gone } };
  const replaced = await engine.run(() => first(selections, { replacedBy: { in: gone } }));
  if (replaced === undefined) return await engine.run(() => remove(selections, going));
  return await engine.transaction(function* () {
    const removed = yield* remove(selections, going);
    yield* succeed(gone);
    return removed;
  });
}
