/** Owns the outbox: messages wait here, sealed, until a worker has sent them. */

import { setImmediate } from "node:timers/promises";
import type { Instant } from "../../clock.ts";
import { Pace, type Turn } from "../../pace.ts";
import { mailRequeued } from "../audit-entries.ts";
import type { Limit, NewMail, OutboxStore } from "../contract.ts";
import type { Delivery, LinkRequestId, OutboxMessage } from "../records.ts";
import type { Seal } from "../seal.ts";
import { DAMAGED_CONTENT, inquiryOf, openContent, sealContent } from "../sealed-fields.ts";
import { type MailThrottleHashes, mailThrottleHashes } from "../throttle-keys.ts";
import type { AuditWriter } from "./audit.ts";
import type { Database, Row, Statement } from "./database.ts";
import type { RequestWriter } from "./requests.ts";
import { integer, parse, text } from "./rows.ts";
import type { ThrottleWriter } from "./throttles.ts";

const MESSAGE_JSON = `json_object(
  'id', id, 'messageId', message_id, 'to', recipient, 'state', state, 'attempts', attempts, 'createdAt', created_at,
  'nextAttemptAt', next_attempt_at, 'sentAt', sent_at, 'lastError', last_error)`;

/** A delivery, of outbox without an alias. */
export const DELIVERY_JSON = `json_object(
  'id', id, 'messageId', message_id, 'to', recipient, 'state', state, 'attempts', attempts, 'createdAt', created_at,
  'nextAttemptAt', next_attempt_at, 'sentAt', sent_at, 'lastError', last_error, 'kind', kind, 'inquiryId', inquiry_id,
  'requestId', request_id, 'serverReply', server_reply, 'bouncedAt', bounced_at, 'bounce', bounce)`;

const toDelivery = (row: Row | undefined) => row && parse<Delivery>(row["record"]);

/** Queues a mail inside the transaction of its cause. */
export type MailWriter = (mail: NewMail, now: Instant) => void;

export function createMailWriter(database: Database, seal: Seal, throttles: ThrottleWriter): MailWriter {
  const insert = database.prepare(`
    INSERT INTO outbox (
      id, message_id, recipient, sealed_content, request_id, state, attempts, created_at, next_attempt_at, due_at,
      mailbox_hash, profile_hash, rank, kind, inquiry_id)
    VALUES (
      :id, :messageId, :to, :content, :requestId, :state, 0, :now, :due, :due, :mailboxHash, :profileHash, :rank,
      :kind, :inquiryId)`);
  return ({ id, messageId, to, content, throttle }, now) => {
    const requestId: LinkRequestId | null = content.kind === "link" ? content.requestId : null;
    const keys = throttle === undefined ? null : mailThrottleHashes(throttles.hash, throttle);
    const room = throttle === undefined || keys === null ? null : takeRoom(throttles, keys, throttle, now);
    insert.run({
      ...{ id, messageId, to, content: sealContent(seal, id, content), requestId, now },
      ...{ state: room?.lacking === undefined ? "queued" : "held", due: room?.resetsAt ?? now },
      ...{ mailboxHash: keys?.mailbox ?? null, profileHash: keys?.profile ?? null, rank: throttle?.rank ?? 0 },
      ...{ kind: content.kind, inquiryId: inquiryOf(content) },
    });
  };
}

/** How many held messages are dealt with in one transaction. */
const RELEASED = { least: 5, most: 200 };

/** Whose room is lacking, and until when: so long all that it has stays held. */
interface Lack {
  lacking: keyof MailThrottleHashes;
  hash: string;
  until: Instant;
}

/** What became of the held message whose turn it is. */
type Release = "none" | "queued" | "dropped" | Lack;

/** Takes a slot of each, or none and says which one lacks it and until when. */
function takeRoom(
  throttles: ThrottleWriter,
  keys: MailThrottleHashes,
  limits: { mailbox: Limit; profile: Limit },
  now: Instant,
): { lacking: keyof MailThrottleHashes; resetsAt: Instant } | { lacking: undefined; resetsAt: undefined } {
  const profile = throttles.take(keys.profile, limits.profile, now);
  if (!profile.taken) return { lacking: "profile", resetsAt: profile.resetsAt };
  const mailbox = throttles.take(keys.mailbox, limits.mailbox, now);
  if (mailbox.taken) return { lacking: undefined, resetsAt: undefined };
  throttles.giveBack(keys.profile);
  return { lacking: "mailbox", resetsAt: mailbox.resetsAt };
}

