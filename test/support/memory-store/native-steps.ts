/** Native steps (src/storage/native-steps.ts) in memory: general steps over the tables of this back end. */

import { createHash } from "node:crypto";
import type { Instant } from "../../../src/clock.ts";
import type { Limit } from "../../../src/domain/limit.ts";
import { TOKEN_MODELS } from "../../../src/domain/selecting.ts";
import { throttles } from "../../../src/storage/native-tables.ts";
import { add, get, list, put, remove, type Steps, update } from "../../../src/storage/steps.ts";
import type { MemorySteps } from "./engine.ts";
import { artifacts, keyOf, shares } from "./tables.ts";

/**
 * Takes as many of `wanted` slots as the window has left; `count` is how many of it are taken then. One that
 * ends later than a window that begins now was begun before the clock was set back.
 */
export function* takeSome(
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

const tokenModels: readonly string[] = TOKEN_MODELS;

export const nativeSteps: MemorySteps = {
  *takeSlot(keyHash, limit, now) {
    const { taken, count, resetsAt } = yield* takeSome(keyHash, 1, limit, now);
    return { taken: taken === 1, count: taken === 1 ? count : limit.limit + 1, resetsAt };
  },
  *giveSlotBack(keyHash) {
    yield* update(throttles, { keyHash }, { taken: add(-1) });
  },
  *reservePlace(keyHash, { limit, windowSeconds }, now, longestMs) {
    const windowMs = windowSeconds * 1000;
    const furthest = now + longestMs + windowMs;
    const { taken, expiresAt } = (yield* get(throttles, keyHash)) ?? { taken: now, expiresAt: now };
    // `taken` is the instant of the last reservation: by how much the clock has been set back since.
    const shifted = expiresAt - (taken - now > windowMs ? taken - now : 0);
    const next = Math.min(Math.max(shifted, now) + Math.ceil(windowMs / limit), Math.max(shifted, furthest));
    yield* put(throttles, { keyHash, taken: now, expiresAt: next });
    return Math.max(now, Math.min(next, furthest) - windowMs);
  },
  // Whoever is at work is alone.
  *excludeOwners() {},
  removeTokens: (grantIds, most) => remove(artifacts, { grantId: { in: grantIds } }, most),
  *removeGrants(grantIds) {
    const hashes = grantIds.map((grantId) => createHash("sha256").update(grantId).digest("base64url"));
    yield* remove(artifacts, { id: { in: hashes.map((hash) => keyOf("Grant", hash)) } });
  },
  *redeemedAmong(grantIds) {
    const made = yield* list(artifacts, { grantId: { in: grantIds } });
    const given = made.filter(({ model, consumed }) => tokenModels.includes(model) || consumed !== null);
    const redeemed = new Set(given.map(({ grantId }) => grantId));
    return grantIds.filter((grantId) => redeemed.has(grantId));
  },
  *sidsOf(signIns) {
    const sids: (string | null)[] = [];
    for (const { sessionUid, clientId } of signIns)
      sids.push((yield* get(shares, keyOf(sessionUid, clientId)))?.held.sid ?? null);
    return sids;
  },
  *accountOfSession(sessionUid, now) {
    const [row] = yield* list(artifacts, { sessionUid, expiresAt: { gt: now } });
    return row && { accountId: row.accountId };
  },
  *removeSession(sessionUid) {
    yield* remove(shares, { sessionUid });
    yield* remove(artifacts, { sessionUid });
  },
};
