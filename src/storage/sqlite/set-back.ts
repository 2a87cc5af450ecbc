/**
 * Correction of waits in SQLite after the clock was set back. Throttles and named leases see to it by
 * themselves.
 */

import { setImmediate } from "node:timers/promises";
import type { Instant } from "../../clock.ts";
import type { AdminStore } from "../contract.ts";
import { LONGEST_LEASE_MS, LONGEST_WAIT_MS, SKEW_MS } from "../set-back.ts";
import type { Database } from "./database.ts";

/** How many rows are moved in a transaction: others write between two. */
const BATCH = 100;

export function createSetBack(database: Database): Pick<AdminStore, "boundWaits"> {
  /** Moves rows, each of which is then none of those any more. */
  const move = (table: string, change: string, condition: string) => {
    const from = table.split(" ")[0];
    return database.prepare(`
      UPDATE ${from} SET ${change}
      WHERE rowid IN (SELECT rowid FROM ${table} WHERE ${condition} LIMIT ${BATCH})`);
  };
  const inquiries = "inquiries INDEXED BY inquiries_due";
  const mails = (["queued", "held"] as const).map((state) => ({
    table: `outbox INDEXED BY outbox_${state}`,
    isIn: `state = '${state}'`,
  }));
  // What was stored later than now waits as long as it was to wait, from now. Nothing is due before it was
  // stored.
  const isLater = "due_at > :latest AND created_at > :latest";
  const anew = [
    move(
      inquiries,
      "created_at = :now, not_before = not_before - (created_at - :now), " +
        "held_until = held_until - (created_at - :now)",
      `settled_at IS NULL AND ${isLater}`,
    ),
    ...mails.map(({ table, isIn }) =>
      move(
        table,
        `created_at = :now, next_attempt_at = next_attempt_at - (created_at - :now),
          due_at = due_at - (created_at - :now), place_at = min(place_at, :now)`,
        `${isIn} AND ${isLater}`,
      ),
    ),
    move("sign_outs", "created_at = :now, due_at = due_at - (created_at - :now)", isLater),
  ];
  // What was put off later than it was stored.
  const putOff = [
    ...mails.map(({ table, isIn }) =>
      move(
        table,
        "next_attempt_at = min(next_attempt_at, :furthest), due_at = :furthest",
        `${isIn} AND due_at > :furthest`,
      ),
    ),
    move("sign_outs", "due_at = :furthest", "due_at > :furthest"),
  ];
  const leased = [
    move(
      inquiries,
      "lease_until = :until",
      "settled_at IS NULL AND due_at > :until AND lease_until > :until",
    ),
    move("audit_verifications", "due_at = :until", "due_at > :until"),
    database.prepare(`
      UPDATE endings SET due_at = :until
      WHERE key IN (SELECT key FROM endings WHERE due_at > :until LIMIT ${BATCH})`),
  ];

  return {
    async boundWaits(now: Instant) {
      const steps = [
        ...leased.map((statement) => ({ statement, to: { until: now + LONGEST_LEASE_MS } })),
        ...anew.map((statement) => ({ statement, to: { now, latest: now + SKEW_MS } })),
        ...putOff.map((statement) => ({ statement, to: { furthest: now + LONGEST_WAIT_MS } })),
      ];
      let moved = 0;
      for (const { statement, to } of steps) {
        for (let changed = BATCH; changed === BATCH; moved += changed) {
          changed = await database.run(() => statement.run(to));
          await setImmediate();
        }
      }
      return moved;
    },
  };
}
