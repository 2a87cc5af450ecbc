/**
 * Throttles in MongoDB: windows that begin with the first slot taken. Keys may hold addresses, so only a
 * keyed hash is stored.
 */

import type { ClientSession, Document } from "mongodb";
import type { Instant } from "../../clock.ts";
import type { Limit } from "../../domain/limit.ts";
import { isDuplicate, type MongoDatabase, within } from "./database.ts";
import { at } from "./documents.ts";
import type { MongoSteps } from "./engine.ts";

type ThrottleSteps = Pick<MongoSteps, "takeSlot" | "takeSlots" | "giveSlotBack" | "reservePlace">;

export function createThrottleSteps({ collections }: MongoDatabase): ThrottleSteps {
  const { throttles } = collections;

  /** One write, which reads what it counts. */
  async function update(
    _id: string,
    next: Document,
    returnDocument: "before" | "after",
    session: ClientSession | undefined,
  ) {
    const options = { upsert: true, returnDocument, ...within(session) };
    for (let turn = 1; ; turn += 1) {
      try {
        return await throttles.findOneAndUpdate({ _id }, [{ $set: next }], options);
      } catch (error) {
        // A racer has just made it.
        if (!isDuplicate(error) || session !== undefined || turn === 10) throw error;
      }
    }
  }

  /** Takes as many as there are; `count` is how many of the window are taken then. */
  const takeSome = async (
    session: ClientSession | undefined,
    keyHash: string,
    wanted: number,
    { limit, windowSeconds }: Limit,
    now: Instant,
  ) => {
    const resetsAt = now + windowSeconds * 1000;
    if (limit < 1) return { taken: 0, count: limit + 1, resetsAt };
    const first = Math.min(wanted, limit);
    const goesOn = { $gt: ["$expiresAt", at(now)] };
    const next = {
      taken: {
        $cond: [goesOn, { $max: ["$taken", { $min: [{ $add: ["$taken", wanted] }, limit] }] }, first],
      },
      // A window that ends later than one that began now would was begun before the clock was set back.
      expiresAt: { $cond: [goesOn, { $min: ["$expiresAt", at(resetsAt)] }, at(resetsAt)] },
    };
    const before = await update(keyHash, next, "before", session);
    if (before === null || before.expiresAt.getTime() <= now) return { taken: first, count: first, resetsAt };
    const endsAt = Math.min(before.expiresAt.getTime(), resetsAt);
    const taken = Math.max(0, Math.min(wanted, limit - before.taken));
    return { taken, count: taken === 0 ? limit + 1 : before.taken + taken, resetsAt: endsAt };
  };

  return {
    async takeSlot(session, keyHash, limit, now) {
      const { taken, count, resetsAt } = await takeSome(session, keyHash, 1, limit, now);
      return { taken: taken === 1, count, resetsAt };
    },
    takeSlots: takeSome,
    async giveSlotBack(session, keyHash) {
      await throttles.updateOne({ _id: keyHash }, { $inc: { taken: -1 } }, within(session));
    },
    async reservePlace(session, keyHash, { limit, windowSeconds }, now, longestMs) {
      const windowMs = windowSeconds * 1000;
      const furthest = now + longestMs + windowMs;
      // Of a flow `taken` is the instant of the last reservation: by how much the clock has been set back
      // since.
      const back = { $subtract: ["$taken", now] };
      const shifted = { $subtract: ["$expiresAt", { $cond: [{ $gt: [back, windowMs] }, back, 0] }] };
      const from = { $max: [shifted, at(now)] };
      const place = { $add: [from, Math.ceil(windowMs / limit)] };
      const next = { taken: now, expiresAt: { $min: [place, { $max: [shifted, at(furthest)] }] } };
      const flow = await update(keyHash, next, "after", session);
      return flow === null ? now : Math.max(now, Math.min(flow.expiresAt.getTime(), furthest) - windowMs);
    },
  };
}
