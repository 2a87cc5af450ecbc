/** Owns what becomes of that which waits when the clock was set back. Throttles and named leases see to it by themselves. */

import type { Instant } from "../../clock.ts";
import type { AdminStore } from "../contract.ts";
import { LONGEST_LEASE_MS, LONGEST_WAIT_MS, SKEW_MS } from "../set-back.ts";
import type { Database } from "./database.ts";

export function createSetBack(database: Database): Pick<AdminStore, "boundWaits"> {
  // What was stored later than now waits as long as it was to wait, from now. Nothing is due before it was stored.
  const anew = [
    `UPDATE inquiries INDEXED BY inquiries_due SET created_at = :now,
      not_before = not_before - (created_at - :now), held_until = held_until - (created_at - :now)
    WHERE settled_at IS NULL AND due_at > :latest AND created_at > :latest`,
    ...["queued", "held"].map(
      (state) => `UPDATE outbox INDEXED BY outbox_${state} SET created_at = :now,
      next_attempt_at = next_attempt_at - (created_at - :now), due_at = due_at - (created_at - :now)
    WHERE state = '${state}' AND due_at > :latest AND created_at > :latest`,
    ),
    `UPDATE sign_outs SET created_at = :now, due_at = due_at - (created_at - :now)
    WHERE due_at > :latest AND created_at > :latest`,
  ].map((sql) => database.prepare(sql));
  // What was put off later than it was stored.
  const putOff = [
    ...["queued", "held"].map(
      (state) => `UPDATE outbox INDEXED BY outbox_${state} SET
      next_attempt_at = min(next_attempt_at, :furthest), due_at = :furthest
    WHERE state = '${state}' AND due_at > :furthest`,
    ),
    "UPDATE sign_outs SET due_at = :furthest WHERE due_at > :furthest",
  ].map((sql) => database.prepare(sql));
  const leased = database.prepare(`
    UPDATE inquiries INDEXED BY inquiries_due SET lease_until = :until
    WHERE settled_at IS NULL AND due_at > :until AND lease_until > :until`);

  return {
    boundWaits: (now: Instant) =>
      database.transaction(() => {
        let moved = leased.run({ until: now + LONGEST_LEASE_MS });
        for (const statement of anew) moved += statement.run({ now, latest: now + SKEW_MS });
        for (const statement of putOff) moved += statement.run({ furthest: now + LONGEST_WAIT_MS });
        return moved;
      }),
  };
}
