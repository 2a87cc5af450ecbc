/** What workers rest on: named leases, and counts by the hour. */

import { countsThrottle, ONE_BATCH } from "../../domain/throttle-keys.ts";
import { integer, text } from "../../sql-columns.ts";
import type { AdminStore } from "../contract.ts";
import { keyHashOf } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import type { Database } from "./database.ts";
import type { ThrottleWriter } from "./throttles.ts";

type Work = Pick<AdminStore, "takeLease" | "addCounts" | "counts">;

export function createWork(database: Database, throttles: ThrottleWriter, encryption: FieldEncryption): Work {
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
  return {
    takeLease: (name, worker, now, leaseMs) =>
      database.run(
        () => takeLease.run({ name, worker, now, until: now + leaseMs, furthest: now + 2 * leaseMs }) === 1,
      ),
    addCounts: (added, batchId, now) =>
      database.transaction(() => {
        if (added.length === 0) return;
        if (!throttles.take(keyHashOf(encryption)(countsThrottle(batchId)), ONE_BATCH, now).taken) return;
        for (const { hour, name, count } of added) addCount.run({ hour, name, count });
      }),
    counts: (from, to) => database.run(() => counts.all({ from, to })),
  };
}
