/**
 * The migrations of MongoDB's schema: an ordered list, never edited once released. Each may be cut short and
 * run again, beside another that does the same, and under brokers of the version before.
 */

import type { Db } from "mongodb";
import type { Instant } from "../../clock.ts";
import type { AdminRole } from "../../domain/records.ts";
import { accountTexts, organizationTexts, profileTexts, type SearchKind } from "../../domain/search.ts";
import { CANARY, contextOf } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { putSearched, type Searched } from "../intentions/search.ts";
import { list, type Steps } from "../steps.ts";
import { accounts, identities, organizations, profiles } from "../tables.ts";
import { COLLECTIONS } from "./collections.ts";
import { isDuplicate } from "./database.ts";
import { type CollectionName, collectionsIn } from "./documents.ts";
import { driveIn } from "./engine.ts";
import { dropIndexes, ensureCollections } from "./ensure-collections.ts";
import { fillDueAt } from "./filling.ts";
import type { CollectionSpecification, IndexSpecification } from "./specifications.ts";
import type { TypedCollection, Where } from "./typed-collection.ts";

interface Parts {
  db: Db;
  encryption: FieldEncryption;
  now: Instant;
}

export interface MongoMigration {
  /** What it brings, in a few words. */
  name: string;
  /** What has to be there afterwards. */
  collections: readonly CollectionSpecification[];
  up(parts: Parts): Promise<void>;
}

interface Later {
  version: number;
  collection: CollectionName;
  index?: string;
}
const since = (version: number, collection: CollectionName, ...indexes: string[]): Later[] =>
  indexes.map((index) => ({ version, collection, index }));
/**
 * Indexes that came later: what a database of an earlier version does without. Rules have only ever been
 * loosened.
 */
const LATER_INDEXES = [
  since(2, "linkRequests", "onePending"),
  since(3, "inquiries", "waitingOfIdentity", "byTime", "ofAccount"),
  since(3, "linkRequests", "ofInquiry", "ofProfile"),
  since(3, "outbox", "inState", "ofInquiry", "byMessageId", "held", "heldOfMailbox"),
  since(4, "accounts", "byTime"),
  since(4, "outbox", "byTime"),
  since(4, "rememberedChoices", "ofClient"),
  since(4, "organizations", "byName", "ofKind", "disabled", "planEnd"),
  since(4, "profiles", "byName", "namesOfOrganization", "disabled", "administrators"),
  since(4, "selections", "ofAccount", "ofClient"),
  since(4, "auditEvents", "place", "unsealed", "ofOrganization", "ofAccount", "ofActor", "ofAction"),
  since(5, "selections", "everyOfSession", "replaced"),
  since(5, "profiles", "invited"),
  since(6, "inquiries", "due"),
  since(8, "outbox", "heldOfMailboxDue", "heldOfProfileDue"),
  since(9, "selections", "grantsOfProfile", "grantsOfOrganization"),
  since(10, "outbox", "heldInOrder", "heldOfAsker", "carried"),
  since(12, "sessions", "ofAccount"),
  since(12, "selections", "sessionsOfAccount"),
  since(12, "outbox", "putOff"),
].flat();
/** Unique indexes that came to leave out a part of the documents. */
const LATER_PARTIAL = since(5, "selections", "ofSession");
/** Indexes that others took the place of, by collection: a database up to this version has them. */
const FORMER_INDEXES: readonly { collection: CollectionName; until: number; index: IndexSpecification }[] = [
  { collection: "selections", until: 8, index: { name: "ofProfile", key: { profileId: 1 } } },
  { collection: "selections", until: 8, index: { name: "ofOrganization", key: { organizationId: 1 } } },
];
/** Collections that came later, with all their indexes. */
const LATER_COLLECTIONS: Partial<Record<CollectionName, number>> = {
  auditChain: 4,
  searchTerms: 4,
  leases: 4,
  counters: 4,
  apiKeys: 4,
  idempotencyKeys: 4,
  clientUses: 4,
  signOuts: 4,
  auditVerifications: 7,
  endings: 9,
  mailboxes: 10,
};

/** The collections as a version had them. */
function collectionsOf(version: number): CollectionSpecification[] {
  const isLater = (later: readonly Later[], collection: CollectionName, { name }: IndexSpecification) =>
    later.some((one) => one.version > version && one.collection === collection && one.index === name);
  return COLLECTIONS.filter(({ name }) => (LATER_COLLECTIONS[name] ?? 1) <= version).map((specification) => {
    const collection = specification.name;
    const indexes = specification.indexes
      .filter((index) => !isLater(LATER_INDEXES, collection, index))
      .map((index) => {
        const { partialFilterExpression: _part, ...whole } = index;
        return isLater(LATER_PARTIAL, collection, index) ? whole : index;
      });
    const former = FORMER_INDEXES.filter((one) => one.collection === collection && version <= one.until);
    return { ...specification, indexes: [...indexes, ...former.map(({ index }) => index)] };
  });
}

/** What a version brings beside collections, rules and indexes. */
interface Step {
  name: string;
  /** Mends what a new unique index forbids; brokers of the version before may do it until it is there. */
  mend?(parts: Parts): Promise<void>;
  /** Fills in what is new. */
  fill?(parts: Parts): Promise<void>;
}

