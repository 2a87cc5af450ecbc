/**
 * Removes what has expired. Nothing depends on it: every read checks expiry itself. Its caller gives a time
 * that lies back, by `sweepSlackMs` of background/background.ts.
 */

import type { Instant } from "../../clock.ts";
import { Pace } from "../../pace.ts";
import { nullable, text } from "../../sql-columns.ts";
import type { Store } from "../contract.ts";
import { COUNTS_RETENTION_MS, sweepSelections } from "../intentions/sweep.ts";
import type { Database } from "./database.ts";
import type { SqliteEngine } from "./engine.ts";

/** How many rows go in one transaction, so that nobody waits long for the write lock. */
const BATCH = { least: 20, most: 500 };

/** Removes up to so many rows that had expired at `now`; returns how many rows that were. */
type SweepOne = (now: Instant, limit: number) => number;

export function createSweep(database: Database, engine: SqliteEngine): Store["sweep"] {
  const expired = (table: string) => `
    DELETE FROM ${table} WHERE rowid IN (
      SELECT rowid FROM ${table} WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit)`;
  const plain = [
    "upstream_transactions",
    "sign_in_outcomes",
    "throttles",
    "mailboxes",
    "idempotency_keys",
  ].map((table) => database.prepare(expired(table)));
  const artifacts = database.prepare(`${expired("artifacts")} RETURNING session_uid`, {
    session_uid: nullable(text),
  });
  const counters = database.prepare(`
    DELETE FROM counters WHERE (hour, name) IN (
      SELECT hour, name FROM counters WHERE hour < :until ORDER BY hour, name LIMIT :limit)`);
  // A session's clients end with the last of its rows.
  const orphans = database.prepare(`
    DELETE FROM session_clients WHERE session_uid = :uid
      AND NOT EXISTS (SELECT 1 FROM artifacts WHERE session_uid = :uid)`);

  const sweepArtifacts: SweepOne = (now, limit) => {
    const rows = artifacts.all({ now, limit });
    const uids = new Set(rows.map((row) => row.session_uid));
    for (const uid of uids) if (uid !== null) orphans.run({ uid });
    return rows.length;
  };

  const sweepCounters: SweepOne = (now, limit) => counters.run({ until: now - COUNTS_RETENTION_MS, limit });

  const sweeps: readonly SweepOne[] = [
    sweepArtifacts,
    ...plain.map(
      (statement): SweepOne =>
        (now, limit) =>
          statement.run({ now, limit }),
    ),
    sweepCounters,
  ];

  return async (now, run) => {
    let removed = await new Pace(BATCH).turns(async (size) => {
      const done = await sweepSelections(engine, now, size);
      return { done, isLast: done < size };
    }, run);
    for (const sweep of sweeps) {
      removed += await new Pace(BATCH).turns(async (size) => {
        const done = await database.transaction(() => sweep(now, size));
        return { done, isLast: done < size };
      }, run);
    }
    return removed;
  };
}
