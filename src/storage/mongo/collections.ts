/**
 * The collections of MongoDB: their indexes, and the rules by which the server checks their documents, made
 * of the tables (specifications.ts). Every query has an index; every unique one is something that single use
 * or uniqueness rests on. Making them, and comparing them with what is there, is ensure-collections.ts's.
 */

import type { Document } from "mongodb";
import { inquiries } from "../tables.ts";
import { type CollectionName, type Documents, TABLE_OF } from "./documents.ts";
import { type CollectionSpecification, ofKind, schemaOf, validatorOf } from "./specifications.ts";
import type { Order, Where } from "./typed-collection.ts";

/** What sets an index apart; `where`: the documents that it is of. */
interface Kind<T> {
  readonly unique?: true;
  readonly sparse?: true;
  readonly where?: Where<T>;
  readonly expireAfterSeconds?: number;
}
type Index<T> = readonly [name: string, key: Order<T>, kind?: Kind<T>];
type AnyIndex = readonly [name: string, key: Record<string, 1 | -1>, kind?: Kind<object>];

/** What no broker's sweep removed, the server does, a day late. Reads check expiry themselves. */
const EXPIRY = ["expiry", { expiresAt: 1 }, { expireAfterSeconds: 24 * 3600 }] as const;
const HELD = { where: { state: "held" } } as const;
const PENDING = { where: { state: "pending" } } as const;
const ONE_PENDING = { unique: true, ...PENDING } as const;
const WAITING = { where: { state: "waiting" } } as const;

