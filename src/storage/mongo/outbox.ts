/** The outbox in MongoDB: messages wait here, encrypted, until a worker has sent them. */

import type { Instant } from "../../clock.ts";
import { mailRequeued } from "../../domain/audit-entries.ts";
import { requestsIn, withLinksOf } from "../../domain/deferred-mail.ts";
import type { Delivery, OutboxMessage } from "../../domain/records.ts";
import type { OutboxStore } from "../contract.ts";
import { DAMAGED_CONTENT, decryptContent } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import type { AuditWriter } from "./audit.ts";
import type { MongoDatabase } from "./database.ts";
import { createDeferredMail, type MailWriter } from "./deferred-mail.ts";
import { at, type OutboxDocument, toRecord } from "./documents.ts";
import type { MailboxWriter } from "./mailboxes.ts";
import type { RequestWriter } from "./requests.ts";
import type { ThrottleWriter } from "./throttles.ts";
import type { Values } from "./typed-collection.ts";

interface OutboxParts {
  requests: RequestWriter;
  throttles: ThrottleWriter;
  mailboxes: MailboxWriter;
  audit: AuditWriter;
  queueMail: MailWriter;
}

export function createOutboxStore(
  database: MongoDatabase,
  encryption: FieldEncryption,
  { requests, throttles, mailboxes, audit, queueMail }: OutboxParts,
): OutboxStore {
  const { outbox } = database.collections;

  /** Ends the lease of the worker that holds the message. False if it was lost. */
  const release = async (id: string, worker: string, change: Values<OutboxDocument>) => {
    const { modifiedCount } = await outbox.updateOne(
      { _id: id, state: "queued", leaseWorker: worker },
      { $set: { leaseWorker: null, ...change } },
    );
    return modifiedCount === 1;
  };

  const newestFirst = { createdAt: -1, seq: -1 } as const;
  const requeue =
    (state: "held" | "failed", action: "mail.released" | "mail.resent") =>
    (id: string, actor: string, now: Instant) =>
      database.transaction(async (session) => {
        const due = { state: "queued", nextAttemptAt: at(now), dueAt: at(now) } as const;
        const anew = state === "failed" ? { attempts: 0, createdAt: at(now) } : {};
        const found = await outbox.findOneAndUpdate(
          { _id: id, state },
          { $set: { ...due, ...anew } },
          { session },
        );
        if (found === null) return false;
        const inOrder = { sort: { seq: 1 }, session } as const;
        const carried = await outbox.find({ carriedBy: id, state: "carried" }, inOrder).toArray();
        const requestIds = [found, ...carried].flatMap(({ requestId }) => requestId ?? []);
        for (const requestId of requestIds.length === 0 ? [null] : requestIds) {
          await audit(session, mailRequeued(action, { mail: id, requestId }, actor, now));
        }
        return true;
      });

  return {
    ...createDeferredMail(database, encryption, { requests, mailboxes, queueMail }),

    // Each step is one conditional write. A worker that dies between two of them loses its lease; whoever
    // claims the message next starts the request's life anew.
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
          const { _id: id, sealedContent } = claimed;
          const stored = sealedContent === null ? undefined : decryptContent(encryption, id, sealedContent);
          if (stored === undefined) {
            await release(id, worker, { state: "failed", lastError: DAMAGED_CONTENT });
            return "passed over";
          }
          const links = requestsIn(stored);
          const expiresAt = now + linkLifetimeMs;
          const alive = await requests.startLives(links, expiresAt);
          const content = withLinksOf(stored, alive);
          const dead = links.filter((requestId) => !alive.has(requestId));
          if (stored.kind === "collected" && dead.length > 0) {
            // What a collected mail leaves out is dropped by itself.
            await outbox.updateMany(
              { carriedBy: id, state: "carried", requestId: { $in: dead } },
              { $set: { state: "dropped", nextAttemptAt: at(now) } },
            );
          }
          if (content === undefined) {
            await release(id, worker, { state: "dropped", sealedContent: null });
            return "passed over";
          }
          return {
            message: { ...toMessage(claimed), content },
            linkExpiresAt: alive.size === 0 ? null : expiresAt,
          };
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
      database.run(() =>
        release(id, worker, { state: "sent", sealedContent: null, sentAt: at(now), serverReply }),
      ),

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
        const found = await outbox
          .find({ state: { $in: [...states] } }, { sort: newestFirst, limit })
          .toArray();
        return found.map(toDelivery);
      }),
    release: requeue("held", "mail.released"),
    resend: requeue("failed", "mail.resent"),
    noteBounce: (messageId, { reason, permanent }, now) =>
      database.run(async () => {
        const found = await outbox.findOneAndUpdate(
          { messageId, state: { $in: ["sent", "bounced"] } },
          [
            { $set: { bounce: { $literal: reason } } },
            ...(permanent
              ? [{ $set: { state: "bounced", bouncedAt: { $ifNull: ["$bouncedAt", at(now)] } } }]
              : []),
          ],
          { returnDocument: "after" },
        );
        return found === null ? undefined : toDelivery(found);
      }),

    nextDueAt: () =>
      database.run(async () => {
        // `dueAt >= 0` holds for every message; it lets the earliest be read off the start of the index.
        const earliest = await outbox.findOne(
          { state: "queued", dueAt: { $gte: at(0) } },
          { sort: { dueAt: 1 } },
        );
        return earliest?.dueAt.getTime();
      }),
  };
}

const INNER = [
  "sealedContent",
  "dueAt",
  "leaseWorker",
  "mailboxHash",
  "profileHash",
  "askerHash",
  "rank",
  "placeAt",
  "seq",
];

export function toDelivery(document: OutboxDocument): Delivery {
  const later = { kind: null, inquiryId: null, carriedBy: null, bouncedAt: null, bounce: null };
  return { ...later, ...toRecord<Delivery>(document, ...INNER) };
}

function toMessage(document: OutboxDocument): Omit<OutboxMessage, "content"> {
  const ofDeliveries = ["requestId", "carriedBy", "serverReply", "kind", "inquiryId", "bouncedAt", "bounce"];
  return toRecord(document, ...INNER, ...ofDeliveries);
}
