/** Counts by the hour. */

import { countsThrottle, ONE_BATCH } from "../../domain/throttle-keys.ts";
import type { AdminStore } from "../contract.ts";
import type { KeyHash } from "../encrypted-fields.ts";
import { add, call, type Engine, insert, list, update } from "../steps.ts";
import { counters } from "../tables.ts";

export function createCounts(engine: Engine, hash: KeyHash): Pick<AdminStore, "addCounts" | "counts"> {
  return {
    // An answer that was lost leaves open whether it was added: the batch's slot is taken with it, or neither
    // is.
    addCounts: (added, batchId, now) =>
      engine.transaction(function* () {
        if (added.length === 0) return;
        const { taken } = yield* call("takeSlot", hash(countsThrottle(batchId)), ONE_BATCH, now);
        if (!taken) return;
        for (const { name, hour, count } of added) {
          const id = `${hour}:${name}`;
          const isThere = (yield* update(counters, { id, hour, name }, { count: add(count) })) > 0;
          if (!isThere) yield* insert(counters, { id, hour, name, count });
        }
      }),

    counts: (from, to) =>
      engine.run(function* () {
        const found = yield* list(counters, { hour: { gte: from, lt: to } }, { order: ["hour", "name"] });
        return found.map(({ name, hour, count }) => ({ name, hour, count }));
      }),
  };
}
