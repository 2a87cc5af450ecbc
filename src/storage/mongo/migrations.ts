/**
 * Owns the way from one version of the schema to the next: an ordered list, never edited once released. Each may be cut short
 * and run again, beside another that does the same, and under brokers of the version before.
 */

import type { Db } from "mongodb";
import type { Instant } from "../../clock.ts";
import type { Seal } from "../seal.ts";
import { CANARY, sealedAt } from "../sealed-fields.ts";
import { COLLECTIONS, type CollectionSpecification, ensureCollections } from "./collections.ts";
import { isDuplicate } from "./database.ts";
import { collectionsIn } from "./documents.ts";

export interface MongoMigration {
  /** What it brings, in a few words. */
  name: string;
  /** What has to be there afterwards. */
  collections: readonly CollectionSpecification[];
  up(parts: { db: Db; seal: Seal; now: Instant }): Promise<void>;
}

/** Indexes that came later: what a database of an earlier version does without. Rules have only ever been loosened. */
const since = (version: number, ...indexes: string[]) => indexes.map((index) => ({ index, version }));
const LATER_INDEXES = [
  ...since(2, "linkRequests.onePending"),
  ...since(3, "inquiries.waitingOfIdentity", "inquiries.byTime", "inquiries.ofAccount"),
  ...since(3, "linkRequests.ofInquiry", "linkRequests.ofProfile"),
  ...since(3, "outbox.inState", "outbox.ofInquiry", "outbox.byMessageId", "outbox.held", "outbox.heldOfMailbox"),
];

const collectionsOf = (version: number): readonly CollectionSpecification[] => {
  const later = new Set(LATER_INDEXES.filter((one) => one.version > version).map(({ index }) => index));
  return COLLECTIONS.map((specification) => ({
    ...specification,
    indexes: specification.indexes.filter(({ name }) => !later.has(`${specification.name}.${name}`)),
  }));
};

export const MONGO_MIGRATIONS: readonly MongoMigration[] = [
  {
    name: "collections",
    collections: collectionsOf(1),
    async up({ db, seal }) {
      await ensureCollections(db, collectionsOf(1));
      const canary = { value: seal.seal(CANARY, sealedAt.canary) };
      await collectionsIn(db).meta.updateOne({ _id: "canary" }, { $setOnInsert: canary }, { upsert: true });
    },
  },
  {
    name: "one pending link request for each identity and profile",
    collections: collectionsOf(2),
    async up({ db, now }) {
      // A broker of the version before can make two of one again until the index is there.
      for (let attempt = 1; ; attempt += 1) {
        await supersedeDoubles(db, now);
        try {
          return await ensureCollections(db, collectionsOf(2));
        } catch (error) {
          if (!isDuplicate(error) || attempt === 20) throw error;
        }
      }
    },
  },
  {
    name: "throttled inquiries, held mails, and what became of both",
    collections: COLLECTIONS,
    up: ({ db }) => ensureCollections(db, COLLECTIONS),
  },
];

/** Of several pending requests for one identity and profile the newest stays. */
async function supersedeDoubles(db: Db, now: Instant): Promise<void> {
  const { linkRequests } = collectionsIn(db);
  const key = { profileId: "$profileId", issuer: "$requester.issuer", subject: "$requester.subject" };
  const doubles = linkRequests.aggregate<{ ids: string[] }>(
    [
      { $match: { state: "pending", profileId: { $gt: "" } } },
      { $sort: { createdAt: 1, _id: 1 } },
      { $group: { _id: key, ids: { $push: "$_id" } } },
      { $match: { "ids.1": { $exists: true } } },
    ],
    { allowDiskUse: true },
  );
  for await (const { ids } of doubles) {
    await linkRequests.updateMany(
      { _id: { $in: ids.slice(0, -1) }, state: "pending" },
      { $set: { state: "superseded", settledAt: new Date(now) } },
    );
  }
}