const STEPS: readonly Step[] = [
  {
    name: "collections",
    async fill({ db, encryption }) {
      const canary = { value: encryption.encrypt(CANARY, contextOf.canary) };
      await collectionsIn(db).meta.updateOne({ _id: "canary" }, { $setOnInsert: canary }, { upsert: true });
    },
  },
  { name: "one pending link request for each identity and profile", mend: supersedeDoubles },
  { name: "throttled inquiries, held mails, and what became of both" },
  {
    name: "administration: lists, search, the chain of the audit, keys, figures",
    fill: ({ db }) => driveIn(db, fillSearchTerms()),
  },
  {
    name: "whose a finished sign-in is, selections being switched, invitations that lapse",
    mend: replaceDoubles,
    // The time of invitations that wait already begins now.
    async fill({ db, now }) {
      await collectionsIn(db).profiles.updateMany(
        // By the index of administrators: every name is at least the empty text.
        { name: { $gte: "" }, adminRole: { $gt: "" as AdminRole }, accountId: null, invitedAt: null },
        { $set: { invitedAt: new Date(now) } },
      );
    },
  },
  {
    name: "what waits is claimed by indexes in the order of the claims",
    fill: async ({ db }) => void (await fillDueAt(collectionsIn(db).inquiries)),
  },
  { name: "verifications of the audit, as jobs" },
  { name: "held mails by what has no room for them" },
  {
    name: "endings of many grants, whose rows go in the background",
    fill: ({ db }) => dropIndexes(db, "selections", ["ofProfile", "ofOrganization"]),
  },
  {
    name: "one mail that carries what waits for a mailbox",
    async fill({ db }) {
      await collectionsIn(db).outbox.updateMany({ state: "held", placeAt: null }, [
        { $set: { placeAt: "$createdAt" } },
      ]);
    },
  },
  { name: "unregistered addresses that came with a client's id" },
  { name: "sessions by their account, mails that were put off" },
];

export const MONGO_MIGRATIONS: readonly MongoMigration[] = STEPS.map(({ name, mend, fill }, index) => {
  const collections = collectionsOf(index + 1);
  const ensure = async (parts: Parts, attempt = 1): Promise<void> => {
    try {
      await ensureCollections(parts.db, collections);
    } catch (error) {
      if (mend === undefined || !isDuplicate(error) || attempt === 20) throw error;
      await mend(parts);
      await ensure(parts, attempt + 1);
    }
  };
  return {
    name,
    collections,
    async up(parts) {
      await ensure(parts);
      await fill?.(parts);
    },
  };
});

/** How many records get their entries at a time. */
const BATCH = 500;

/** Makes the search entries of all records that are there. Whatever has them already is left as it is. */
function* fillSearchTerms(): Steps<void> {
  yield* fillTerms(function* (page) {
    return searched("organization", yield* list(organizations, {}, page), organizationTexts);
  });
  yield* fillTerms(function* (page) {
    return searched("profile", yield* list(profiles, {}, page), profileTexts);
  });
  yield* fillTerms(function* (page) {
    const found = yield* list(accounts, {}, page);
    const all = yield* list(identities, { accountId: { in: found.map(({ id }) => id) } });
    return searched("account", found, ({ id }) => accountTexts(all.filter((one) => one.accountId === id)));
  });
}

const searched = <T extends { id: string }>(
  kind: SearchKind,
  records: readonly T[],
  textsOf: (record: T) => string[],
) => records.map((record): Searched => ({ kind, id: record.id, texts: textsOf(record) }));

const pageBehind = (id: string) => ({ order: ["id"], behind: [id], limit: BATCH }) as const;

function* fillTerms(read: (page: ReturnType<typeof pageBehind>) => Steps<Searched[]>): Steps<void> {
  for (let last: string | undefined = ""; last !== undefined; ) {
    const found: Searched[] = yield* read(pageBehind(last));
    yield* putSearched(found);
    last = found.at(-1)?.id;
  }
}

/** The ids of documents that have a key in common, those of each in an order. */
const doublesIn = <T extends { _id: string }>(
  collection: TypedCollection<T>,
  where: Where<T>,
  order: keyof T & string,
  key: object,
) =>
  collection.aggregate<{ ids: T["_id"][] }>(
    [
      { $match: where },
      { $sort: { [order]: 1, _id: 1 } },
      { $group: { _id: key, ids: { $push: "$_id" } } },
      { $match: { "ids.1": { $exists: true } } },
    ],
    { allowDiskUse: true },
  );

/** Of several pending requests for one identity and profile the newest stays. */
async function supersedeDoubles({ db, now }: Parts): Promise<void> {
  const { linkRequests } = collectionsIn(db);
  const key = { profileId: "$profileId", issuer: "$requester.issuer", subject: "$requester.subject" };
  const pending = { state: "pending", profileId: { $gt: "" } } as const;
  for await (const { ids } of doublesIn(linkRequests, pending, "createdAt", key)) {
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
async function replaceDoubles({ db }: Parts): Promise<void> {
  const { selections } = collectionsIn(db);
  const key = { sessionUid: "$sessionUid", clientId: "$clientId" };
  // By the index of accounts: every id is at least the empty text.
  const current = { accountId: { $gte: "" }, replacedBy: null };
  for await (const { ids } of doublesIn(selections, current, "expiresAt", key)) {
    await selections.updateMany(
      { _id: { $in: ids.slice(0, -1) }, replacedBy: null },
      { $set: { replacedBy: ids.at(-1) ?? null } },
    );
  }
}
