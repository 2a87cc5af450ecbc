/** Owns throttles: windows that begin with the first slot taken. Keys may hold addresses, so only a keyed hash is stored. */

import type { ThrottleStore } from "../contract.ts";
import type { Seal } from "../seal.ts";
import { THROTTLE_KEY } from "../sealed-fields.ts";
import type { Database } from "./database.ts";
import { integer } from "./rows.ts";

export function createThrottleStore(database: Database, seal: Seal): ThrottleStore {
  const take = database.prepare(`
    INSERT INTO throttles (key_hash, taken, expires_at) VALUES (:keyHash, 1, :resetsAt)
    ON CONFLICT (key_hash) DO UPDATE SET
      taken = iif(expires_at > :now, taken + 1, 1),
      expires_at = iif(expires_at > :now, expires_at, excluded.expires_at)
    WHERE expires_at <= :now OR taken < :limit
    RETURNING expires_at`);
  const select = database.prepare("SELECT expires_at FROM throttles WHERE key_hash = :keyHash");

  return {
    takeSlot: (key, limit, windowSeconds, now) =>
      database.transaction(() => {
        const keyHash = seal.fingerprint(key, THROTTLE_KEY);
        const resetsAt = now + windowSeconds * 1000;
        if (limit < 1) return { taken: false, resetsAt };
        const taken = take.get({ keyHash, limit, resetsAt, now });
        if (taken !== undefined) return { taken: true, resetsAt: integer(taken["expires_at"]) };
        const full = select.get({ keyHash });
        return { taken: false, resetsAt: full === undefined ? resetsAt : integer(full["expires_at"]) };
      }),
  };
}
