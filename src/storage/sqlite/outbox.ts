/** Owns the outbox: messages wait here, sealed, until a worker has sent them. */

import type { Instant } from "../../clock.ts";
import type { NewMail, OutboxStore } from "../contract.ts";
import type { LinkRequestId, OutboxMessage } from "../records.ts";
import type { Seal } from "../seal.ts";
import { DAMAGED_CONTENT, openContent, sealContent } from "../sealed-fields.ts";
import type { Database } from "./database.ts";
import type { RequestWriter } from "./requests.ts";
import { integer, parse, text } from "./rows.ts";

const MESSAGE_JSON = `json_object(
  'id', id, 'messageId', message_id, 'to', recipient, 'state', state, 'attempts', attempts, 'createdAt', created_at,
  'nextAttemptAt', next_attempt_at, 'sentAt', sent_at, 'lastError', last_error)`;

/** Queues a mail inside the transaction of its cause. */
export type MailWriter = (mail: NewMail, now: Instant) => void;

export function createMailWriter(database: Database, seal: Seal): MailWriter {
  const insert = database.prepare(`
    INSERT INTO outbox (
      id, message_id, recipient, sealed_content, request_id, state, attempts, created_at, next_attempt_at, due_at)
    VALUES (:id, :messageId, :to, :content, :requestId, 'queued', 0, :now, :now, :now)`);
  return ({ id, messageId, to, content }, now) => {
    const requestId: LinkRequestId | null = content.kind === "link" ? content.requestId : null;
    insert.run({ id, messageId, to, content: sealContent(seal, id, content), requestId, now });
  };
}

export function createOutboxStore(database: Database, seal: Seal, requests: RequestWriter): OutboxStore {
  // A lease moves due_at on: a message whose worker died is due again when the lease has run out.
  const claimNext = database.prepare(`
    UPDATE outbox SET lease_worker = :worker, due_at = :until, attempts = attempts + 1
    WHERE rowid = (
      SELECT rowid FROM outbox WHERE state = 'queued' AND due_at <= :now ORDER BY due_at, rowid LIMIT 1)
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
    SELECT due_at FROM outbox WHERE state = 'queued' AND due_at >= 0 ORDER BY due_at LIMIT 1`);

  return {
    claim: (worker, now, leaseMs, linkLifetimeMs) =>
      database.transaction(() => {
        for (;;) {
          const row = claimNext.get({ worker, now, until: now + leaseMs });
          if (row === undefined) return undefined;
          const id = text(row["id"]);
          const isLink = row["request_id"] !== null;
          const linkExpiresAt = isLink ? now + linkLifetimeMs : null;
          if (linkExpiresAt !== null && !requests.startLife(text(row["request_id"]), linkExpiresAt)) {
            drop.run({ id });
            continue;
          }
          const content = openContent(seal, id, text(row["sealed_content"]));
          if (content === undefined) {
            fail.run({ id, worker, error: DAMAGED_CONTENT });
            continue;
          }
          return { message: { ...parse<Omit<OutboxMessage, "content">>(row["record"]), content }, linkExpiresAt };
        }
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

    nextDueAt: () =>
      database.run(() => {
        const row = earliest.get();
        return row && integer(row["due_at"]);
      }),
  };
}
