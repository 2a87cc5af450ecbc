/** Native steps (src/storage/native-steps.ts) in memory: general steps over the tables of this back end. */

import type { Instant } from "../../../src/clock.ts";
import type { Limit } from "../../../src/domain/limit.ts";
import { add, get, put, type Steps, update } from "../../../src/storage/steps.ts";
import { throttles } from "../../../src/storage/tables.ts";
import { artifactSteps, sessionSteps } from "./artifacts.ts";
import type { MemorySteps } from "./engine.ts";

/**
 * Takes as many of `wanted` slots as the window has left; `count` is how many of it are taken then. One that
 * ends later than a window that begins now was begun before the clock was set back.
 */
function* takeSome(
  keyHash: string,
  wanted: number,
  { limit, windowSeconds }: Limit,
  now: Instant,
): Steps<{ taken: number; count: number; resetsAt: Instant }> {
  const end = now + windowSeconds * 1000;
  const known = yield* get(throttles, keyHash);
  const window = known !== undefined && known.expiresAt > now ? known : { taken: 0, expiresAt: end };
  const taken = Math.max(0, Math.min(wanted, limit - window.taken));
  const [count, resetsAt] = [window.taken + taken, Math.min(window.expiresAt, end)];
  yield* put(throttles, { keyHash, taken: count, expiresAt: resetsAt });
  return { taken, count, resetsAt };
}

export const nativeSteps: MemorySteps = {
  ...artifactSteps,
  ...sessionSteps,
  *takeSlot(keyHash, limit, now) {
    const { taken, count, resetsAt } = yield* takeSome(keyHash, 1, limit, now);
    return { taken: taken === 1, count: taken === 1 ? count : limit.limit + 1, resetsAt };
  },
  takeSlots: takeSome,
  *giveSlotBack(keyHash) {
    yield* update(throttles, { keyHash }, { taken: add(-1) });
  },
  *reservePlace(keyHash, { limit, windowSeconds }, now, longestMs) {
    const windowMs = windowSeconds * 1000;
    const furthest = now + longestMs + windowMs;
    const { taken, expiresAt } = (yield* get(throttles, keyHash)) ?? { taken: now, expiresAt: now };
    // By how much the clock has been set back since the last reservation.
    const shifted = expiresAt - (taken - now > windowMs ? taken - now : 0);
    const next = Math.min(Math.max(shifted, now) + Math.ceil(windowMs / limit), Math.max(shifted, furthest));
    yield* put(throttles, { keyHash, taken: now, expiresAt: next });
    return Math.max(now, Math.min(next, furthest) - windowMs);
  },
  // Whoever is at work is alone.
  *excludeOwners() {},
  *holdProfile() {},
};
