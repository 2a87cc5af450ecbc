/** The queue in SQLite of endings whose rows are still there: claimed under a lease, removed part by part. */

import { endingOf, isCountPermanent } from "../../domain/endings.ts";
import { integer, text } from "../../sql-columns.ts";
import type { AdminStore } from "../contract.ts";
import type { Database } from "./database.ts";
import type { Revoker } from "./revoker.ts";

export function createEndedRows(
  database: Database,
  revoker: Pick<Revoker, "removePart">,
): Pick<AdminStore, "claimEnding" | "removeEnded"> {
  // A lease moves due_at on, as in the outbox.
  const claim = database.prepare(
    `
    UPDATE endings SET lease_worker = :worker, due_at = :until
    WHERE key = (SELECT key FROM endings WHERE due_at <= :now ORDER BY due_at LIMIT 1)
    RETURNING key`,
    { key: text },
  );
  const leased = database.prepare(
    "SELECT place, ended_at FROM endings WHERE key = :key AND lease_worker = :worker AND due_at IS NOT NULL",
    { place: text, ended_at: integer },
  );
  const goOn = database.prepare("UPDATE endings SET place = :place, due_at = :until WHERE key = :key");
  const finish = database.prepare(
    "UPDATE endings SET place = '', due_at = NULL, lease_worker = NULL WHERE key = :key",
  );
  const forget = database.prepare("DELETE FROM endings WHERE key = :key");

  return {
    claimEnding: (worker, now, leaseMs) =>
      database.run(() => claim.get({ worker, now, until: now + leaseMs })),
    removeEnded: (key, worker, { most, now, leaseMs }) =>
      database.transaction(() => {
        const row = leased.get({ key, worker });
        if (row === undefined) return { result: "lost" };
        const ending = endingOf(key);
        const part = { after: row.place, most, endedAt: row.ended_at, now };
        const { grants, next } = revoker.removePart(ending, part);
        if (next !== null) goOn.run({ key, place: next, until: now + leaseMs });
        else if (isCountPermanent(ending)) finish.run({ key });
        else forget.run({ key });
        return { result: next === null ? "done" : "more", grants };
      }),
  };
}
