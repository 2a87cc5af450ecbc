/**
 * Correction of waits in MongoDB after the clock was set back. Throttles and named leases see to it by
 * themselves.
 */

import type { Instant } from "../../clock.ts";
import type { AdminStore } from "../contract.ts";
import { LONGEST_LEASE_MS, LONGEST_WAIT_MS, SKEW_MS } from "../set-back.ts";
import type { MongoDatabase } from "./database.ts";
import { at } from "./documents.ts";

/** Each step is a write of its own: what one of them has moved, none moves again. */
export function createSetBack(database: MongoDatabase): Pick<AdminStore, "boundWaits"> {
  const { auditVerifications, endings, inquiries, outbox, signOuts } = database.collections;
  const waiting = ["queued", "held"] as const;

  return {
    boundWaits: (now: Instant) =>
      database.run(async () => {
        // What was stored later than now waits as long as it was to wait, from now. Nothing is due before it
        // was stored.
        const latest = { $gt: at(now + SKEW_MS) };
        const anew = { dueAt: latest, createdAt: latest };
        const moved = (field: string) => ({ $subtract: [field, { $subtract: ["$createdAt", at(now)] }] });
        const leaseUntil = at(now + LONGEST_LEASE_MS);
        const furthest = at(now + LONGEST_WAIT_MS);
        const due = { dueAt: { $max: ["$notBefore", "$leaseUntil"] } };
        const isWaiting = { state: { $in: [...waiting] } };
        const moves = [
          await inquiries.updateMany(
            { state: "waiting", dueAt: { $gt: leaseUntil }, leaseUntil: { $gt: leaseUntil } },
            [{ $set: { leaseUntil } }, { $set: due }],
          ),
          await auditVerifications.updateMany(
            { dueAt: { $gt: leaseUntil } },
            { $set: { dueAt: leaseUntil } },
          ),
          await endings.updateMany({ dueAt: { $gt: leaseUntil } }, { $set: { dueAt: leaseUntil } }),
          await inquiries.updateMany({ state: "waiting", ...anew }, [
            { $set: { notBefore: moved("$notBefore"), heldUntil: moved("$heldUntil"), createdAt: at(now) } },
            { $set: due },
          ]),
          await outbox.updateMany({ ...isWaiting, ...anew }, [
            {
              $set: {
                nextAttemptAt: moved("$nextAttemptAt"),
                dueAt: moved("$dueAt"),
                createdAt: at(now),
                placeAt: { $min: ["$placeAt", at(now)] },
              },
            },
          ]),
          await signOuts.updateMany(anew, [{ $set: { dueAt: moved("$dueAt"), createdAt: at(now) } }]),
          // What was put off later than it was stored.
          await outbox.updateMany({ ...isWaiting, dueAt: { $gt: furthest } }, [
            { $set: { nextAttemptAt: { $min: ["$nextAttemptAt", furthest] }, dueAt: furthest } },
          ]),
          await signOuts.updateMany({ dueAt: { $gt: furthest } }, { $set: { dueAt: furthest } }),
        ];
        return moves.reduce((sum, { modifiedCount }) => sum + modifiedCount, 0);
      }),
  };
}
