/**
 * Owns the collections: what the server checks of each document, and the indexes. Every query has one; every unique one is
 * something that single use or uniqueness rests on. What must be there is compared with what is at each start.
 */

import type { Db, Document, IndexDirection } from "mongodb";
import { MongoServerError } from "mongodb";
import type { CollectionName } from "./documents.ts";

export interface IndexSpecification {
  name: string;
  key: Record<string, IndexDirection>;
  unique?: boolean;
  sparse?: boolean;
  partialFilterExpression?: Document;
  expireAfterSeconds?: number;
}

export interface CollectionSpecification {
  name: CollectionName;
  validator: Document;
  indexes: readonly IndexSpecification[];
}

/** What expired stays for a day: an expired sign-in still says which portal it was for. Reads check expiry themselves. */
const EXPIRY_GRACE_SECONDS = 24 * 3600;

const string = { bsonType: "string" };
const date = { bsonType: "date" };
const number = { bsonType: ["int", "long", "double"] };
const boolean = { bsonType: "bool" };
const object = { bsonType: "object" };
const objectId = { bsonType: "objectId" };
const oneOf = (...values: string[]) => ({ enum: values });
const orNull = (schema: { bsonType: string | string[] }) => ({ bsonType: [schema.bsonType, "null"].flat() });
const listOf = (items: Document) => ({ bsonType: "array", items });

/** A document with exactly these fields; those under `optional` may be missing. */
function fields(required: Record<string, Document>, optional: Record<string, Document> = {}): Document {
  return {
    bsonType: "object",
    required: Object.keys(required),
    properties: { ...required, ...optional },
    additionalProperties: false,
  };
}

const validator = (required: Record<string, Document>, optional: Record<string, Document> = {}) => ({
  $jsonSchema: fields(required, optional),
});

const expiry: IndexSpecification = { name: "expiry", key: { expiresAt: 1 }, expireAfterSeconds: EXPIRY_GRACE_SECONDS };

const requester = fields({
  ...{ issuer: string, subject: string, upstreamId: string, accountId: string },
  ...{ email: orNull(string), displayName: orNull(string) },
});