const INDEXES: { readonly [Name in CollectionName]: readonly Index<Documents[Name]>[] } = {
  meta: [],
  migrations: [],
  accounts: [["byTime", { createdAt: -1, _id: -1 }]],
  identities: [
    ["identity", { issuer: 1, subject: 1 }, { unique: true }],
    ["ofAccount", { accountId: 1, lastSignInAt: -1, _id: -1 }],
  ],
  // A server before 5.0 takes no two indexes of one key, whatever part of the documents each is for.
  organizations: [
    ["byName", { name: 1, _id: 1 }],
    ["ofKind", { kind: 1, name: 1, _id: 1 }],
    ["disabled", { enabled: 1, name: 1, _id: 1 }, { where: { enabled: false } }],
    ["planEnd", { "plan.expiresAt": 1 }, { where: { "plan.status": "active" } }],
  ],
  profiles: [
    ["byEmail", { emailKey: 1, _id: 1 }],
    ["ofAccount", { accountId: 1, _id: 1 }],
    ["ofOrganization", { organizationId: 1, _id: 1 }],
    ["byName", { name: 1, _id: 1 }],
    ["namesOfOrganization", { organizationId: 1, name: 1, _id: 1 }],
    ["disabled", { enabled: 1, name: 1, _id: 1 }, { where: { enabled: false } }],
    ["administrators", { name: 1, _id: 1, adminRole: 1 }, { where: { adminRole: { $gt: "" } } }],
    ["invited", { invitedAt: 1 }, { where: { invitedAt: { $gt: new Date(0) } } }],
  ],
  inquiries: [
    ["ofInteraction", { interactionCid: 1, createdAt: -1, seq: -1 }],
    ["due", { dueAt: 1, seq: 1 }, WAITING],
    // What a broker of the version before claims by.
    ["waiting", { createdAt: 1, seq: 1 }, WAITING],
    ["byTime", { createdAt: -1, seq: -1 }],
    ["ofAccount", { "requester.accountId": 1, createdAt: -1, seq: -1 }],
    ["waitingOfIdentity", { "requester.issuer": 1, "requester.subject": 1 }, WAITING],
  ],
  linkRequests: [
    ["secret", { secretHash: 1 }, { unique: true }],
    ["ofInquiry", { inquiryId: 1, createdAt: 1 }],
    ["ofProfile", { profileId: 1, createdAt: -1 }],
    ["pendingOfProfile", { profileId: 1 }, PENDING],
    ["pendingOfOrganization", { organizationId: 1 }, PENDING],
    ["onePending", { profileId: 1, "requester.issuer": 1, "requester.subject": 1 }, ONE_PENDING],
  ],
  outbox: [
    ["byTime", { createdAt: -1, seq: -1 }],
    ["inState", { state: 1, createdAt: -1, seq: -1 }],
    // Not by $type: the server wouldn't see that a string is one.
    ["ofInquiry", { inquiryId: 1, createdAt: -1, seq: -1 }, { where: { inquiryId: { $gt: "" } } }],
    ["byMessageId", { messageId: 1 }],
    ["queued", { dueAt: 1, seq: 1 }, { where: { state: "queued" } }],
    // The last field tells it from inState.
    ["putOff", { state: 1, createdAt: -1, seq: -1, lastError: 1 }, { where: { lastError: { $gt: "" } } }],
    ["held", { dueAt: 1 }, HELD],
    ["heldOfMailbox", { mailboxHash: 1, rank: 1, createdAt: -1, seq: -1 }, HELD],
    ["heldOfMailboxDue", { mailboxHash: 1, dueAt: 1 }, HELD],
    ["heldOfProfileDue", { profileHash: 1, dueAt: 1 }, HELD],
    ["heldInOrder", { mailboxHash: 1, rank: 1, placeAt: 1, dueAt: 1, seq: 1 }, HELD],
    ["heldOfAsker", { profileHash: 1, askerHash: 1 }, HELD],
    ["carried", { carriedBy: 1, seq: 1 }, { where: { state: "carried" } }],
  ],
  upstreamTransactions: [EXPIRY],
  signInOutcomes: [EXPIRY],
  selections: [
    ["ofSession", { sessionUid: 1, clientId: 1 }, { unique: true, where: { replacedBy: null } }],
    ["everyOfSession", { sessionUid: 1 }],
    ["replaced", { replacedBy: 1 }, { where: { replacedBy: { $gt: "" } } }],
    ["grantsOfProfile", { profileId: 1, _id: 1 }],
    ["grantsOfOrganization", { organizationId: 1, _id: 1 }],
    ["ofAccount", { accountId: 1, _id: 1 }],
    ["sessionsOfAccount", { accountId: 1, sessionUid: 1 }],
    ["ofClient", { clientId: 1, _id: 1 }],
    EXPIRY,
  ],
  rememberedChoices: [
    ["choice", { accountId: 1, clientId: 1 }, { unique: true }],
    ["ofClient", { clientId: 1 }],
  ],
  artifacts: [["ofGrant", { grantId: 1 }, { sparse: true }], EXPIRY],
  sessions: [
    ["byId", { "rows.idHash": 1 }, { unique: true }],
    ["rowExpiry", { "rows.expiresAt": 1 }],
    ["ofAccount", { "rows.accountId": 1, _id: 1 }],
    EXPIRY,
  ],
  clients: [],
  keys: [],
  throttles: [EXPIRY],
  mailboxes: [EXPIRY],
  auditEvents: [
    ["byTime", { at: -1, seq: -1 }],
    ["ofProfile", { profileId: 1, at: -1, seq: -1 }],
    ["ofRequest", { requestId: 1, at: -1, seq: -1 }],
    ["ofOrganization", { organizationId: 1, at: -1, seq: -1 }],
    ["ofAccount", { accountId: 1, at: -1, seq: -1 }],
    ["ofActor", { actor: 1, at: -1, seq: -1 }],
    ["ofAction", { action: 1, at: -1, seq: -1 }],
    ["place", { chainSeq: 1 }, { unique: true, where: { chainSeq: { $gt: 0 } } }],
    // What has no place yet stands at its beginning, in the order in which it was written.
    ["unsealed", { chainSeq: 1, seq: 1 }],
  ],
  auditChain: [],
  auditVerifications: [
    ["open", { openHead: 1 }, { unique: true, where: { openHead: { $gt: "" } } }],
    ["due", { dueAt: 1, seq: 1 }],
    ["byTime", { askedAt: -1, seq: -1 }],
  ],
  searchTerms: [["ofRecord", { record: 1 }]],
  leases: [],
  counters: [["byHour", { hour: 1 }]],
  apiKeys: [["secret", { secretHash: 1 }, { unique: true }]],
  idempotencyKeys: [EXPIRY],
  clientUses: [],
  signOuts: [["due", { dueAt: 1, seq: 1 }]],
  endings: [["due", { dueAt: 1 }, { where: { dueAt: { $gt: new Date(0) } } }]],
};

/** What is checked otherwise than the tables say it. */
const OTHERWISE: Partial<Record<CollectionName, Readonly<Record<string, Document>>>> = {
  profiles: { selections: ofKind("number") },
  linkRequests: { requester: schemaOf(inquiries.fields.requester), organizationId: ofKind("text") },
};

function specificationOf(name: CollectionName): CollectionSpecification {
  const indexes = INDEXES[name] as readonly AnyIndex[];
  return {
    name,
    validator: validatorOf(TABLE_OF[name], OTHERWISE[name]),
    indexes: indexes.map(([name, key, { where, ...kind } = {}]) => {
      const partial = where === undefined ? {} : { partialFilterExpression: where };
      return { name, key, ...kind, ...partial };
    }),
  };
}

/** Every collection as this version has it. */
export const COLLECTIONS = (Object.keys(INDEXES) as CollectionName[]).map(specificationOf);
