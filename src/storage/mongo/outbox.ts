/** Owns the outbox: messages wait here, sealed, until a worker has sent them. */

import { type ClientSession, ObjectId, type UpdateFilter } from "mongodb";
import type { Instant } from "../../clock.ts";
import type { NewMail, OutboxStore } from "../contract.ts";
import type { OutboxMessage } from "../records.ts";
import type { Seal } from "../seal.ts";
import { DAMAGED_CONTENT, openContent, sealContent } from "../sealed-fields.ts";
import type { MongoDatabase } from "./database.ts";
import { at, type OutboxDocument, toRecord } from "./documents.ts";
import type { RequestWriter } from "./requests.ts";

/** Queues a mail inside the transaction of its cause. */
export type MailWriter = (session: ClientSession, mail: NewMail, now: Instant) => Promise<void>;

export function createMailWriter({ collections }: MongoDatabase, seal: Seal): MailWriter {
  return async (session, { id, messageId, to, content }, now) => {
    await collections.outbox.insertOne(
      {
        ...{ _id: id, messageId, to, sealedContent: sealContent(seal, id, content) },
        ...{ requestId: content.kind === "link" ? content.requestId : null, state: "queued", attempts: 0 },
        ...{ createdAt: at(now), nextAttemptAt: at(now), dueAt: at(now), seq: new ObjectId() },
        ...{ leaseWorker: null, sentAt: null, serverReply: null, lastError: null },
      },
      { session },
    );
  };
}

export function createOutboxStore(database: MongoDatabase, seal: Seal, requests: RequestWriter): OutboxStore {
  const { outbox } = database.collections;

  /** Ends the lease of the worker that holds the message. False if it was lost. */
  const release = async (id: string, worker: string, change: UpdateFilter<OutboxDocument>["$set"]) => {
    const { modifiedCount } = await outbox.updateOne(
      { _id: id, state: "queued", leaseWorker: worker },
      { $set: { leaseWorker: null, ...change } },
    );
    return modifiedCount === 1;
  };

  return {
    // Each step is one conditional write. A worker that dies between two of them loses its lease; whoever claims the message
    // next starts the request's life anew.
    claim: (worker, now, leaseMs, linkLifetimeMs) =>
      database.run(async (deadline) => {
        for (;;) {
          deadline.check();
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
            continue;
          }
          const content = sealedContent === null ? undefined : openContent(seal, id, sealedContent);
          if (content === undefined) {
            await release(id, worker, { state: "failed", lastError: DAMAGED_CONTENT });
            continue;
          }
          return { message: { ...toMessage(claimed), content }, linkExpiresAt };
        }
      }),

    markSent: (id, worker, serverReply, now) =>
      database.run(() => release(id, worker, { state: "sent", sealedContent: null, sentAt: at(now), serverReply })),

    markDeferred: (id, worker, error, nextAttemptAt) =>
      database.run(() => {
        const due = nextAttemptAt === null ? null : at(nextAttemptAt);
        const then = due === null ? ({ state: "failed" } as const) : { nextAttemptAt: due, dueAt: due };
        return release(id, worker, { lastError: error, ...then });
      }),

    nextDueAt: () =>
      database.run(async () => {
        // `dueAt >= 0` holds for every message; it lets the earliest be read off the start of the index.
        const earliest = await outbox.findOne({ state: "queued", dueAt: { $gte: at(0) } }, { sort: { dueAt: 1 } });
        return earliest?.dueAt.getTime();
      }),
  };
}

function toMessage(document: OutboxDocument): Omit<OutboxMessage, "content"> {
  return toRecord(document, "sealedContent", "requestId", "dueAt", "leaseWorker", "serverReply", "seq");
}
