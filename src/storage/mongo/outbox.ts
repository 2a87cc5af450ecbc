/** Owns the outbox: messages wait here, sealed, until a worker has sent them. */

import { type ClientSession, ObjectId, type UpdateFilter } from "mongodb";
import type { Instant } from "../../clock.ts";
import { Pace, type Turn } from "../../pace.ts";
import { mailRequeued } from "../audit-entries.ts";
import type { Limit, NewMail, OutboxStore } from "../contract.ts";
import type { Delivery, OutboxMessage } from "../records.ts";
import type { Seal } from "../seal.ts";
import { DAMAGED_CONTENT, inquiryOf, openContent, sealContent } from "../sealed-fields.ts";
import { type MailThrottleHashes, mailThrottleHashes } from "../throttle-keys.ts";
import type { AuditWriter } from "./audit.ts";
import type { MongoDatabase } from "./database.ts";
import { at, type OutboxDocument, toRecord } from "./documents.ts";
import type { RequestWriter } from "./requests.ts";
import type { ThrottleWriter } from "./throttles.ts";

/** Queues a mail inside the transaction of its cause. */
export type MailWriter = (session: ClientSession, mail: NewMail, now: Instant) => Promise<void>;

export function createMailWriter({ collections }: MongoDatabase, seal: Seal, throttles: ThrottleWriter): MailWriter {
  return async (session, { id, messageId, to, content, throttle }, now) => {
    const keys = throttle === undefined ? null : mailThrottleHashes(throttles.hash, throttle);
    const isRoom = throttle === undefined || keys === null;
    const room = isRoom ? ROOM : await takeRoom(throttles, keys, throttle, now, session);
    const due = at(room.resetsAt ?? now);
    await collections.outbox.insertOne(
      {
        ...{ _id: id, messageId, to, sealedContent: sealContent(seal, id, content), attempts: 0 },
        ...{ requestId: content.kind === "link" ? content.requestId : null },
        ...{ state: room.lacking === undefined ? "queued" : "held", nextAttemptAt: due, dueAt: due },
        ...{ createdAt: at(now), seq: new ObjectId(), leaseWorker: null, sentAt: null, serverReply: null },
        ...{ lastError: null, mailboxHash: keys?.mailbox ?? null, profileHash: keys?.profile ?? null },
        ...{ rank: throttle?.rank ?? 0, kind: content.kind, inquiryId: inquiryOf(content) },
      },
      { session },
    );
  };
}

/** How many messages without room are put off at a time; those with room go one by one, for each is a transaction. */
const HELD = { least: 50, most: 500 };

/** Whose room is lacking, and until when: so long all that it has stays held. */
interface Lack {
  lacking: keyof MailThrottleHashes;
  hash: string;
  until: Instant;
}

/** What became of the held message whose turn it is. */
type Release = "none" | "queued" | "dropped" | Lack;

type Room = { lacking: keyof MailThrottleHashes; resetsAt: Instant } | { lacking: undefined; resetsAt: undefined };
const ROOM: Room = { lacking: undefined, resetsAt: undefined };

/** Takes a slot of each, or none and says which one lacks it and until when. */
async function takeRoom(
  throttles: ThrottleWriter,
  keys: MailThrottleHashes,
  limits: { mailbox: Limit; profile: Limit },
  now: Instant,
  session: ClientSession,
): Promise<Room> {
  const profile = await throttles.take(keys.profile, limits.profile, now, session);
  if (!profile.taken) return { lacking: "profile", resetsAt: profile.resetsAt };
  const mailbox = await throttles.take(keys.mailbox, limits.mailbox, now, session);
  if (mailbox.taken) return ROOM;
  await throttles.giveBack(keys.profile, session);
  return { lacking: "mailbox", resetsAt: mailbox.resetsAt };
}

