/**
 * The migrations of MongoDB's schema: an ordered list, never edited once released. Each may be cut short and
 * run again, beside another that does the same, and under brokers of the version before.
 */

import type { Db } from "mongodb";
import type { Instant } from "../../clock.ts";
import { asAccountId, type GrantId } from "../../domain/ids.ts";
import type { AdminRole } from "../../domain/records.ts";
import { accountTexts, organizationTexts, profileTexts, type SearchKind } from "../../domain/search.ts";
import { CANARY, contextOf } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { COLLECTIONS } from "./collections.ts";
import { isDuplicate } from "./database.ts";
import { type CollectionName, collectionsIn } from "./documents.ts";
import { dropIndexes, ensureCollections } from "./ensure-collections.ts";
import { fillDueAt } from "./inquiries.ts";
import { type Searched, termsOf, termWrites } from "./search-writer.ts";
import type { CollectionSpecification, IndexSpecification } from "./specifications.ts";

export interface MongoMigration {
  /** What it brings, in a few words. */
  name: string;
  /** What has to be there afterwards. */
  collections: readonly CollectionSpecification[];
  up(parts: { db: Db; encryption: FieldEncryption; now: Instant }): Promise<void>;
}

const since = (version: number, ...names: string[]) => names.map((name) => ({ name, version }));
/**
 * Indexes that came later: what a database of an earlier version does without. Rules have only ever been
 * loosened.
 */
const LATER_INDEXES = [
  ...since(2, "linkRequests.onePending"),
  ...since(3, "inquiries.waitingOfIdentity", "inquiries.byTime", "inquiries.ofAccount"),
  ...since(3, "linkRequests.ofInquiry", "linkRequests.ofProfile"),
  ...since(
    3,
    "outbox.inState",
    "outbox.ofInquiry",
    "outbox.byMessageId",
    "outbox.held",
    "outbox.heldOfMailbox",
  ),
  ...since(4, "accounts.byTime", "outbox.byTime", "rememberedChoices.ofClient"),
  ...since(
    4,
    "organizations.byName",
    "organizations.ofKind",
    "organizations.disabled",
    "organizations.planEnd",
  ),
  ...since(
    4,
    "profiles.byName",
    "profiles.namesOfOrganization",
    "profiles.disabled",
    "profiles.administrators",
  ),
  ...since(4, "selections.ofAccount", "selections.ofClient", "auditEvents.place", "auditEvents.unsealed"),
  ...since(
    4,
    "auditEvents.ofOrganization",
    "auditEvents.ofAccount",
    "auditEvents.ofActor",
    "auditEvents.ofAction",
  ),
  ...since(5, "selections.everyOfSession", "selections.replaced", "profiles.invited"),
  ...since(6, "inquiries.due"),
  ...since(8, "outbox.heldOfMailboxDue", "outbox.heldOfProfileDue"),
  ...since(9, "selections.grantsOfProfile", "selections.grantsOfOrganization"),
  ...since(10, "outbox.heldInOrder", "outbox.heldOfAsker", "outbox.carried"),
  ...since(12, "sessions.ofAccount", "selections.sessionsOfAccount", "outbox.putOff"),
];
/** Indexes that others took the place of, by collection: a database up to this version has them. */
const FORMER_INDEXES: readonly { collection: CollectionName; until: number; index: IndexSpecification }[] = [
  { collection: "selections", until: 8, index: { name: "ofProfile", key: { profileId: 1 } } },
  { collection: "selections", until: 8, index: { name: "ofOrganization", key: { organizationId: 1 } } },
];
/** Unique indexes that came to leave out a part of the documents. */
const LATER_PARTIAL = since(5, "selections.ofSession");
/** Collections that came later, with all their indexes. */
const LATER_COLLECTIONS = [
  ...since(
    4,
    "auditChain",
    "searchTerms",
    "leases",
    "counters",
    "apiKeys",
    "idempotencyKeys",
    "clientUses",
    "signOuts",
  ),
  ...since(7, "auditVerifications"),
  ...since(9, "endings"),
  ...since(10, "mailboxes"),
];

const collectionsOf = (version: number): readonly CollectionSpecification[] => {
  const namesAfter = (later: ReturnType<typeof since>) =>
    new Set(later.filter((one) => one.version > version).map(({ name }) => name));
  const [later, absent] = [namesAfter(LATER_INDEXES), namesAfter(LATER_COLLECTIONS)];
  const whole = namesAfter(LATER_PARTIAL);
  const asItWas = (collection: string, { partialFilterExpression, ...index }: IndexSpecification) =>
    partialFilterExpression === undefined || whole.has(`${collection}.${index.name}`)
      ? index
      : { ...index, partialFilterExpression };
  const formerOf = (collection: CollectionName) =>
    FORMER_INDEXES.filter((one) => one.collection === collection && version <= one.until).map(
      ({ index }) => index,
    );
  return COLLECTIONS.filter(({ name }) => !absent.has(name)).map((specification) => ({
    ...specification,
    indexes: [
      ...specification.indexes
        .filter(({ name }) => !later.has(`${specification.name}.${name}`))
        .map((index) => asItWas(specification.name, index)),
      ...formerOf(specification.name),
    ],
  }));
};

