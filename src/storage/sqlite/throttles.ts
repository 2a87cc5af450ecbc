/** Owns throttles: windows that begin with the first slot taken. Keys may hold addresses, so only a keyed hash is stored. */

import type { Instant } from "../../clock.ts";
import type { Limit, ThrottleStore } from "../contract.ts";
import type { Seal } from "../seal.ts";
import { THROTTLE_KEY } from "../sealed-fields.ts";
import type { Database } from "./database.ts";
import { integer } from "./rows.ts";

/** Uses throttles inside the transaction of what they hold back. */
export interface ThrottleWriter {
  /** What is stored of a key. */
  hash(key: string): string;
  /** Takes a slot; `count` is which one of the window, from 1, and one more than the limit where none was left. */
  take(keyHash: string, limit: Limit, now: Instant): { taken: boolean; count: number; resetsAt: Instant };
  /** Gives a slot back that the same transaction took. */
  giveBack(keyHash: string): void;
  reserve(keyHash: string, limit: Limit, now: Instant, longestMs: number): Instant;
}

export function createThrottleWriter(database: Database, seal: Seal): ThrottleWriter {
  const take = database.prepare(`
    INSERT INTO throttles (key_hash, taken, expires_at) VALUES (:keyHash, 1, :resetsAt)
    ON CONFLICT (key_hash) DO UPDATE SET
      taken = iif(expires_at > :now, taken + 1, 1),
      expires_at = iif(expires_at > :now, min(expires_at, excluded.expires_at), excluded.expires_at)
    WHERE expires_at <= :now OR taken < :limit
    RETURNING taken, expires_at`);
  const giveBack = database.prepare("UPDATE throttles SET taken = taken - 1 WHERE key_hash = :keyHash");
  // A window that ends later than one that began now would was begun before the clock was set back.
  const full = database.prepare(`
    UPDATE throttles SET expires_at = min(expires_at, :resetsAt) WHERE key_hash = :keyHash RETURNING expires_at`);
  // Of a flow `taken` is the instant of the last reservation: by how much the clock has been set back since.
  const shifted = "expires_at - iif(taken - :now > :window, taken - :now, 0)";
  const reserve = database.prepare(`
    INSERT INTO throttles (key_hash, taken, expires_at) VALUES (:keyHash, :now, :now + :interval)
    ON CONFLICT (key_hash) DO UPDATE SET
      expires_at = min(max(${shifted}, :now) + :interval, max(${shifted}, :furthest)),
      taken = :now
    RETURNING expires_at`);

  return {
    hash: (key) => seal.fingerprint(key, THROTTLE_KEY),
    take(keyHash, { limit, windowSeconds }, now) {
      const resetsAt = now + windowSeconds * 1000;
      if (limit < 1) return { taken: false, count: limit + 1, resetsAt };
      const taken = take.get({ keyHash, limit, resetsAt, now });
      if (taken !== undefined)
        return { taken: true, count: integer(taken["taken"]), resetsAt: integer(taken["expires_at"]) };
      const row = full.get({ keyHash, resetsAt });
      return {
        taken: false,
        count: limit + 1,
        resetsAt: row === undefined ? resetsAt : integer(row["expires_at"]),
      };
    },
    giveBack: (keyHash) => void giveBack.run({ keyHash }),
    reserve(keyHash, { limit, windowSeconds }, now, longestMs) {
      const windowMs = windowSeconds * 1000;
      const furthest = now + longestMs + windowMs;
      const row = reserve.get({ keyHash, now, interval: Math.ceil(windowMs / limit), window: windowMs, furthest });
      return Math.max(now, Math.min(integer(row?.["expires_at"]), furthest) - windowMs);
    },
  };
}

export function createThrottleStore(database: Database, seal: Seal): ThrottleStore {
  const throttles = createThrottleWriter(database, seal);

  return {
    takeSlot: (key, limit, windowSeconds, now) =>
      database.transaction(() => {
        const { taken, resetsAt } = throttles.take(throttles.hash(key), { limit, windowSeconds }, now);
        return { taken, resetsAt };
      }),
    reserve: (key, limit, now, longestMs) =>
      database.transaction(() => throttles.reserve(throttles.hash(key), limit, now, longestMs)),
  };
}
