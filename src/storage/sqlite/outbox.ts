/** The outbox in SQLite: messages wait here, encrypted, until a worker has sent them. */

import { setImmediate } from "node:timers/promises";
import type { Instant, Milliseconds } from "../../clock.ts";
import { mailRequeued } from "../../domain/audit-entries.ts";
import { requestsIn, withLinksOf } from "../../domain/deferred-mail.ts";
import { asLinkRequestId } from "../../domain/ids.ts";
import type { Delivery, OutboxMessage } from "../../domain/records.ts";
import { as, integer, nullable, type RowOf, text } from "../../sql-columns.ts";
import type { OutboxStore } from "../contract.ts";
import { DAMAGED_CONTENT, decryptContent } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import type { AuditWriter } from "./audit.ts";
import type { Database, Query } from "./database.ts";
import { createDeferredMail, type MailWriter } from "./deferred-mail.ts";
import { type Fields, object } from "./json.ts";
import type { MailboxWriter } from "./mailboxes.ts";
import type { RequestWriter } from "./requests.ts";
import type { ThrottleWriter } from "./throttles.ts";

const MESSAGE: Fields<Omit<OutboxMessage, "content">> = {
  id: "id",
  messageId: "message_id",
  to: "recipient",
  state: "state",
  attempts: "attempts",
  createdAt: "created_at",
  nextAttemptAt: "next_attempt_at",
  sentAt: "sent_at",
  lastError: "last_error",
};
const MESSAGE_JSON = object(MESSAGE);

/** Of outbox without an alias. */
export const DELIVERY_FIELDS: Fields<Delivery> = {
  ...MESSAGE,
  kind: "kind",
  inquiryId: "inquiry_id",
  requestId: "request_id",
  carriedBy: "carried_by",
  serverReply: "server_reply",
  bouncedAt: "bounced_at",
  bounce: "bounce",
};
export const DELIVERY_JSON = object(DELIVERY_FIELDS);

interface OutboxParts {
  requests: RequestWriter;
  throttles: ThrottleWriter;
  mailboxes: MailboxWriter;
  audit: AuditWriter;
  queueMail: MailWriter;
}