export function createOutboxStore(
  database: MongoDatabase,
  seal: Seal,
  {
    requests,
    throttles,
    audit,
    queueMail,
  }: { requests: RequestWriter; throttles: ThrottleWriter; audit: AuditWriter; queueMail: MailWriter },
): OutboxStore {
  const { outbox } = database.collections;

  /** Ends the lease of the worker that holds the message. False if it was lost. */
  const release = async (id: string, worker: string, change: UpdateFilter<OutboxDocument>["$set"]) => {
    const { modifiedCount } = await outbox.updateOne(
      { _id: id, state: "queued", leaseWorker: worker },
      { $set: { leaseWorker: null, ...change } },
    );
    return modifiedCount === 1;
  };

  const newestFirst = { createdAt: -1, seq: -1 } as const;
  const requeue =
    (state: "held" | "failed", action: "mail.released" | "mail.resent") => (id: string, actor: string, now: Instant) =>
      database.transaction(async (session) => {
        const due = { state: "queued", nextAttemptAt: at(now), dueAt: at(now) } as const;
        const anew = state === "failed" ? { attempts: 0, createdAt: at(now) } : {};
        const found = await outbox.findOneAndUpdate({ _id: id, state }, { $set: { ...due, ...anew } }, { session });
        if (found === null) return false;
        await audit(session, mailRequeued(action, { mail: id, requestId: found.requestId }, actor, now));
        return true;
      });

  /** Deals with the held message whose turn it is: queues or drops it, or says what has no room for it. */
  const releaseNext = async (
    session: ClientSession,
    limits: { mailbox: Limit; profile: Limit },
    now: Instant,
  ): Promise<Release> => {
    const isDue = { state: "held", dueAt: { $lte: at(now) } } as const;
    const longest = await outbox.findOne(isDue, { sort: { dueAt: 1 }, session });
    if (longest === null) return "none";
    const { mailboxHash = null } = longest;
    const first = await outbox.findOne(
      { ...isDue, mailboxHash },
      { sort: { rank: 1, createdAt: -1, seq: -1 }, session },
    );
    if (mailboxHash === null || first?.profileHash == null) throw new Error("a held message is of no mailbox");
    const { _id, requestId, profileHash } = first;
    if (requestId !== null && !(await requests.isPending(session, requestId))) {
      await outbox.updateOne({ _id }, { $set: { state: "dropped", sealedContent: null } }, { session });
      return "dropped";
    }
    const hashes = { mailbox: mailboxHash, profile: profileHash };
    const { lacking, resetsAt } = await takeRoom(throttles, hashes, limits, now, session);
    if (lacking !== undefined) return { lacking, hash: hashes[lacking], until: resetsAt };
    await outbox.updateOne({ _id }, { $set: { state: "queued", nextAttemptAt: at(now), dueAt: at(now) } }, { session });
    return "queued";
  };

  /** Keeps some that are due, of those for which there is no room, held until there may be; false once none is left. */
  const hold = async ({ lacking, hash, until }: Lack, now: Instant, limit: number): Promise<boolean> => {
    const isDue = { state: "held", dueAt: { $lte: at(now) } } as const;
    const of = lacking === "mailbox" ? { mailboxHash: hash } : { profileHash: hash };
    const hint = lacking === "mailbox" ? "heldOfMailboxDue" : "heldOfProfileDue";
    const options = { projection: { _id: 1 }, sort: { dueAt: 1 }, limit, hint } as const;
    const ids = (await outbox.find({ ...of, ...isDue }, options).toArray()).map(({ _id }) => _id);
    if (ids.length === 0) return false;
    const due = { nextAttemptAt: at(until), dueAt: at(until) };
    await outbox.updateMany({ _id: { $in: ids }, ...isDue }, { $set: due });
    return true;
  };

  return {
    releaseHeld: async (limits, now, run) => {
      let lack: Lack | undefined;
      const releaseOne = async (): Promise<Turn> => {
        // Nothing is held most of the time: a read outside of a transaction says so.
        const held = () => outbox.findOne({ state: "held", dueAt: { $lte: at(now) } }, { sort: { dueAt: 1 } });
        if ((await database.run(held)) === null) return { done: 0, isLast: true };
        const released = await database.transaction((session) => releaseNext(session, limits, now));
        if (typeof released === "object") lack = released;
        return { done: released === "queued" ? 1 : 0, isLast: false };
      };
      const holdSome = async (given: Lack, size: number): Promise<Turn> => {
        if (!(await database.run(() => hold(given, now, size)))) lack = undefined;
        return { done: 0, isLast: false };
      };
      return await new Pace(HELD).turns((size) => (lack === undefined ? releaseOne() : holdSome(lack, size)), run);
    },

    // Each step is one conditional write. A worker that dies between two of them loses its lease; whoever claims the message
    // next starts the request's life anew.
    claim: async (worker, now, leaseMs, linkLifetimeMs) => {
      const claimOne = () =>
        database.run(async () => {
          // A lease moves dueAt on: a message whose worker died is due again when the lease has run out.
          const claimed = await outbox.findOneAndUpdate(
            { state: "queued", dueAt: { $lte: at(now) } },
            { $set: { leaseWorker: worker, dueAt: at(now + leaseMs) }, $inc: { attempts: 1 } },
            { sort: { dueAt: 1, seq: 1 }, returnDocument: "after" },
          );
          if (claimed === null) return undefined;
          const { _id: id, requestId, sealedContent } = claimed;
          const linkExpiresAt = requestId === null ? null : now + linkLifetimeMs;
          if (requestId !== null && linkExpiresAt !== null && !(await requests.startLife(requestId, linkExpiresAt))) {
            await release(id, worker, { state: "dropped", sealedContent: null });
            return "passed over";
          }
          const content = sealedContent === null ? undefined : openContent(seal, id, sealedContent);
          if (content === undefined) {
            await release(id, worker, { state: "failed", lastError: DAMAGED_CONTENT });
            return "passed over";
          }
          return { message: { ...toMessage(claimed), content }, linkExpiresAt };
        });
      for (;;) {
        const claimed = await claimOne();
        if (claimed !== "passed over") return claimed;
      }
    },

    enqueue: (mail, slots, now) =>
      database.transaction(async (session) => {
        const taken: string[] = [];
        for (const { key, ...limit } of slots) {
          const keyHash = throttles.hash(key);
          const slot = await throttles.take(keyHash, limit, now, session);
          if (!slot.taken) {
            for (const earlier of taken) await throttles.giveBack(earlier, session);
            return { queued: false, key, resetsAt: slot.resetsAt };
          }
          taken.push(keyHash);
        }
        await queueMail(session, mail, now);
        return { queued: true };
      }),

    markSent: (id, worker, serverReply, now) =>
      database.run(() => release(id, worker, { state: "sent", sealedContent: null, sentAt: at(now), serverReply })),

    markDeferred: (id, worker, error, nextAttemptAt) =>
      database.run(() => {
        const due = nextAttemptAt === null ? null : at(nextAttemptAt);
        const then = due === null ? ({ state: "failed" } as const) : { nextAttemptAt: due, dueAt: due };
        return release(id, worker, { lastError: error, ...then });
      }),

    find: (id) =>
      database.run(async () => {
        const found = await outbox.findOne({ _id: id });
        return found === null ? undefined : toDelivery(found);
      }),
    list: (filter) =>
      database.run(async () => {
        if ("inquiryId" in filter) {
          const { inquiryId, limit } = filter;
          return (await outbox.find({ inquiryId }, { sort: newestFirst, limit }).toArray()).map(toDelivery);
        }
        const { states, limit } = filter;
        const found = await outbox.find({ state: { $in: [...states] } }, { sort: newestFirst, limit }).toArray();
        return found.map(toDelivery);
      }),
    release: requeue("held", "mail.released"),
    resend: requeue("failed", "mail.resent"),
    noteBounce: (messageId, { reason, permanent }, now) =>
      database.run(async () => {
        const found = await outbox.findOneAndUpdate(
          { messageId, state: { $in: ["sent", "bounced"] } },
          { $set: { bounce: reason, ...(permanent ? { state: "bounced" as const, bouncedAt: at(now) } : {}) } },
          { returnDocument: "after" },
        );
        return found === null ? undefined : toDelivery(found);
      }),

    nextDueAt: () =>
      database.run(async () => {
        // `dueAt >= 0` holds for every message; it lets the earliest be read off the start of the index.
        const earliest = await outbox.findOne({ state: "queued", dueAt: { $gte: at(0) } }, { sort: { dueAt: 1 } });
        return earliest?.dueAt.getTime();
      }),
  };
}

const INNER = ["sealedContent", "dueAt", "leaseWorker", "mailboxHash", "profileHash", "rank", "seq"];

export function toDelivery(document: OutboxDocument): Delivery {
  const later = { kind: null, inquiryId: null, bouncedAt: null, bounce: null };
  return { ...later, ...toRecord<Delivery>(document, ...INNER) };
}

function toMessage(document: OutboxDocument): Omit<OutboxMessage, "content"> {
  const ofDeliveries = ["requestId", "serverReply", "kind", "inquiryId", "bouncedAt", "bounce"];
  return toRecord(document, ...INNER, ...ofDeliveries);
}
