/**
 * Throttles in SQLite: windows that begin with the first slot taken. Keys may hold addresses, so only a
 * keyed hash is stored.
 */

import type { Instant } from "../../clock.ts";
import type { Limit } from "../../domain/limit.ts";
import { integer } from "../../sql-columns.ts";
import type { NativeSteps } from "../native-steps.ts";
import type { Database } from "./database.ts";

type ThrottleSteps = Pick<NativeSteps, "takeSlot" | "takeSlots" | "giveSlotBack" | "reservePlace">;

export function createThrottleSteps(database: Database): ThrottleSteps {
  const expires = { expires_at: integer };
  const take = database.prepare(
    `
    INSERT INTO throttles (key_hash, taken, expires_at) VALUES (:keyHash, :amount, :resetsAt)
    ON CONFLICT (key_hash) DO UPDATE SET
      taken = iif(expires_at > :now, taken + :amount, :amount),
      expires_at = iif(expires_at > :now, min(expires_at, excluded.expires_at), excluded.expires_at)
    WHERE expires_at <= :now OR taken + :amount <= :limit
    RETURNING taken, expires_at`,
    { taken: integer, ...expires },
  );
  const giveBack = database.prepare("UPDATE throttles SET taken = taken - 1 WHERE key_hash = :keyHash");
  // A window that ends later than one that began now would was begun before the clock was set back.
  const full = database.prepare(
    `UPDATE throttles SET expires_at = min(expires_at, :resetsAt) WHERE key_hash = :keyHash
    RETURNING expires_at`,
    expires,
  );
  const left = database.prepare(
    `
    SELECT :limit - iif(expires_at > :now, taken, 0) AS left FROM throttles WHERE key_hash = :keyHash`,
    { left: integer },
  );
  // Of a flow `taken` is the instant of the last reservation: by how much the clock has been set back since.
  const shifted = "expires_at - iif(taken - :now > :window, taken - :now, 0)";
  const reserve = database.prepare(
    `
    INSERT INTO throttles (key_hash, taken, expires_at) VALUES (:keyHash, :now, :now + :interval)
    ON CONFLICT (key_hash) DO UPDATE SET
      expires_at = min(max(${shifted}, :now) + :interval, max(${shifted}, :furthest)),
      taken = :now
    RETURNING expires_at`,
    expires,
  );

  /**
   * Takes `amount` slots, or none where not so many are left; `count` is how many of the window are taken
   * then.
   */
  function takeAll(keyHash: string, amount: number, { limit, windowSeconds }: Limit, now: Instant) {
    const resetsAt = now + windowSeconds * 1000;
    const none = { taken: false, count: limit + 1, resetsAt };
    if (limit < amount) return none;
    const taken = take.get({ keyHash, amount, limit, resetsAt, now });
    if (taken !== undefined) return { taken: true, count: taken.taken, resetsAt: taken.expires_at };
    const row = full.get({ keyHash, resetsAt });
    return row === undefined ? none : { ...none, resetsAt: row.expires_at };
  }

  return {
    takeSlot: (keyHash, limit, now) => database.atomic(() => takeAll(keyHash, 1, limit, now)),
    takeSlots: (keyHash, wanted, limit, now) =>
      database.atomic(() => {
        const row = left.get({ keyHash, limit: limit.limit, now });
        const amount = Math.min(wanted, row === undefined ? limit.limit : Math.max(0, row.left));
        const { taken, resetsAt } = takeAll(keyHash, Math.max(1, amount), limit, now);
        return { taken: taken ? amount : 0, resetsAt };
      }),
    giveSlotBack: (keyHash) => void giveBack.run({ keyHash }),
    reservePlace(keyHash, { limit, windowSeconds }, now, longestMs) {
      const windowMs = windowSeconds * 1000;
      const furthest = now + longestMs + windowMs;
      const row = reserve.get({
        keyHash,
        now,
        interval: Math.ceil(windowMs / limit),
        window: windowMs,
        furthest,
      });
      if (row === undefined) throw new Error("a reservation gave no row");
      return Math.max(now, Math.min(row.expires_at, furthest) - windowMs);
    },
  };
}
