/** Sweeping: selections that have expired, with what becomes of those that they had replaced; counts. */

import type { Instant } from "../../clock.ts";
import { type Engine, first, list, remove } from "../steps.ts";
import { selections } from "../tables.ts";
import { succeed } from "./revoking.ts";

/** How long counts are kept, in milliseconds: a little longer than they are shown. */
export const COUNTS_RETENTION_MS = 40 * 24 * 3_600_000;

/**
 * Removes up to so many; returns how many. In a transaction only where something succeeds them, for sweeps of
 * several brokers would get in each other's way.
 */
export async function sweepSelections(engine: Engine, now: Instant, limit: number): Promise<number> {
  const isOver = { expiresAt: { lte: now } };
  const found = await engine.run(() => list(selections, isOver, { order: ["expiresAt"], limit }));
  if (found.length === 0) return 0;
  const gone = found.map(({ grantId }) => grantId);
  const going = { grantId: { in: gone } };
  const replaced = await engine.run(() => first(selections, { replacedBy: { in: gone } }));
  if (replaced === undefined) return await engine.run(() => remove(selections, going));
  return await engine.transaction(function* () {
    const removed = yield* remove(selections, going);
    yield* succeed(gone);
    return removed;
  });
}
