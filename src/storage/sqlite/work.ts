/** Workers' leases, hourly counters and the queue of back-channel logouts in SQLite. */

import type { SignOut } from "../../domain/records.ts";
import { countsThrottle, ONE_BATCH } from "../../domain/throttle-keys.ts";
import { integer, text } from "../../sql-columns.ts";
import type { AdminStore } from "../contract.ts";
import type { Database } from "./database.ts";
import { object } from "./json.ts";
import type { ThrottleWriter } from "./throttles.ts";

type Work = Pick<AdminStore, "takeLease" | "addCounts" | "counts" | "claimSignOut" | "settleSignOut">;

const SIGN_OUT_JSON = object<SignOut>({
  id: "id",
  clientId: "client_id",
  accountId: "account_id",
  sid: "sid",
  createdAt: "created_at",
  attempts: "attempts",
});

export function createWork(database: Database, throttles: ThrottleWriter): Work {
  const takeLease = database.prepare(`
    INSERT INTO leases (name, worker, until) VALUES (:name, :worker, :until)
    ON CONFLICT (name) DO UPDATE SET worker = excluded.worker, until = excluded.until
    WHERE worker = excluded.worker OR until <= :now OR until > :furthest`);
  const addCount = database.prepare(`
    INSERT INTO counters (hour, name, count) VALUES (:hour, :name, :count)
    ON CONFLICT (hour, name) DO UPDATE SET count = count + excluded.count`);
  const counts = database.prepare(
    "SELECT name, hour, count FROM counters WHERE hour >= :from AND hour < :to ORDER BY hour, name",
    { name: text, hour: integer, count: integer },
  );
  // A lease moves due_at on, as in the outbox.
  const claim = database.prepare(
    `
    UPDATE sign_outs SET lease_worker = :worker, due_at = :until, attempts = attempts + 1
    WHERE rowid = (SELECT rowid FROM sign_outs WHERE due_at <= :now ORDER BY due_at, rowid LIMIT 1)
    RETURNING ${SIGN_OUT_JSON} AS record`,
    { record: SIGN_OUT_JSON },
  );
  const remove = database.prepare("DELETE FROM sign_outs WHERE id = :id AND lease_worker = :worker");
  const defer = database.prepare(
    "UPDATE sign_outs SET due_at = :at, lease_worker = NULL WHERE id = :id AND lease_worker = :worker",
  );

  return {
    takeLease: (name, worker, now, leaseMs) =>
      database.run(
        () => takeLease.run({ name, worker, now, until: now + leaseMs, furthest: now + 2 * leaseMs }) === 1,
      ),
    addCounts: (added, batchId, now) =>
      database.transaction(() => {
        if (added.length === 0) return;
        if (!throttles.take(throttles.hash(countsThrottle(batchId)), ONE_BATCH, now).taken) return;
        for (const { hour, name, count } of added) addCount.run({ hour, name, count });
      }),
    counts: (from, to) => database.run(() => counts.all({ from, to })),
    claimSignOut: (worker, now, leaseMs) =>
      database.run(() => claim.get({ worker, now, until: now + leaseMs })?.record),
    settleSignOut: (id, worker, nextAttemptAt) =>
      database.run(
        () =>
          (nextAttemptAt === null
            ? remove.run({ id, worker })
            : defer.run({ id, worker, at: nextAttemptAt })) === 1,
      ),
  };
}
