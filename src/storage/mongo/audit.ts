/** Owns audit events: append-only documents. */

import { type ClientSession, ObjectId } from "mongodb";
import { type AuditEntry, auditEvent } from "../audit-entries.ts";
import type { AuditStore } from "../contract.ts";
import type { AuditEvent } from "../records.ts";
import type { MongoDatabase } from "./database.ts";
import { type AuditEventDocument, at, toDocument, toRecord } from "./documents.ts";

/** Writes events inside the transaction of their cause, in their order. */
export type AuditWriter = (session: ClientSession, ...entries: AuditEntry[]) => Promise<void>;

export function createAuditWriter({ collections }: MongoDatabase): AuditWriter {
  return async (session, ...entries) => {
    const documents = entries.map((entry) => toEventDocument(auditEvent(entry)));
    if (documents.length > 0) await collections.auditEvents.insertMany(documents, { session });
  };
}

export function createAuditStore(database: MongoDatabase): AuditStore {
  const { auditEvents } = database.collections;
  return {
    append: (event) => database.run(async () => void (await auditEvents.insertOne(toEventDocument(event)))),

    list: ({ profileId, requestId, limit }) =>
      database.run(async () => {
        const filter = {
          ...(requestId === undefined ? {} : { requestId }),
          ...(profileId === undefined ? {} : { profileId }),
          // Holds for every event; it lets the newest be read off the end of an index.
          at: { $gte: at(0) },
        };
        const found = await auditEvents.find(filter).sort({ at: -1, seq: -1 }).limit(limit).toArray();
        return found.map((document) => toRecord<AuditEvent>(document, "seq"));
      }),
  };
}

function toEventDocument(event: AuditEvent): AuditEventDocument {
  return { ...toDocument(event), seq: new ObjectId() };
}
