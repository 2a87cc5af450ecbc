/**
 * Deferred mail, which waits for room at its mailbox or profile (stored as `held`): how it is queued when
 * there is room, and how one mail carries those for which there is none. The rules are domain/mailbox.ts's,
 * the rest of the outbox is outbox.ts's.
 */

import type { Instant } from "../../clock.ts";
import { answerIn, collect, type DeferredMail, type MailPlace } from "../../domain/deferred-mail.ts";
import { asLinkRequestId, type LinkRequestId } from "../../domain/ids.ts";
import { deferredUntil, MOST_COLLECTED } from "../../domain/mailbox.ts";
import type { NewMail } from "../../domain/records.ts";
import { type MailThrottleHashes, mailThrottleHashes } from "../../domain/throttle-keys.ts";
import { Pace, type Turn } from "../../pace.ts";
import { as, integer, nullable, text } from "../../sql-columns.ts";
import type { OutboxStore } from "../contract.ts";
import { DAMAGED_CONTENT, decryptContent, encryptContent, inquiryOf } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import type { Database } from "./database.ts";
import type { MailboxWriter } from "./mailboxes.ts";
import type { RequestWriter } from "./requests.ts";
import type { ThrottleWriter } from "./throttles.ts";

/** Queues a mail inside the transaction of its cause, or defers it. */
export type MailWriter = (mail: NewMail, now: Instant, place?: MailPlace) => void;

export function createMailWriter(
  database: Database,
  encryption: FieldEncryption,
  { throttles, mailboxes }: { throttles: ThrottleWriter; mailboxes: MailboxWriter },
): MailWriter {
  const insert = database.prepare(`
    INSERT INTO outbox (
      id, message_id, recipient, sealed_content, request_id, state, attempts, created_at, next_attempt_at,
      due_at, mailbox_hash, profile_hash, asker_hash, rank, place_at, kind, inquiry_id)
    VALUES (
      :id, :messageId, :to, :content, :requestId, :state, 0, :now, :due, :due, :mailboxHash, :profileHash,
        :askerHash,
      :rank, :placeAt, :kind, :inquiryId)`);
  const dropEarlier = database.prepare(
    `
    UPDATE outbox INDEXED BY outbox_held_of_asker
    SET state = 'dropped', sealed_content = NULL, next_attempt_at = :now
    WHERE state = 'held' AND profile_hash = :profileHash AND asker_hash = :askerHash
    RETURNING rank, ifnull(place_at, created_at) AS place_at`,
    { rank: integer, place_at: integer },
  );

  return ({ id, messageId, to, content, throttle }, now, place = { rank: 0, askerHash: null }) => {
    const message = {
      id,
      messageId,
      to,
      content: encryptContent(encryption, id, content),
      requestId: content.kind === "link" ? content.requestId : null,
      kind: content.kind,
      inquiryId: inquiryOf(content),
      now,
    };
    if (throttle === undefined) {
      const free = { mailboxHash: null, profileHash: null, askerHash: null, rank: 0, placeAt: now };
      insert.run({ ...message, ...free, state: "queued", due: now });
      return;
    }
    const keys = mailThrottleHashes(throttles.hash, throttle);
    const { askerHash } = place;
    const earlier = askerHash === null ? [] : dropEarlier.all({ profileHash: keys.profile, askerHash, now });
    const room = mailboxes.takeRoom(keys, throttle, now);
    insert.run({
      ...message,
      mailboxHash: keys.mailbox,
      profileHash: keys.profile,
      askerHash,
      rank: Math.min(place.rank, ...earlier.map((row) => row.rank)),
      placeAt: Math.min(now, ...earlier.map((row) => row.place_at)),
      state: room.taken ? "queued" : "held",
      due: room.taken ? now : deferredUntil(room, now),
    });
  };
}

/** How many deferred messages are dealt with in one transaction. */
const RELEASED = { least: 5, most: 200 };

/** Whose room is lacking, and until when: so long all that it has at the mailbox stays deferred. */
interface Lack extends MailThrottleHashes {
  lacking: keyof MailThrottleHashes;
  until: Instant;
}

/** What became of the deferred message whose turn it is, or of those that one mail carries. */
type Release = "none" | "queued" | "collected" | "dropped" | Lack;

const ORDER = "ORDER BY rank, place_at, due_at, rowid";

