/**
 * Deferred mail, which waits for room at its mailbox or profile (stored as `held`): how it is queued when
 * there is room, and how one mail carries those for which there is none. The rules are domain/mailbox.ts's,
 * the rest of the outbox is outbox.ts's.
 */

import { type ClientSession, ObjectId } from "mongodb";
import type { Instant } from "../../clock.ts";
import { answerIn, collect, type DeferredMail, type MailPlace } from "../../domain/deferred-mail.ts";
import { deferredUntil, MOST_COLLECTED } from "../../domain/mailbox.ts";
import type { NewMail } from "../../domain/records.ts";
import { type MailThrottleHashes, mailThrottleHashes } from "../../domain/throttle-keys.ts";
import { Pace, type Turn } from "../../pace.ts";
import type { OutboxStore } from "../contract.ts";
import { DAMAGED_CONTENT, decryptContent, encryptContent, inquiryOf } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { type MongoDatabase, TURN_MS } from "./database.ts";
import { at, type OutboxDocument } from "./documents.ts";
import type { MailboxWriter } from "./mailboxes.ts";
import type { RequestWriter } from "./requests.ts";
import type { ThrottleWriter } from "./throttles.ts";

/** Queues a mail inside the transaction of its cause, or defers it. */
export type MailWriter = (
  session: ClientSession,
  mail: NewMail,
  now: Instant,
  place?: MailPlace,
) => Promise<void>;

export function createMailWriter(
  { collections }: MongoDatabase,
  encryption: FieldEncryption,
  { throttles, mailboxes }: { throttles: ThrottleWriter; mailboxes: MailboxWriter },
): MailWriter {
  const { outbox } = collections;

  /** Drops what waits of the same asker for the same profile. */
  const dropEarlier = async (
    session: ClientSession,
    profileHash: string,
    askerHash: string,
    now: Instant,
  ) => {
    const isTheirs = { state: "held", profileHash, askerHash } as const;
    const found = await outbox.find(isTheirs, { session }).toArray();
    if (found.length === 0) return [];
    const change = { state: "dropped", sealedContent: null, nextAttemptAt: at(now) } as const;
    await outbox.updateMany({ _id: { $in: found.map(({ _id }) => _id) } }, { $set: change }, { session });
    return found.map(({ rank = 0, placeAt, createdAt }) => ({
      rank,
      placeAt: (placeAt ?? createdAt).getTime(),
    }));
  };

  return async (
    session,
    { id, messageId, to, content, throttle },
    now,
    place = { rank: 0, askerHash: null },
  ) => {
    const message = {
      _id: id,
      messageId,
      to,
      sealedContent: encryptContent(encryption, id, content),
      requestId: content.kind === "link" ? content.requestId : null,
      kind: content.kind,
      inquiryId: inquiryOf(content),
      attempts: 0,
      createdAt: at(now),
      seq: new ObjectId(),
      leaseWorker: null,
      sentAt: null,
      serverReply: null,
      lastError: null,
    };
    if (throttle === undefined) {
      const free = { mailboxHash: null, profileHash: null, rank: 0 };
      const due = { state: "queued", nextAttemptAt: at(now), dueAt: at(now) } as const;
      await outbox.insertOne({ ...message, ...free, ...due }, { session });
      return;
    }
    const keys = mailThrottleHashes(throttles.hash, throttle);
    const { askerHash } = place;
    const earlier = askerHash === null ? [] : await dropEarlier(session, keys.profile, askerHash, now);
    const room = await mailboxes.takeRoom(session, keys, throttle, now);
    const due = at(room.taken ? now : deferredUntil(room, now));
    await outbox.insertOne(
      {
        ...message,
        mailboxHash: keys.mailbox,
        profileHash: keys.profile,
        askerHash,
        rank: Math.min(place.rank, ...earlier.map(({ rank }) => rank)),
        placeAt: at(Math.min(now, ...earlier.map(({ placeAt }) => placeAt))),
        state: room.taken ? "queued" : "held",
        nextAttemptAt: due,
        dueAt: due,
      },
      { session },
    );
  };
}

/**
 * How many messages without room are put off at a time; those with room go one by one, for each is a
 * transaction.
 */
const RELEASED = { least: 50, most: 500, turnMs: TURN_MS };

/** Whose room is lacking, and until when: so long all that it has at the mailbox stays deferred. */
interface Lack extends MailThrottleHashes {
  lacking: keyof MailThrottleHashes;
  until: Instant;
}

/** What became of the deferred message whose turn it is, or of those that one mail carries. */
type Release = "none" | "queued" | "collected" | "dropped" | Lack;

const ORDER = { rank: 1, placeAt: 1, dueAt: 1, seq: 1 } as const;