/** Every collection as this version has it. */
export const COLLECTIONS: readonly CollectionSpecification[] = [
  { name: "meta", validator: validator({ _id: string, value: string }), indexes: [] },
  { name: "migrations", validator: validator({ _id: number, name: string, appliedAt: date }), indexes: [] },
  { name: "accounts", validator: validator({ _id: string, createdAt: date }), indexes: [] },
  {
    name: "identities",
    validator: validator({
      ...{ _id: objectId, issuer: string, subject: string, upstreamId: string, accountId: string },
      ...{ email: orNull(string), displayName: orNull(string), createdAt: date, lastSignInAt: date },
    }),
    indexes: [
      { name: "identity", key: { issuer: 1, subject: 1 }, unique: true },
      { name: "ofAccount", key: { accountId: 1, lastSignInAt: -1, _id: -1 } },
    ],
  },
  {
    name: "organizations",
    validator: validator({
      ...{ _id: string, name: string, accountNumber: string, enabled: boolean },
      kind: oneOf("customer", "partner", "operator"),
      plan: fields({ status: oneOf("active", "suspended", "none"), expiresAt: orNull(date) }),
    }),
    indexes: [],
  },
  {
    // The binding is one field, so that a profile can't have two; it is only ever set where it is null.
    name: "profiles",
    validator: validator(
      {
        ...{ _id: string, organizationId: string, email: string, emailKey: string, emailVersion: number, name: string },
        ...{ roles: listOf(string), enabled: boolean, adminRole: orNull(string), accountId: orNull(string) },
        ...{ boundAt: orNull(date), provenEmailVersion: orNull(number) },
      },
      { selections: number },
    ),
    indexes: [
      { name: "byEmail", key: { emailKey: 1, _id: 1 } },
      { name: "ofAccount", key: { accountId: 1, _id: 1 } },
      { name: "ofOrganization", key: { organizationId: 1, _id: 1 } },
    ],
  },
  {
    name: "inquiries",
    validator: validator(
      {
        ...{ _id: string, requester, interactionCid: string, state: oneOf("waiting", "settled"), createdAt: date },
        ...{ notBefore: date, settledAt: orNull(date), sealedAddress: orNull(string), leaseWorker: orNull(string) },
        ...{ leaseUntil: date, seq: objectId },
      },
      { ordinal: number, heldUntil: orNull(date), matched: orNull(number) },
    ),
    indexes: [
      { name: "ofInteraction", key: { interactionCid: 1, createdAt: -1, seq: -1 } },
      { name: "waiting", key: { createdAt: 1, seq: 1 }, partialFilterExpression: { state: "waiting" } },
      { name: "byTime", key: { createdAt: -1, seq: -1 } },
      { name: "ofAccount", key: { "requester.accountId": 1, createdAt: -1, seq: -1 } },
      {
        name: "waitingOfIdentity",
        key: { "requester.issuer": 1, "requester.subject": 1 },
        partialFilterExpression: { state: "waiting" },
      },
    ],
  },
  {
    name: "linkRequests",
    validator: validator({
      ...{ _id: string, inquiryId: string, secretHash: string, purpose: oneOf("link_profile"), requester },
      ...{ profileId: string, organizationId: string, emailVersion: number },
      state: oneOf("pending", "bound", "cancelled", "superseded", "void"),
      ...{ createdAt: date, expiresAt: date, settledAt: orNull(date) },
    }),
    indexes: [
      { name: "secret", key: { secretHash: 1 }, unique: true },
      { name: "ofInquiry", key: { inquiryId: 1, createdAt: 1 } },
      { name: "ofProfile", key: { profileId: 1, createdAt: -1 } },
      { name: "pendingOfProfile", key: { profileId: 1 }, partialFilterExpression: { state: "pending" } },
      { name: "pendingOfOrganization", key: { organizationId: 1 }, partialFilterExpression: { state: "pending" } },
      {
        name: "onePending",
        key: { profileId: 1, "requester.issuer": 1, "requester.subject": 1 },
        unique: true,
        partialFilterExpression: { state: "pending" },
      },
    ],
  },
  {
    name: "outbox",
    validator: validator(
      {
        ...{ _id: string, messageId: string, to: string, sealedContent: orNull(string), requestId: orNull(string) },
        ...{ state: oneOf("held", "queued", "sent", "bounced", "failed", "dropped"), attempts: number },
        createdAt: date,
        ...{ nextAttemptAt: date, dueAt: date, leaseWorker: orNull(string), sentAt: orNull(date) },
        ...{ serverReply: orNull(string), lastError: orNull(string), seq: objectId },
      },
      {
        ...{ mailboxHash: orNull(string), profileHash: orNull(string), rank: number, kind: orNull(string) },
        ...{ inquiryId: orNull(string), bouncedAt: orNull(date), bounce: orNull(string) },
      },
    ),
    indexes: [
      { name: "inState", key: { state: 1, createdAt: -1, seq: -1 } },
      {
        name: "ofInquiry",
        key: { inquiryId: 1, createdAt: -1, seq: -1 },
        // Not by $type: the server wouldn't see that a string is one.
        partialFilterExpression: { inquiryId: { $gt: "" } },
      },
      { name: "byMessageId", key: { messageId: 1 } },
      { name: "queued", key: { dueAt: 1, seq: 1 }, partialFilterExpression: { state: "queued" } },
      { name: "held", key: { dueAt: 1 }, partialFilterExpression: { state: "held" } },
      {
        name: "heldOfMailbox",
        key: { mailboxHash: 1, rank: 1, createdAt: -1, seq: -1 },
        partialFilterExpression: { state: "held" },
      },
    ],
  },
  {
    name: "upstreamTransactions",
    validator: validator({
      ...{
        _id: string,
        browserHash: string,
        upstreamId: string,
        sealedPayload: string,
        createdAt: date,
        expiresAt: date,
      },
    }),
    indexes: [expiry],
  },
  {
    name: "signInOutcomes",
    validator: validator({ _id: string, accountId: string, upstreamId: string, authTime: number, expiresAt: date }),
    indexes: [expiry],
  },
  {
    name: "selections",
    validator: validator({
      ...{ _id: string, sessionUid: string, clientId: string, accountId: string, profileId: string },
      ...{ organizationId: string, expiresAt: date },
    }),
    indexes: [
      { name: "ofSession", key: { sessionUid: 1, clientId: 1 }, unique: true },
      { name: "ofProfile", key: { profileId: 1 } },
      { name: "ofOrganization", key: { organizationId: 1 } },
      expiry,
    ],
  },
  {
    name: "rememberedChoices",
    validator: validator({ _id: objectId, accountId: string, clientId: string, profileId: string }),
    indexes: [{ name: "choice", key: { accountId: 1, clientId: 1 }, unique: true }],
  },
  {
    name: "artifacts",
    validator: validator(
      { _id: string, expiresAt: date },
      { sealedPayload: string, grantId: string, accountId: string, consumed: number },
    ),
    indexes: [{ name: "ofGrant", key: { grantId: 1 }, sparse: true }, expiry],
  },
  {
    name: "sessions",
    validator: validator({
      _id: string,
      rows: listOf(fields({ idHash: string, sealedPayload: string, accountId: orNull(string), expiresAt: date })),
      clients: listOf(
        fields({ clientId: string, sid: orNull(string), grantId: orNull(string), persistsLogout: orNull(boolean) }),
      ),
      expiresAt: date,
    }),
    indexes: [
      { name: "byId", key: { "rows.idHash": 1 }, unique: true },
      { name: "rowExpiry", key: { "rows.expiresAt": 1 } },
      expiry,
    ],
  },
  {
    name: "clients",
    validator: validator({ _id: string, sealedSecret: orNull(string), managedBy: string, record: string }),
    indexes: [],
  },
  { name: "keys", validator: validator({ _id: string, sealedValue: string }), indexes: [] },
  { name: "throttles", validator: validator({ _id: string, taken: number, expiresAt: date }), indexes: [expiry] },
  {
    name: "auditEvents",
    validator: validator({
      ...{ _id: string, at: date, action: string, actor: string, profileId: orNull(string) },
      ...{ organizationId: orNull(string), accountId: orNull(string), requestId: orNull(string), detail: object },
      seq: objectId,
    }),
    indexes: [
      { name: "byTime", key: { at: -1, seq: -1 } },
      { name: "ofProfile", key: { profileId: 1, at: -1, seq: -1 } },
      { name: "ofRequest", key: { requestId: 1, at: -1, seq: -1 } },
    ],
  },
];