export function createOutboxStore(
  database: Database,
  encryption: FieldEncryption,
  { requests, throttles, mailboxes, audit, queueMail }: OutboxParts,
): OutboxStore {
  // Each of these names its index: by itself SQLite takes the one by state, and sorts all that wait.
  // A lease moves due_at on: a message whose worker died is due again when the lease has run out.
  const claimNext = database.prepare(
    `
    UPDATE outbox SET lease_worker = :worker, due_at = :until, attempts = attempts + 1
    WHERE rowid = (
      SELECT rowid FROM outbox INDEXED BY outbox_queued
      WHERE state = 'queued' AND due_at <= :now ORDER BY due_at, rowid LIMIT 1)
    RETURNING sealed_content, ${MESSAGE_JSON} AS record`,
    { sealed_content: text, record: MESSAGE_JSON },
  );
  const drop = database.prepare(`
    UPDATE outbox SET state = 'dropped', sealed_content = NULL, lease_worker = NULL WHERE id = :id`);
  // What a collected mail leaves out is dropped by itself.
  const dropCarried = database.prepare(`
    UPDATE outbox INDEXED BY outbox_carried SET state = 'dropped', next_attempt_at = :now
    WHERE carried_by = :id AND request_id = :requestId AND state = 'carried'`);
  const requestId = { request_id: nullable(as(text, asLinkRequestId)) };
  const carried = database.prepare(
    `
    SELECT request_id FROM outbox INDEXED BY outbox_carried
    WHERE carried_by = :id AND state = 'carried' ORDER BY rowid`,
    requestId,
  );
  const markSent = database.prepare(`
    UPDATE outbox SET state = 'sent', sealed_content = NULL, lease_worker = NULL, sent_at = :now,
      server_reply = :serverReply
    WHERE id = :id AND state = 'queued' AND lease_worker = :worker`);
  const defer = database.prepare(`
    UPDATE outbox SET lease_worker = NULL, last_error = :error, next_attempt_at = :at, due_at = :at
    WHERE id = :id AND state = 'queued' AND lease_worker = :worker`);
  const fail = database.prepare(`
    UPDATE outbox SET state = 'failed', lease_worker = NULL, last_error = :error
    WHERE id = :id AND state = 'queued' AND lease_worker = :worker`);
  // `due_at >= 0` holds for every message; it lets the earliest be read off the start of the index.
  const earliest = database.prepare(
    `
    SELECT due_at FROM outbox INDEXED BY outbox_queued
    WHERE state = 'queued' AND due_at >= 0 ORDER BY due_at LIMIT 1`,
    { due_at: integer },
  );

  const delivery = (condition: string) =>
    database.prepare(`SELECT ${DELIVERY_JSON} AS record FROM outbox WHERE ${condition}`, {
      record: DELIVERY_JSON,
    });
  const find = delivery("id = :id");
  const ofInquiry = delivery("inquiry_id = :inquiryId ORDER BY created_at DESC, rowid DESC LIMIT :limit");
  const inState = delivery(
    "state = :state AND state IN ('held', 'failed', 'bounced') ORDER BY created_at DESC, rowid DESC " +
      "LIMIT :limit",
  );
  const release = database.prepare(
    `
    UPDATE outbox SET state = 'queued', next_attempt_at = :now, due_at = :now
    WHERE id = :id AND state = 'held' RETURNING request_id`,
    requestId,
  );
  const resend = database.prepare(
    `
    UPDATE outbox SET state = 'queued', attempts = 0, created_at = :now, next_attempt_at = :now, due_at = :now
    WHERE id = :id AND state = 'failed' RETURNING request_id`,
    requestId,
  );
  const noteBounce = database.prepare(
    `
    UPDATE outbox SET bounce = :reason, bounced_at = iif(:permanent, coalesce(bounced_at, :now), bounced_at),
      state = iif(:permanent, 'bounced', state)
    WHERE message_id = :messageId AND state IN ('sent', 'bounced') RETURNING ${DELIVERY_JSON} AS record`,
    { record: DELIVERY_JSON },
  );
  const requeue =
    (statement: Query<RowOf<typeof requestId>>, action: "mail.released" | "mail.resent") =>
    (id: string, actor: string, now: Instant) =>
      database.transaction(() => {
        const row = statement.get({ id, now });
        if (row === undefined) return false;
        const about = [row, ...carried.all({ id })].map((one) => one.request_id);
        const requestIds = about.filter((one) => one !== null);
        for (const one of requestIds.length === 0 ? [null] : requestIds) {
          audit(mailRequeued(action, { mail: id, requestId: one }, actor, now));
        }
        return true;
      });

  /** Claims the next message, or gives up or drops one that can't go any more. */
  const claimOne = (worker: string, now: Instant, until: Instant, linkLifetimeMs: Milliseconds) => {
    const row = claimNext.get({ worker, now, until });
    if (row === undefined) return undefined;
    const { id } = row.record;
    const stored = decryptContent(encryption, id, row.sealed_content);
    if (stored === undefined) {
      fail.run({ id, worker, error: DAMAGED_CONTENT });
      return "passed over";
    }
    const links = requestsIn(stored);
    const expiresAt = now + linkLifetimeMs;
    const alive = new Set(links.filter((requestId) => requests.startLife(requestId, expiresAt)));
    const content = withLinksOf(stored, alive);
    for (const requestId of links) if (!alive.has(requestId)) dropCarried.run({ id, requestId, now });
    if (content === undefined) {
      drop.run({ id });
      return "passed over";
    }
    const message = { ...row.record, content };
    return { message, linkExpiresAt: alive.size === 0 ? null : expiresAt };
  };

  return {
    ...createDeferredMail(database, encryption, { requests, mailboxes, queueMail }),

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

    find: (id) => database.run(() => find.get({ id })?.record),
    list: (filter) =>
      database.run(() => {
        const rows =
          "inquiryId" in filter
            ? ofInquiry.all({ inquiryId: filter.inquiryId, limit: filter.limit })
            : filter.states.flatMap((state) => inState.all({ state, limit: filter.limit }));
        const found = rows.map(({ record }) => record);
        const newestFirst = found.toSorted((one, other) => other.createdAt - one.createdAt);
        return newestFirst.slice(0, filter.limit);
      }),
    release: requeue(release, "mail.released"),
    resend: requeue(resend, "mail.resent"),
    noteBounce: (messageId, { reason, permanent }, now) =>
      database.run(() => noteBounce.get({ messageId, reason, permanent: permanent ? 1 : 0, now })?.record),

    nextDueAt: () => database.run(() => earliest.get()?.due_at),
  };
}