export function createDeferredMail(
  database: MongoDatabase,
  encryption: FieldEncryption,
  parts: { requests: RequestWriter; mailboxes: MailboxWriter; queueMail: MailWriter },
): Pick<OutboxStore, "releaseDeferred"> {
  const { requests, mailboxes, queueMail } = parts;
  const { outbox } = database.collections;
  const isDue = (now: Instant) => ({ state: "held", dueAt: { $lte: at(now) } }) as const;

  const change = async (session: ClientSession, ids: readonly string[], set: Partial<OutboxDocument>) => {
    if (ids.length > 0)
      await outbox.updateMany({ _id: { $in: [...ids] }, state: "held" }, { $set: set }, { session });
  };
  const drop = (session: ClientSession, ids: readonly string[], now: Instant) =>
    change(session, ids, { state: "dropped", sealedContent: null, nextAttemptAt: at(now) });
  const queue = (session: ClientSession, id: string, now: Instant) =>
    change(session, [id], { state: "queued", nextAttemptAt: at(now), dueAt: at(now) });

  /**
   * Queues the mail that carries what comes first at a mailbox; while something dead stands there, drops that
   * instead.
   */
  const releaseTogether = async (session: ClientSession, mailboxHash: string, now: Instant) => {
    const order = { sort: ORDER, limit: MOST_COLLECTED, hint: "heldInOrder", session } as const;
    const found = await outbox.find({ state: "held", mailboxHash }, order).toArray();
    const asked = found.flatMap(({ requestId }) => requestId ?? []);
    const pending = await requests.pending(session, asked, now);
    const dead = found.filter(({ requestId }) => requestId !== null && !pending.has(requestId));
    const deferred: DeferredMail[] = [];
    const damaged: string[] = [];
    for (const { _id: id, messageId, to, sealedContent } of found) {
      const answer = answerIn(
        sealedContent === null ? undefined : decryptContent(encryption, id, sealedContent),
      );
      if (answer === undefined) damaged.push(id);
      else deferred.push({ id, messageId, to, answer });
    }
    await change(session, damaged, { state: "failed", lastError: DAMAGED_CONTENT, nextAttemptAt: at(now) });
    await drop(
      session,
      dead.map(({ _id }) => _id),
      now,
    );
    const [one, ...others] = deferred;
    if (dead.length > 0 || damaged.length > 0 || one === undefined) return "dropped";
    if (others.length === 0) await queue(session, one.id, now);
    else {
      const mail = collect([one, ...others]);
      await queueMail(session, mail, now);
      const carried = {
        state: "carried",
        sealedContent: null,
        carriedBy: mail.id,
        nextAttemptAt: at(now),
      } as const;
      await change(
        session,
        deferred.map(({ id }) => id),
        carried,
      );
    }
    return "collected";
  };

  /** Deals with the deferred message whose turn it is: queues or drops it, or says what lacks room for it. */
  const releaseNext = async (
    session: ClientSession,
    limits: Parameters<OutboxStore["releaseDeferred"]>[0],
    now: Instant,
  ): Promise<Release> => {
    const longest = await outbox.findOne(isDue(now), { sort: { dueAt: 1 }, session });
    if (longest === null) return "none";
    const { mailboxHash = null } = longest;
    const order = { sort: ORDER, hint: "heldInOrder", session } as const;
    const first = await outbox.findOne({ ...isDue(now), mailboxHash }, order);
    if (mailboxHash === null || first?.profileHash == null)
      throw new Error("a deferred message is of no mailbox");
    const { _id, requestId, profileHash } = first;
    if (requestId !== null && !(await requests.pending(session, [requestId], now)).has(requestId)) {
      await drop(session, [_id], now);
      return "dropped";
    }
    const hashes = { mailbox: mailboxHash, profile: profileHash };
    const room = await mailboxes.takeRoom(session, hashes, limits, now);
    if (room.taken) {
      await queue(session, _id, now);
      return "queued";
    }
    const { lacking, separateAt, collectedAt } = room;
    if (collectedAt > now) return { ...hashes, lacking, until: Math.min(separateAt, collectedAt) };
    const released = await releaseTogether(session, mailboxHash, now);
    if (released === "collected") await mailboxes.noteCollected(session, mailboxHash, limits.mailbox, now);
    return released;
  };

  /**
   * Postpones some that are due, of those for which there is no room, until there may be; false once none is
   * left.
   */
  const postpone = async (
    { lacking, mailbox, profile, until }: Lack,
    now: Instant,
    limit: number,
  ): Promise<boolean> => {
    const of =
      lacking === "mailbox" ? { mailboxHash: mailbox } : { profileHash: profile, mailboxHash: mailbox };
    const hint = lacking === "mailbox" ? "heldOfMailboxDue" : "heldOfProfileDue";
    const options = { projection: { _id: 1 }, sort: { dueAt: 1 }, limit, hint } as const;
    const ids = (await outbox.find({ ...of, ...isDue(now) }, options).toArray()).map(({ _id }) => _id);
    if (ids.length === 0) return false;
    const due = { nextAttemptAt: at(until), dueAt: at(until) };
    await outbox.updateMany({ _id: { $in: ids }, ...isDue(now) }, { $set: due });
    return true;
  };

  return {
    releaseDeferred: async (limits, now, run) => {
      let lack: Lack | undefined;
      const releaseOne = async (): Promise<Turn> => {
        // Nothing is deferred most of the time: a read outside of a transaction says so.
        const longestDue = () => outbox.findOne(isDue(now), { sort: { dueAt: 1 } });
        if ((await database.run(longestDue)) === null) return { done: 0, isLast: true };
        const released = await database.transaction((session) => releaseNext(session, limits, now));
        if (typeof released === "object") lack = released;
        return { done: released === "queued" || released === "collected" ? 1 : 0, isLast: false };
      };
      const postponeSome = async (given: Lack, size: number): Promise<Turn> => {
        if (!(await database.run(() => postpone(given, now, size)))) lack = undefined;
        return { done: 0, isLast: false };
      };
      return await new Pace(RELEASED).turns(
        (size) => (lack === undefined ? releaseOne() : postponeSome(lack, size)),
        run,
      );
    },
  };
}
