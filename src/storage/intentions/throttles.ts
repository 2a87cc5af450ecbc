/** Throttles by themselves. Their keys may hold addresses, so only a keyed hash is stored. */

import type { ThrottleStore } from "../contract.ts";
import type { KeyHash } from "../encrypted-fields.ts";
import { call, type Engine } from "../steps.ts";

export function createThrottleStore(engine: Engine, hash: KeyHash): ThrottleStore {
  return {
    takeSlot: (key, limit, windowSeconds, now) =>
      engine.run(function* () {
        const { taken, resetsAt } = yield* call("takeSlot", hash(key), { limit, windowSeconds }, now);
        return { taken, resetsAt };
      }),
    takeSlots: (key, wanted, limit, now) =>
      engine.run(function* () {
        const { taken, resetsAt } = yield* call("takeSlots", hash(key), wanted, limit, now);
        return { taken, resetsAt };
      }),
  };
}