export function createDeferredMail(
  database: Database,
  encryption: FieldEncryption,
  parts: { requests: RequestWriter; mailboxes: MailboxWriter; queueMail: MailWriter },
): Pick<OutboxStore, "releaseDeferred"> {
  const { requests, mailboxes, queueMail } = parts;
  const requestId = nullable(as(text, asLinkRequestId));
  const longestDeferred = database.prepare(
    `
    SELECT mailbox_hash FROM outbox INDEXED BY outbox_held
    WHERE state = 'held' AND due_at <= :now ORDER BY due_at LIMIT 1`,
    { mailbox_hash: text },
  );
  const firstDue = database.prepare(
    `
    SELECT id, request_id, profile_hash FROM outbox INDEXED BY outbox_held_in_order
    WHERE state = 'held' AND mailbox_hash = :mailbox AND due_at <= :now ${ORDER} LIMIT 1`,
    { id: text, request_id: requestId, profile_hash: text },
  );
  const first = database.prepare(
    `
    SELECT id, message_id, recipient, sealed_content, request_id FROM outbox INDEXED BY outbox_held_in_order
    WHERE state = 'held' AND mailbox_hash = :mailbox ${ORDER} LIMIT ${MOST_COLLECTED}`,
    { id: text, message_id: text, recipient: text, sealed_content: text, request_id: requestId },
  );
  const queue = database.prepare(`
    UPDATE outbox SET state = 'queued', next_attempt_at = :now, due_at = :now WHERE id = :id AND state =
      'held'`);
  const drop = database.prepare(`
    UPDATE outbox SET state = 'dropped', sealed_content = NULL, next_attempt_at = :now WHERE id = :id AND
      state = 'held'`);
  const fail = database.prepare(`
    UPDATE outbox SET state = 'failed', last_error = :error, next_attempt_at = :now WHERE id = :id AND state
      = 'held'`);
  const carry = database.prepare(`
    UPDATE outbox SET state = 'carried', sealed_content = NULL, carried_by = :by, next_attempt_at = :now
    WHERE id = :id AND state = 'held'`);
  const postponeOf = (column: string) =>
    database.prepare(`
      UPDATE outbox SET next_attempt_at = :until, due_at = :until WHERE rowid IN (
        SELECT rowid FROM outbox INDEXED BY outbox_held_of_${column}
        WHERE state = 'held' AND ${column}_hash = :${column} AND due_at <= :now AND mailbox_hash = :mailbox
        ORDER BY due_at LIMIT :limit)`);
  const postpone = { mailbox: postponeOf("mailbox"), profile: postponeOf("profile") };

  const isDead = (row: { request_id: LinkRequestId | null }, now: Instant) =>
    row.request_id !== null && !requests.isPending(row.request_id, now);

  /**
   * Queues the mail that carries what comes first at a mailbox; while something dead stands there, drops that
   * instead.
   */
  const releaseTogether = (mailbox: string, now: Instant): "collected" | "dropped" => {
    const deferred: DeferredMail[] = [];
    let isWhole = true;
    for (const row of first.all({ mailbox })) {
      const { id } = row;
      const answer = answerIn(decryptContent(encryption, id, row.sealed_content));
      if (answer !== undefined && !isDead(row, now)) {
        deferred.push({ id, messageId: row.message_id, to: row.recipient, answer });
        continue;
      }
      isWhole = false;
      if (answer === undefined) fail.run({ id, error: DAMAGED_CONTENT, now });
      else drop.run({ id, now });
    }
    const [one, ...others] = deferred;
    if (!isWhole || one === undefined) return "dropped";
    if (others.length === 0) queue.run({ id: one.id, now });
    else {
      const mail = collect([one, ...others]);
      queueMail(mail, now);
      for (const { id } of deferred) carry.run({ id, by: mail.id, now });
    }
    return "collected";
  };

  /** Deals with the deferred message whose turn it is: queues or drops it, or says what lacks room for it. */
  const releaseNext = (limits: Parameters<OutboxStore["releaseDeferred"]>[0], now: Instant): Release => {
    const longest = longestDeferred.get({ now });
    if (longest === undefined) return "none";
    const mailbox = longest.mailbox_hash;
    const next = firstDue.get({ mailbox, now });
    if (next === undefined) throw new Error("a deferred message is of no mailbox");
    const { id } = next;
    if (isDead(next, now)) {
      drop.run({ id, now });
      return "dropped";
    }
    const hashes = { mailbox, profile: next.profile_hash };
    const room = mailboxes.takeRoom(hashes, limits, now);
    if (room.taken) {
      queue.run({ id, now });
      return "queued";
    }
    const { lacking, separateAt, collectedAt } = room;
    if (collectedAt > now) return { ...hashes, lacking, until: Math.min(separateAt, collectedAt) };
    const released = releaseTogether(mailbox, now);
    if (released === "collected") mailboxes.noteCollected(mailbox, limits.mailbox, now);
    return released;
  };

  return {
    releaseDeferred: async (limits, now, run) => {
      let lack: Lack | undefined;
      const releaseSome = (size: number): Turn => {
        let done = 0;
        for (let count = 0; count < size && lack === undefined; count += 1) {
          const released = releaseNext(limits, now);
          if (released === "none") return { done, isLast: true };
          if (released === "queued") done += 1;
          // One of these is as much as a turn may take.
          if (released === "collected") return { done: done + 1, isLast: false };
          if (typeof released === "object") lack = released;
        }
        if (lack === undefined) return { done, isLast: false };
        const { lacking, mailbox, profile, until } = lack;
        const whose = lacking === "mailbox" ? { mailbox } : { mailbox, profile };
        if (postpone[lacking].run({ ...whose, until, now, limit: size }) < size) lack = undefined;
        return { done, isLast: false };
      };
      return await new Pace(RELEASED).turns((size) => database.transaction(() => releaseSome(size)), run);
    },
  };
}