export const MONGO_MIGRATIONS: readonly MongoMigration[] = [
  {
    name: "collections",
    collections: collectionsOf(1),
    async up({ db, encryption }) {
      await ensureCollections(db, collectionsOf(1));
      const canary = { value: encryption.encrypt(CANARY, contextOf.canary) };
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
    collections: collectionsOf(3),
    up: ({ db }) => ensureCollections(db, collectionsOf(3)),
  },
  {
    name: "administration: lists, search, the chain of the audit, keys, figures",
    collections: collectionsOf(4),
    async up({ db }) {
      await ensureCollections(db, collectionsOf(4));
      await fillSearchTerms(db);
    },
  },
  {
    name: "whose a finished sign-in is, selections being switched, invitations that lapse",
    collections: collectionsOf(5),
    async up({ db, now }) {
      // While the index of selections is made anew, a broker of the version before can make two of one
      // session and client.
      for (let attempt = 1; ; attempt += 1) {
        try {
          await ensureCollections(db, collectionsOf(5));
          break;
        } catch (error) {
          if (!isDuplicate(error) || attempt === 20) throw error;
          await replaceDoubles(db);
        }
      }
      // The time of invitations that wait already begins now.
      await collectionsIn(db).profiles.updateMany(
        // By the index of administrators: every name is at least the empty text.
        { name: { $gte: "" }, adminRole: { $gt: "" as AdminRole }, accountId: null, invitedAt: null },
        { $set: { invitedAt: new Date(now) } },
      );
    },
  },
  {
    name: "what waits is claimed by indexes in the order of the claims",
    collections: collectionsOf(6),
    async up({ db }) {
      await ensureCollections(db, collectionsOf(6));
      await fillDueAt(collectionsIn(db).inquiries);
    },
  },
  {
    name: "verifications of the audit, as jobs",
    collections: collectionsOf(7),
    up: ({ db }) => ensureCollections(db, collectionsOf(7)),
  },
  {
    name: "held mails by what has no room for them",
    collections: collectionsOf(8),
    up: ({ db }) => ensureCollections(db, collectionsOf(8)),
  },
  {
    name: "endings of many grants, whose rows go in the background",
    collections: collectionsOf(9),
    async up({ db }) {
      await ensureCollections(db, collectionsOf(9));
      await dropIndexes(db, "selections", ["ofProfile", "ofOrganization"]);
    },
  },
  {
    name: "one mail that carries what waits for a mailbox",
    collections: collectionsOf(10),
    async up({ db }) {
      await ensureCollections(db, collectionsOf(10));
      await collectionsIn(db).outbox.updateMany({ state: "held", placeAt: null }, [
        { $set: { placeAt: "$createdAt" } },
      ]);
    },
  },
  {
    name: "unregistered addresses that came with a client's id",
    collections: collectionsOf(11),
    up: ({ db }) => ensureCollections(db, collectionsOf(11)),
  },
  {
    name: "sessions by their account, mails that were put off",
    collections: COLLECTIONS,
    up: async ({ db }) => await ensureCollections(db, COLLECTIONS),
  },
];

/** How many records get their entries at a time. */
const BATCH = 500;

/** Makes the search entries of all records that are there. Whatever has them already is left as it is. */
async function fillSearchTerms(db: Db): Promise<void> {
  const { organizations, profiles, accounts, identities, searchTerms } = collectionsIn(db);
  const fill = async <T extends { _id: string }>(
    kind: SearchKind,
    read: (after: string) => Promise<T[]>,
    textsOf: (records: T[]) => Promise<string[][]> | string[][],
  ) => {
    for (let after = "", batch = await read(after); batch.length > 0; batch = await read(after)) {
      const texts = await textsOf(batch);
      const records = batch.map(({ _id: id }, index): Searched => ({ kind, id, texts: texts[index] ?? [] }));
      const writes = termWrites(await searchTerms.find(termsOf(records)).toArray(), records);
      if (writes.length > 0) await searchTerms.bulkWrite(writes, { ordered: false });
      after = batch.at(-1)?._id ?? after;
    }
  };
  const identityTexts = async (ids: string[]) => {
    const found = await identities.find({ accountId: { $in: ids.map(asAccountId) } }).toArray();
    return ids.map((id) => accountTexts(found.filter(({ accountId }) => accountId === id)));
  };
  const behind = (after: string) => ({ _id: { $gt: after } });
  const inOrder = { sort: { _id: 1 }, limit: BATCH } as const;
  await fill(
    "organization",
    (after) => organizations.find(behind(after), inOrder).toArray(),
    (batch) => batch.map(organizationTexts),
  );
  await fill(
    "profile",
    (after) => profiles.find(behind(after), inOrder).toArray(),
    (batch) => batch.map(profileTexts),
  );
  await fill(
    "account",
    (after) => accounts.find(behind(after), inOrder).toArray(),
    (batch) => identityTexts(batch.map(({ _id }) => _id)),
  );
}

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

/**
 * Of several current selections of one session and client the newest stays, and the others are replaced by
 * it.
 */
async function replaceDoubles(db: Db): Promise<void> {
  const { selections } = collectionsIn(db);
  const doubles = selections.aggregate<{ ids: GrantId[] }>(
    [
      // By the index of accounts: every id is at least the empty text.
      { $match: { accountId: { $gte: "" }, replacedBy: null } },
      { $sort: { expiresAt: 1, _id: 1 } },
      { $group: { _id: { sessionUid: "$sessionUid", clientId: "$clientId" }, ids: { $push: "$_id" } } },
      { $match: { "ids.1": { $exists: true } } },
    ],
    { allowDiskUse: true },
  );
  for await (const { ids } of doubles) {
    const newest = ids.at(-1) ?? null;
    await selections.updateMany(
      { _id: { $in: ids.slice(0, -1) }, replacedBy: null },
      { $set: { replacedBy: newest } },
    );
  }
}