const NAMESPACE_EXISTS = 48;
/** The codes of an index that is there with other options, or under another name. */
const INDEX_CONFLICTS = [85, 86];

/**
 * Makes collections and indexes as specified: those that are right already aren't touched, those that differ are made anew.
 * Running brokers aren't disturbed. Two that do so at once come to the same end.
 */
export async function ensureCollections(db: Db, specifications: readonly CollectionSpecification[]): Promise<void> {
  for (const { name, validator, indexes } of specifications) {
    try {
      await db.createCollection(name, { validator });
    } catch (error) {
      if (!hasCode(error, NAMESPACE_EXISTS)) throw error;
      await db.command({ collMod: name, validator, validationLevel: "strict", validationAction: "error" });
    }
    for (const index of indexes) await ensureIndex(db, name, index);
  }
}

async function ensureIndex(db: Db, collection: CollectionName, specification: IndexSpecification): Promise<void> {
  const { key, ...options } = specification;
  try {
    await db.collection(collection).createIndex(key, options);
  } catch (error) {
    if (!hasCode(error, ...INDEX_CONFLICTS)) throw error;
    const present = await db.collection(collection).indexes();
    const inTheWay = present.filter((index) => index.name === options.name || sameText(index.key, key));
    for (const { name } of inTheWay) if (name !== undefined) await db.collection(collection).dropIndex(name);
    await db.collection(collection).createIndex(key, options);
  }
}

/** What is missing or other than specified, each named: `identities.identity (issuer, subject; unique)`. */
export async function differences(db: Db, specifications: readonly CollectionSpecification[]): Promise<string[]> {
  const present = new Map((await db.listCollections().toArray()).map((info) => [info.name, info]));
  const found = await Promise.all(
    specifications.map(async ({ name, validator, indexes }) => {
      const info = present.get(name);
      if (info === undefined || !("options" in info)) return [`the collection ${name}`];
      const { validationLevel = "strict", validationAction = "error" } = info.options ?? {};
      const isChecked = validationLevel === "strict" && validationAction === "error";
      const rules = isChecked && sameText(info.options?.["validator"], validator) ? [] : [`the rules of ${name}`];
      const existing = await db.collection(name).indexes();
      const wrong = indexes.filter((index) => !existing.some((other) => sameIndex(other, index)));
      return [...rules, ...wrong.map((index) => `the index ${name}.${index.name} (${describe(index)})`)];
    }),
  );
  return found.flat();
}

function describe({ key, unique, expireAfterSeconds }: IndexSpecification): string {
  const kind = unique ? "; unique" : expireAfterSeconds === undefined ? "" : "; expiry";
  return `${Object.keys(key).join(", ")}${kind}`;
}

function sameIndex(present: Document, { name, key, ...options }: IndexSpecification): boolean {
  const { v: _version, ns: _namespace, key: presentKey, name: presentName, ...presentOptions } = present;
  const differs = (option: string) =>
    !sameText(presentOptions[option] ?? false, (options as Record<string, unknown>)[option] ?? false);
  const names = new Set([...Object.keys(presentOptions), ...Object.keys(options), "collation"]);
  names.delete("background");
  return presentName === name && sameText(presentKey, key) && ![...names].some(differs);
}

/** Equal as documents, the order of their fields included. */
function sameText(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function hasCode(error: unknown, ...codes: number[]): boolean {
  return error instanceof MongoServerError && codes.includes(Number(error.code));
}
