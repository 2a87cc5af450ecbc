/** Owns the removal of what has expired. Nothing depends on it: every read checks expiry itself. */

import { setImmediate } from "node:timers/promises";
import type { Instant } from "../../clock.ts";
import type { Database } from "./database.ts";
import { createSuccession, toGone } from "./succession.ts";

/** How many rows go in one transaction, so that nobody waits long for the write lock. */
const BATCH = 200;

/** How long counts are kept: a little longer than they are shown. */
const KEPT_COUNTS_MS = 40 * 24 * 3_600_000;

/** Removes everything that had expired at `now`; returns how many rows that were. */
export type Sweep = (now: Instant) => Promise<number>;

export function createSweep(database: Database): Sweep {
  const expiring = ["upstream_transactions", "sign_in_outcomes", "throttles", "idempotency_keys"].map((table) =>
    database.prepare(`
      DELETE FROM ${table} WHERE rowid IN (
        SELECT rowid FROM ${table} WHERE expires_at <= :now ORDER BY expires_at LIMIT ${BATCH})`),
  );
  const artifacts = database.prepare(`
    DELETE FROM artifacts WHERE rowid IN (
      SELECT rowid FROM artifacts WHERE expires_at <= :now ORDER BY expires_at LIMIT ${BATCH})
    RETURNING session_uid`);
  const selections = database.prepare(`
    DELETE FROM selections WHERE rowid IN (
      SELECT rowid FROM selections WHERE expires_at <= :now ORDER BY expires_at LIMIT ${BATCH})
    RETURNING grant_id, session_uid, client_id`);
  const succeed = createSuccession(database);
  const counters = database.prepare("DELETE FROM counters WHERE hour < :until");
  // A session's clients end with the last of its rows.
  const orphans = database.prepare(`
    DELETE FROM session_clients WHERE session_uid = :uid
      AND NOT EXISTS (SELECT 1 FROM artifacts WHERE session_uid = :uid)`);

  const sweepArtifacts = (now: Instant) => {
    const rows = artifacts.all({ now });
    const uids = new Set(rows.map((row) => row["session_uid"]));
    for (const uid of uids) if (typeof uid === "string") orphans.run({ uid });
    return rows.length;
  };

  const sweepSelections = (now: Instant) => {
    const gone = selections.all({ now }).map(toGone);
    succeed(gone);
    return gone.length;
  };

  return async (now) => {
    let removed = 0;
    const sweeps = [sweepArtifacts, sweepSelections, ...expiring.map((statement) => () => statement.run({ now }))];
    for (const sweep of sweeps) {
      for (;;) {
        const batch = await database.transaction(() => sweep(now));
        removed += batch;
        if (batch < BATCH) break;
        await setImmediate();
      }
    }
    return removed + (await database.run(() => counters.run({ until: now - KEPT_COUNTS_MS })));
  };
}
