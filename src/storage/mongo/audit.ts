/** Audit events in MongoDB: append-only documents, and how they are searched. Their chain is chain.ts's. */

import { type ClientSession, ObjectId } from "mongodb";
import { type AuditEntry, auditEvent } from "../../domain/audit-entries.ts";
import type { AuditEvent } from "../../domain/records.ts";
import type { AuditStore } from "../contract.ts";
import { readPage } from "../paging.ts";
import { createChain } from "./chain.ts";
import { isDuplicate, type MongoDatabase } from "./database.ts";
import { type AuditEventDocument, at, toAuditEvent, toDocument } from "./documents.ts";
import { dateAt, LAST_INSTANT, NEWEST, readBehind, seqAt, writtenAt } from "./ranges.ts";

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

    appendOnce: (event) =>
      database.run(async () => {
        try {
          await auditEvents.insertOne(toEventDocument(event));
          return true;
        } catch (error) {
          if (isDuplicate(error)) return false;
          throw error;
        }
      }),

    list: ({ profileId, requestId, limit }) =>
      database.run(async () => {
        const filter = {
          ...(requestId === undefined ? {} : { requestId }),
          ...(profileId === undefined ? {} : { profileId }),
          // Holds for every event; it lets the newest be read off the end of an index.
          at: { $gte: at(0) },
        };
        const found = await auditEvents.find(filter).sort({ at: -1, seq: -1 }).limit(limit).toArray();
        return found.map(toAuditEvent);
      }),

    search: createAuditSearch(database),

    ...createChain(database, async (session, event) => {
      await auditEvents.insertOne(toEventDocument(event), { session });
    }),
  };
}

/** The filters that have an index of their own, the narrowest first. */
const FILTERS = ["requestId", "profileId", "accountId", "organizationId", "actor", "action"] as const;

function createAuditSearch(database: MongoDatabase): AuditStore["search"] {
  const { auditEvents } = database.collections;

  return (filter, page) =>
    database.run(() => {
      const given = FILTERS.filter((name) => filter[name] !== undefined);
      const [first] = given;
      const match = first === undefined ? {} : { [first]: filter[first] };
      const { from = 0, to = LAST_INSTANT } = filter;
      return readPage<AuditEventDocument, AuditEvent>({
        page,
        begin: NEWEST,
        placeOf: (event) => writtenAt(event.at, event.seq),
        item: (event) =>
          given.every((name) => event[name] === filter[name]) ? toAuditEvent(event) : undefined,
        fetch: ([instant, seq], limit) => {
          const range = { match, order: ["at", "seq"], direction: -1, floor: at(from) } as const;
          const place = dateAt(instant);
          // Behind the first of all that were written at `to` stands what was written before.
          const isTooLate = place.getTime() >= to;
          const behind = isTooLate ? ([dateAt(to), FIRST_SEQ] as const) : ([place, seqAt(seq)] as const);
          return readBehind(auditEvents, range, behind, limit);
        },
      });
    });
}

const FIRST_SEQ = new ObjectId("0".repeat(24));

function toEventDocument(event: AuditEvent): AuditEventDocument {
  return { ...toDocument(event), seq: new ObjectId() };
}
