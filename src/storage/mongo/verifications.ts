/** Verifications of the audit in MongoDB: who asked, how far each is, what it came to. */

import { type ClientSession, ObjectId } from "mongodb";
import type { Instant } from "../../clock.ts";
import { verificationAsked } from "../../domain/audit-entries.ts";
import type { AuditVerification } from "../../domain/records.ts";
import { MOST_OPEN_VERIFICATIONS, MOST_VERIFICATIONS, openHeadOf } from "../../domain/verifications.ts";
import type { VerificationStore } from "../contract.ts";
import type { AuditWriter } from "./audit.ts";
import { isDuplicate, type MongoDatabase } from "./database.ts";
import { type AuditVerificationDocument, at, toDocument, toRecord } from "./documents.ts";

/** How often asking begins anew because another made the same one meanwhile. */
const MOST_TRIES = 5;

const toVerification = (document: AuditVerificationDocument) =>
  toRecord<AuditVerification>(document, "openHead", "dueAt", "leaseWorker", "seq");

export function createVerificationStore(database: MongoDatabase, audit: AuditWriter): VerificationStore {
  const { auditVerifications } = database.collections;
  const newestFirst = { askedAt: -1, seq: -1 } as const;
  /** Holds for every one; it lets them be read along their index. */
  const every = { askedAt: { $gte: at(0) } };

  const removeOldest = async (session: ClientSession) => {
    const surplus = await auditVerifications
      .find(every, { sort: newestFirst, skip: MOST_VERIFICATIONS, projection: { _id: 1 }, session })
      .toArray();
    if (surplus.length === 0) return;
    const ids = surplus.map(({ _id }) => _id);
    await auditVerifications.deleteMany({ _id: { $in: ids }, openHead: null }, { session });
  };

  const askOnce = (
    { id, keptHead, seal }: Pick<AuditVerification, "id" | "keptHead" | "seal">,
    { actor, now }: { actor: string; now: Instant },
  ) =>
    database.transaction(async (session) => {
      const openHead = openHeadOf(keptHead);
      const joined = await auditVerifications.findOne({ openHead }, { session });
      if (joined !== null) {
        await audit(session, verificationAsked(joined._id, true, { actor, at: now }));
        return toVerification(joined);
      }
      const open = await auditVerifications.countDocuments({ openHead: { $gt: "" } }, { session });
      if (open >= MOST_OPEN_VERIFICATIONS) return undefined;
      const asked: AuditVerification = {
        id,
        askedBy: actor,
        askedAt: now,
        keptHead,
        state: "waiting",
        startedAt: null,
        endedAt: null,
        progress: null,
        result: null,
        failure: null,
        attempts: 0,
        seal,
      };
      const work = { openHead, dueAt: at(now), leaseWorker: null, seq: new ObjectId() };
      await auditVerifications.insertOne({ ...toDocument(asked), ...work }, { session });
      await removeOldest(session);
      await audit(session, verificationAsked(id, false, { actor, at: now }));
      return asked;
    });

  return {
    ask: async (asked, by) => {
      for (let tries = 1; ; tries += 1) {
        try {
          return await askOnce(asked, by);
        } catch (error) {
          if (!isDuplicate(error) || tries === MOST_TRIES) throw error;
        }
      }
    },

    find: (id) =>
      database.run(async () => {
        const found = await auditVerifications.findOne({ _id: id });
        return found === null ? undefined : toVerification(found);
      }),

    list: () =>
      database.run(async () => {
        const found = await auditVerifications.find(every).sort(newestFirst).toArray();
        return found.map(toVerification);
      }),

    claim: (worker, now, leaseMs) =>
      database.run(async () => {
        const claimed = await auditVerifications.findOneAndUpdate(
          { dueAt: { $lte: at(now) } },
          [
            {
              $set: {
                state: "running",
                startedAt: { $ifNull: ["$startedAt", at(now)] },
                leaseWorker: worker,
                dueAt: at(now + leaseMs),
                attempts: { $add: ["$attempts", 1] },
              },
            },
          ],
          { sort: { dueAt: 1, seq: 1 }, returnDocument: "after" },
        );
        return claimed === null ? undefined : toVerification(claimed);
      }),

    note: (id, worker, { progress, seal, leaseUntil }) =>
      database.run(async () => {
        const noted = { $set: { progress, seal, dueAt: at(leaseUntil), attempts: 0 } };
        return (
          (await auditVerifications.updateOne({ _id: id, leaseWorker: worker }, noted)).matchedCount === 1
        );
      }),

    settle: (id, worker, { state, progress, result, failure, seal }, now) =>
      database.run(async () => {
        const outcome = { state, progress, result, failure, seal, endedAt: at(now) };
        const ended = { $set: { ...outcome, openHead: null, dueAt: null, leaseWorker: null } };
        return (
          (await auditVerifications.updateOne({ _id: id, leaseWorker: worker }, ended)).matchedCount === 1
        );
      }),
  };
}
