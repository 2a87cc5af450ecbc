/** Owns throttles: windows that begin with the first slot taken. Keys may hold addresses, so only a keyed hash is stored. */

import type { ThrottleStore } from "../contract.ts";
import type { Seal } from "../seal.ts";
import { THROTTLE_KEY } from "../sealed-fields.ts";
import { isDuplicate, type MongoDatabase } from "./database.ts";
import { at } from "./documents.ts";

export function createThrottleStore(database: MongoDatabase, seal: Seal): ThrottleStore {
  const { throttles } = database.collections;

  return {
    takeSlot: (key, limit, windowSeconds, now) =>
      database.run(async (deadline) => {
        const keyHash = seal.fingerprint(key, THROTTLE_KEY);
        const resetsAt = now + windowSeconds * 1000;
        if (limit < 1) return { taken: false, resetsAt };
        const goesOn = { $gt: ["$expiresAt", at(now)] };
        const next = {
          taken: { $cond: [goesOn, { $add: ["$taken", 1] }, 1] },
          expiresAt: { $cond: [goesOn, "$expiresAt", at(resetsAt)] },
        };
        for (;;) {
          try {
            const taken = await throttles.findOneAndUpdate(
              { _id: keyHash, $or: [{ expiresAt: { $lte: at(now) } }, { taken: { $lt: limit } }] },
              [{ $set: next }],
              { upsert: true, returnDocument: "after" },
            );
            return { taken: true, resetsAt: taken?.expiresAt.getTime() ?? resetsAt };
          } catch (error) {
            // The window is there and full, or a racer has just begun it.
            if (!isDuplicate(error)) throw error;
          }
          const window = await throttles.findOne({ _id: keyHash });
          if (window !== null && window.expiresAt.getTime() > now && window.taken >= limit) {
            return { taken: false, resetsAt: window.expiresAt.getTime() };
          }
          deadline.check();
        }
      }),
  };
}
