/**
 * The audit chain (domain/audit-chain.ts) in MongoDB: each event's place is stored with the event, both ends
 * beside them.
 */

import type { ClientSession } from "mongodb";
import type { AuditEvent, ChainMark } from "../../domain/records.ts";
import type { AuditStore } from "../contract.ts";
import type { MongoDatabase } from "./database.ts";
import { type ChainMarkDocument, dated, toAuditEvent, toRecord } from "./documents.ts";

type Chain = Pick<AuditStore, "unsealed" | "countUnsealed" | "chainEnds" | "seal" | "chain" | "prune">;

/** An event has a place already, or is gone: rolls the sealing back. */
class Taken extends Error {}

export function createChain(
  database: MongoDatabase,
  insert: (session: ClientSession, event: AuditEvent) => Promise<void>,
): Chain {
  const { auditEvents, auditChain } = database.collections;

  const readEnd = async (name: "base" | "head", session: ClientSession): Promise<ChainMark | undefined> => {
    const found = await auditChain.findOne({ _id: name }, { session });
    return found === null ? undefined : toMark(found);
  };
  const putEnd = async (name: "base" | "head", mark: ChainMark, session: ClientSession) => {
    const { seq, mac, at, seal } = mark;
    await auditChain.replaceOne({ _id: name }, dated({ seq, mac, at, seal }), { session, upsert: true });
  };

  /** Gives events their places; all of them, or it throws. */
  const place = async (events: Parameters<Chain["seal"]>[0], session: ClientSession) => {
    if (events.length === 0) return;
    const { matchedCount } = await auditEvents.bulkWrite(
      events.map(({ id, seq, mac }) => ({
        updateOne: { filter: { _id: id, chainSeq: null }, update: { $set: { chainSeq: seq, mac } } },
      })),
      { session },
    );
    if (matchedCount !== events.length) throw new Taken();
  };

  return {
    unsealed: (limit) =>
      database.run(async () => {
        const found = await auditEvents.find({ chainSeq: null }).sort({ seq: 1 }).limit(limit).toArray();
        return found.map(toAuditEvent);
      }),

    countUnsealed: (most) =>
      database.run(() => auditEvents.countDocuments({ chainSeq: null }, { limit: most })),

    chainEnds: () =>
      database.run(async () => {
        const found = await auditChain.find({ _id: { $in: ["base", "head"] } }).toArray();
        const [base, head] = (["base", "head"] as const).map((name) => found.find(({ _id }) => _id === name));
        return base && head && { base: toMark(base), head: toMark(head) };
      }),

    seal: async (events, { after, head, base }) => {
      try {
        return await database.transaction(async (session) => {
          if (((await readEnd("head", session))?.seq ?? 0) !== after) return false;
          await place(events, session);
          if ((await readEnd("base", session)) === undefined) await putEnd("base", base, session);
          await putEnd("head", head, session);
          return true;
        });
      } catch (error) {
        if (error instanceof Taken) return false;
        throw error;
      }
    },

    chain: (fromSeq, limit) =>
      database.run(async () => {
        const filter = { chainSeq: { $gte: fromSeq } };
        const found = await auditEvents.find(filter).sort({ chainSeq: 1 }).limit(limit).toArray();
        return found.map((document) => {
          const { chainSeq, mac } = document;
          return { ...toAuditEvent(document), seq: chainSeq ?? 0, mac: mac ?? "" };
        });
      }),

    prune: (after, base, event) =>
      database.transaction(async (session) => {
        if ((await readEnd("base", session))?.seq !== after) return false;
        await auditEvents.deleteMany({ chainSeq: { $gt: 0, $lte: base.seq } }, { session });
        await putEnd("base", base, session);
        await insert(session, event);
        return true;
      }),
  };
}

function toMark(document: ChainMarkDocument): ChainMark {
  const { id: _name, ...mark } = toRecord<ChainMark & { id: string }>(document);
  return mark;
}