export function createOutboxStore(
  database: Database,
  seal: Seal,
  {
    requests,
    throttles,
    audit,
    queueMail,
  }: { requests: RequestWriter; throttles: ThrottleWriter; audit: AuditWriter; queueMail: MailWriter },
): OutboxStore {
  // Each of these names its index: by itself SQLite takes the one by state, and sorts all that wait.
  // A lease moves due_at on: a message whose worker died is due again when the lease has run out.
  const claimNext = database.prepare(`
    UPDATE outbox SET lease_worker = :worker, due_at = :until, attempts = attempts + 1
    WHERE rowid = (
      SELECT rowid FROM outbox INDEXED BY outbox_queued
      WHERE state = 'queued' AND due_at <= :now ORDER BY due_at, rowid LIMIT 1)
    RETURNING id, sealed_content, request_id, ${MESSAGE_JSON} AS record`);
  const drop = database.prepare(`
    UPDATE outbox SET state = 'dropped', sealed_content = NULL, lease_worker = NULL WHERE id = :id`);
  const markSent = database.prepare(`
    UPDATE outbox SET state = 'sent', sealed_content = NULL, lease_worker = NULL, sent_at = :now, server_reply = :serverReply
    WHERE id = :id AND state = 'queued' AND lease_worker = :worker`);
  const defer = database.prepare(`
    UPDATE outbox SET lease_worker = NULL, last_error = :error, next_attempt_at = :at, due_at = :at
    WHERE id = :id AND state = 'queued' AND lease_worker = :worker`);
  const fail = database.prepare(`
    UPDATE outbox SET state = 'failed', lease_worker = NULL, last_error = :error
    WHERE id = :id AND state = 'queued' AND lease_worker = :worker`);
  // `due_at >= 0` holds for every message; it lets the earliest be read off the start of the index.
  const earliest = database.prepare(`
    SELECT due_at FROM outbox INDEXED BY outbox_queued
    WHERE state = 'queued' AND due_at >= 0 ORDER BY due_at LIMIT 1`);

  const delivery = (condition: string) =>
    database.prepare(`SELECT ${DELIVERY_JSON} AS record FROM outbox WHERE ${condition}`);
  const find = delivery("id = :id");
  const ofInquiry = delivery("inquiry_id = :inquiryId ORDER BY created_at DESC, rowid DESC LIMIT :limit");
  const inState = delivery(
    "state = :state AND state IN ('held', 'failed', 'bounced') ORDER BY created_at DESC, rowid DESC LIMIT :limit",
  );
  const release = database.prepare(`
    UPDATE outbox SET state = 'queued', next_attempt_at = :now, due_at = :now
    WHERE id = :id AND state = 'held' RETURNING request_id`);
  const resend = database.prepare(`
    UPDATE outbox SET state = 'queued', attempts = 0, created_at = :now, next_attempt_at = :now, due_at = :now
    WHERE id = :id AND state = 'failed' RETURNING request_id`);
  const noteBounce = database.prepare(`
    UPDATE outbox SET bounce = :reason, bounced_at = iif(:permanent, :now, bounced_at),
      state = iif(:permanent, 'bounced', state)
    WHERE message_id = :messageId AND state IN ('sent', 'bounced') RETURNING ${DELIVERY_JSON} AS record`);
  const requeue =
    (statement: Statement, action: "mail.released" | "mail.resent") => (id: string, actor: string, now: Instant) =>
      database.transaction(() => {
        const row = statement.get({ id, now });
        if (row === undefined) return false;
        audit(mailRequeued(action, { mail: id, requestId: row["request_id"] as string | null }, actor, now));
        return true;
      });

  const heldLongest = database.prepare(`
    SELECT mailbox_hash FROM outbox INDEXED BY outbox_held
    WHERE state = 'held' AND due_at <= :now ORDER BY due_at LIMIT 1`);
  const heldFirst = database.prepare(`
    SELECT id, request_id, profile_hash FROM outbox INDEXED BY outbox_held_by_rank
    WHERE state = 'held' AND mailbox_hash = :mailbox AND due_at <= :now
    ORDER BY rank, created_at DESC, due_at DESC, rowid DESC LIMIT 1`);
  const queueHeld = database.prepare(`
    UPDATE outbox SET state = 'queued', next_attempt_at = :now, due_at = :now WHERE id = :id AND state = 'held'`);
  const holdOf = (column: string) =>
    database.prepare(`
      UPDATE outbox SET next_attempt_at = :until, due_at = :until WHERE rowid IN (
        SELECT rowid FROM outbox INDEXED BY outbox_held_of_${column}
        WHERE state = 'held' AND ${column}_hash = :hash AND due_at <= :now ORDER BY due_at LIMIT :limit)`);
  const holds = { mailbox: holdOf("mailbox"), profile: holdOf("profile") };

  /** Deals with the held message whose turn it is: queues or drops it, or says what has no room for it. */
  const releaseNext = (limits: { mailbox: Limit; profile: Limit }, now: Instant): Release => {
    const longest = heldLongest.get({ now });
    if (longest === undefined) return "none";
    const mailbox = text(longest["mailbox_hash"]);
    const first = heldFirst.get({ mailbox, now });
    if (first === undefined) throw new Error("a held message is of no mailbox");
    const id = text(first["id"]);
    if (first["request_id"] !== null && !requests.isPending(text(first["request_id"]))) {
      drop.run({ id });
      return "dropped";
    }
    const hashes = { mailbox, profile: text(first["profile_hash"]) };
    const { lacking, resetsAt } = takeRoom(throttles, hashes, limits, now);
    if (lacking !== undefined) return { lacking, hash: hashes[lacking], until: resetsAt };
    queueHeld.run({ id, now });
    return "queued";
  };

  /** Claims the next message, or gives up or drops one that can't go any more. */
  const claimOne = (worker: string, now: Instant, until: Instant, linkLifetimeMs: number) => {
    const row = claimNext.get({ worker, now, until });
    if (row === undefined) return undefined;
    const id = text(row["id"]);
    const isLink = row["request_id"] !== null;
    const linkExpiresAt = isLink ? now + linkLifetimeMs : null;
    if (linkExpiresAt !== null && !requests.startLife(text(row["request_id"]), linkExpiresAt)) {
      drop.run({ id });
      return "passed over";
    }
    const content = openContent(seal, id, text(row["sealed_content"]));
    if (content === undefined) {
      fail.run({ id, worker, error: DAMAGED_CONTENT });
      return "passed over";
    }
    return { message: { ...parse<Omit<OutboxMessage, "content">>(row["record"]), content }, linkExpiresAt };
  };

  return {
    releaseHeld: async (limits, now, run) => {
      let lack: Lack | undefined;
      const releaseSome = (size: number): Turn => {
        let done = 0;
        for (let count = 0; count < size && lack === undefined; count += 1) {
          const released = releaseNext(limits, now);
          if (released === "none") return { done, isLast: true };
          if (released === "queued") done += 1;
          if (typeof released === "object") lack = released;
        }
        if (lack === undefined) return { done, isLast: false };
        const { lacking, hash, until } = lack;
        if (holds[lacking].run({ hash, until, now, limit: size }) < size) lack = undefined;
        return { done, isLast: false };
      };
      return await new Pace(RELEASED).turns((size) => database.transaction(() => releaseSome(size)), run);
    },

    claim: async (worker, now, leaseMs, linkLifetimeMs) => {
      const until = now + leaseMs;
      for (;;) {
        const claimed = await database.transaction(() => claimOne(worker, now, until, linkLifetimeMs));
        if (claimed !== "passed over") return claimed;
        await setImmediate();
      }
    },

    enqueue: (mail, slots, now) =>
      database.transaction(() => {
        const taken: string[] = [];
        for (const { key, ...limit } of slots) {
          const keyHash = throttles.hash(key);
          const slot = throttles.take(keyHash, limit, now);
          if (!slot.taken) {
            for (const earlier of taken) throttles.giveBack(earlier);
            return { queued: false, key, resetsAt: slot.resetsAt };
          }
          taken.push(keyHash);
        }
        queueMail(mail, now);
        return { queued: true };
      }),

    markSent: (id, worker, serverReply, now) =>
      database.run(() => markSent.run({ id, worker, serverReply, now }) === 1),

    markDeferred: (id, worker, error, nextAttemptAt) =>
      database.run(() => {
        const changed =
          nextAttemptAt === null
            ? fail.run({ id, worker, error })
            : defer.run({ id, worker, error, at: nextAttemptAt });
        return changed === 1;
      }),

    find: (id) => database.run(() => toDelivery(find.get({ id }))),
    list: (filter) =>
      database.run(() => {
        const rows =
          "inquiryId" in filter
            ? ofInquiry.all({ inquiryId: filter.inquiryId, limit: filter.limit })
            : filter.states.flatMap((state) => inState.all({ state, limit: filter.limit }));
        const found = rows.flatMap((row) => toDelivery(row) ?? []);
        const newestFirst = found.toSorted((one, other) => other.createdAt - one.createdAt);
        return newestFirst.slice(0, filter.limit);
      }),
    release: requeue(release, "mail.released"),
    resend: requeue(resend, "mail.resent"),
    noteBounce: (messageId, { reason, permanent }, now) =>
      database.run(() => toDelivery(noteBounce.get({ messageId, reason, permanent: permanent ? 1 : 0, now }))),

    nextDueAt: () =>
      database.run(() => {
        const row = earliest.get();
        return row && integer(row["due_at"]);
      }),
  };
}
