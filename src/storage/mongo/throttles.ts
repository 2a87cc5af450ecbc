/**
 * Throttles in MongoDB: windows that begin with the first slot taken. Keys may hold addresses, so only a
 * keyed hash is stored.
 */

import type { ClientSession, Document } from "mongodb";
import type { Instant, Milliseconds } from "../../clock.ts";
import type { Limit } from "../../domain/limit.ts";
import type { ThrottleStore } from "../contract.ts";
import { THROTTLE_KEY } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { isDuplicate, type MongoDatabase } from "./database.ts";
import { at } from "./documents.ts";

/** Uses throttles, inside the transaction of what they hold back where there is one. */
export interface ThrottleWriter {
  /** What is stored of a key. */
  hash(key: string): string;
  /**
   * Takes a slot; `count` is which one of the window, from 1, and one more than the limit where none was
   * left.
   */
  take(
    keyHash: string,
    limit: Limit,
    now: Instant,
    session?: ClientSession,
  ): Promise<{ taken: boolean; count: number; resetsAt: Instant }>;
  /** Takes as many of `wanted` as there are. */
  takeSome(
    keyHash: string,
    wanted: number,
    limit: Limit,
    now: Instant,
    session?: ClientSession,
  ): Promise<{ taken: number; count: number; resetsAt: Instant }>;
  /** Gives a slot back that the same transaction took. */
  giveBack(keyHash: string, session: ClientSession): Promise<void>;
  /**
   * Reserves the next place in a flow of at most `limit` per window and returns when it may go: `now`, or
   * later by what others have reserved, by `longestMs` at the most. See LinkStore.inquire.
   */
  reserve(
    keyHash: string,
    limit: Limit,
    now: Instant,
    longestMs: Milliseconds,
    session: ClientSession,
  ): Promise<Instant>;
}

export function createThrottleWriter(
  { collections }: MongoDatabase,
  encryption: FieldEncryption,
): ThrottleWriter {
  const { throttles } = collections;

  /** One write, which reads what it counts. */
  async function update(
    _id: string,
    next: Document,
    returnDocument: "before" | "after",
    session?: ClientSession,
  ) {
    const options = { upsert: true, returnDocument, ...(session === undefined ? {} : { session }) };
    for (let turn = 1; ; turn += 1) {
      try {
        return await throttles.findOneAndUpdate({ _id }, [{ $set: next }], options);
      } catch (error) {
        // A racer has just made it.
        if (!isDuplicate(error) || session !== undefined || turn === 10) throw error;
      }
    }
  }

  const takeSome: ThrottleWriter["takeSome"] = async (
    keyHash,
    wanted,
    { limit, windowSeconds },
    now,
    session,
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
    hash: (key) => encryption.fingerprint(key, THROTTLE_KEY),
    async take(keyHash, limit, now, session) {
      const { taken, count, resetsAt } = await takeSome(keyHash, 1, limit, now, session);
      return { taken: taken === 1, count, resetsAt };
    },
    takeSome,
    async giveBack(keyHash, session) {
      await throttles.updateOne({ _id: keyHash }, { $inc: { taken: -1 } }, { session });
    },
    async reserve(keyHash, { limit, windowSeconds }, now, longestMs, session) {
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

export function createThrottleStore(database: MongoDatabase, throttles: ThrottleWriter): ThrottleStore {
  return {
    takeSlot: (key, limit, windowSeconds, now) =>
      database.run(async () => {
        const { taken, resetsAt } = await throttles.take(throttles.hash(key), { limit, windowSeconds }, now);
        return { taken, resetsAt };
      }),
    takeSlots: (key, wanted, limit, now) =>
      database.run(async () => {
        const { taken, resetsAt } = await throttles.takeSome(throttles.hash(key), wanted, limit, now);
        return { taken, resetsAt };
      }),
  };
}
