/**
 * The tables: what is stored, field by field, as both back ends have it. Their SQL, their documents, the
 * rules by which MongoDB checks those, and what a copy carries over are made of this. What stands in hand-
 * written statements alone (sessions, artifacts) isn't here.
 */

import { asOrganizationId } from "../domain/ids.ts";
import type { MailboxUse } from "../domain/mailbox.ts";
import {
  type AccountId,
  type AdminRole,
  type AuditAction,
  type AuditEvent,
  type AuditVerification,
  type Client,
  type ClientId,
  type ClientUse,
  type Delivery,
  type GrantId,
  type InquiryId,
  LINK_REQUEST_STATES,
  type LinkRequestId,
  type LinkRequestState,
  type OrganizationId,
  type OrganizationKind,
  type OutboxState,
  type ProfileId,
  type Requester,
  type SecretHash,
  type ServicePlan,
  type UpstreamId,
  type VerificationProgress,
  type VerificationResult,
} from "../domain/records.ts";
import {
  flag,
  instant,
  json,
  later,
  number,
  oneOf,
  orNull,
  place,
  type Table,
  tableOf,
  text,
  within,
} from "./fields.ts";

export * from "./tables-small.ts";

/** What a row of a table is. */
export type Row<T> = T extends Table<infer R> ? R : never;

export const accounts = tableOf("accounts", "id", { id: text<AccountId>(), createdAt: instant() });

export const identities = tableOf("identities", "seq", {
  issuer: text(),
  subject: text(),
  upstreamId: text<UpstreamId>(),
  accountId: text<AccountId>(),
  email: orNull(text()),
  displayName: orNull(text()),
  createdAt: instant(),
  lastSignInAt: instant(),
  emailVerified: later(flag(), false),
  seq: place(),
});
export type IdentityRow = Row<typeof identities>;

export const organizations = tableOf("organizations", "id", {
  id: text<OrganizationId>(),
  name: text(),
  accountNumber: text(),
  enabled: flag(),
  kind: oneOf<OrganizationKind>({ customer: true, partner: true, operator: true }),
  planStatus: within(
    "plan.status",
    oneOf<ServicePlan["status"]>({ active: true, suspended: true, none: true }),
  ),
  planExpiresAt: within("plan.expiresAt", orNull(instant())),
});
export type OrganizationRow = Row<typeof organizations>;

/** The binding is one field, so that a profile can't have two; it is only ever set where it is null. */
export const profiles = tableOf("profiles", "id", {
  id: text<ProfileId>(),
  organizationId: text<OrganizationId>(),
  email: text(),
  emailKey: text(),
  emailVersion: number(),
  name: text(),
  roles: json<string[]>({ listOf: "text" }),
  enabled: flag(),
  adminRole: orNull(text<AdminRole>()),
  accountId: orNull(text<AccountId>()),
  boundAt: orNull(instant()),
  provenEmailVersion: orNull(number()),
  invitedAt: later(orNull(instant()), null),
});
export type ProfileRow = Row<typeof profiles>;

const REQUESTER = {
  fields: {
    issuer: "text",
    subject: "text",
    upstreamId: "text",
    accountId: "text",
    email: { orNull: "text" },
    displayName: { orNull: "text" },
  },
  optional: { emailVerified: "flag" },
} as const;

export const inquiries = tableOf("inquiries", "id", {
  id: text<InquiryId>(),
  requester: json<Requester>(REQUESTER),
  issuer: within("requester.issuer", text({ computed: true, isPart: true })),
  subject: within("requester.subject", text({ computed: true, isPart: true })),
  accountId: within("requester.accountId", text<AccountId>({ computed: true, isPart: true })),
  interactionCid: text(),
  state: oneOf<"waiting" | "settled">(
    { waiting: true, settled: true },
    { computed: "iif(settled_at IS NULL, 'waiting', 'settled')" },
  ),
  createdAt: instant(),
  notBefore: instant(),
  settledAt: orNull(instant()),
  sealedAddress: orNull(text()),
  leaseWorker: orNull(text()),
  leaseUntil: instant(),
  seq: place(),
  ordinal: later(number(), 1),
  heldUntil: later(orNull(instant()), null),
  matched: later(orNull(number()), null),
  /** The later of `notBefore` and `leaseUntil`. */
  dueAt: later(instant({ computed: true }), 0),
  answeredTo: later(orNull(text<ProfileId>()), null),
});
export type InquiryRow = Row<typeof inquiries>;

export const linkRequests = tableOf("linkRequests", "id", {
  id: text<LinkRequestId>(),
  inquiryId: text<InquiryId>(),
  secretHash: text<SecretHash>(),
  purpose: oneOf<"link_profile">({ link_profile: true }),
  issuer: within("requester.issuer", text()),
  subject: within("requester.subject", text()),
  upstreamId: within("requester.upstreamId", text<UpstreamId>()),
  accountId: within("requester.accountId", text<AccountId>()),
  requesterEmail: within("requester.email", orNull(text())),
  requesterName: within("requester.displayName", orNull(text())),
  profileId: text<ProfileId>(),
  /** SQLite has none of what a broker made that knew nothing of it. */
  organizationId: orNull(text<OrganizationId>()),
  emailVersion: number(),
  state: oneOf<LinkRequestState>(LINK_REQUEST_STATES),
  createdAt: instant(),
  expiresAt: instant(),
  settledAt: orNull(instant()),
  seq: within("_id", place()),
});
export type LinkRequestRow = Row<typeof linkRequests>;

export const outbox = tableOf("outbox", "id", {
  id: text(),
  messageId: text(),
  to: text({ column: "recipient" }),
  sealedContent: orNull(text()),
  requestId: orNull(text<LinkRequestId>()),
  state: oneOf<OutboxState>({
    held: true,
    carried: true,
    queued: true,
    sent: true,
    bounced: true,
    failed: true,
    dropped: true,
  }),
  attempts: number(),
  createdAt: instant(),
  nextAttemptAt: instant(),
  dueAt: instant(),
  leaseWorker: orNull(text()),
  sentAt: orNull(instant()),
  serverReply: orNull(text()),
  lastError: orNull(text()),
  seq: place(),
  mailboxHash: later(orNull(text()), null),
  profileHash: later(orNull(text()), null),
  rank: later(number(), 0),
  kind: later(orNull(text<NonNullable<Delivery["kind"]>>()), null),
  inquiryId: later(orNull(text<InquiryId>()), null),
  bouncedAt: later(orNull(instant()), null),
  bounce: later(orNull(text()), null),
  placeAt: later(orNull(instant()), null),
  askerHash: later(orNull(text()), null),
  carriedBy: later(orNull(text()), null),
});
export type OutboxRow = Row<typeof outbox>;

/** Under the fingerprint of a mailbox. */
export const mailboxes = tableOf("mailboxes", "keyHash", {
  keyHash: text(),
  separate: json<MailboxUse["separate"]>({ listOf: { fields: { at: "number", count: "number" } } }),
  collectedAt: orNull(instant()),
  expiresAt: instant(),
});

export const selections = tableOf("selections", "grantId", {
  grantId: text<GrantId>(),
  sessionUid: text(),
  clientId: text<ClientId>(),
  accountId: text<AccountId>(),
  profileId: text<ProfileId>(),
  organizationId: text<OrganizationId>({ ifNull: asOrganizationId("") }),
  expiresAt: instant(),
  /** The grant that was made in its place. */
  replacedBy: later(orNull(text<GrantId>()), null),
  /** How many endings it was under when it was made: see domain/endings.ts. */
  endings: later(number(), 0),
});
export type SelectionRow = Row<typeof selections>;

export const rememberedChoices = tableOf(
  "rememberedChoices",
  "seq",
  {
    accountId: text<AccountId>(),
    clientId: text<ClientId>(),
    profileId: text<ProfileId>(),
    seq: place({ column: "client_id" }),
  },
  { identity: ["accountId", "clientId"] },
);

/** Under the key of an ending. `dueAt`: when the next rows are to be removed; null once none are left. */
export const endings = tableOf(
  "endings",
  "key",
  {
    key: text(),
    count: number(),
    endedAt: instant(),
    dueAt: orNull(instant()),
    /** The last grant that was looked at. */
    place: text(),
    leaseWorker: orNull(text()),
  },
  { identity: ["key"] },
);

export const clients = tableOf("clients", "id", {
  id: text<ClientId>(),
  sealedSecret: orNull(text()),
  managedBy: text<Client["managedBy"]>(),
  /** The rest as JSON: its metadata's keys are its writer's own. */
  record: text(),
  sealedPrevious: later(orNull(text()), null),
});

export const clientUses = tableOf("clientUses", "clientId", {
  clientId: text<ClientId>(),
  usedAt: orNull(instant()),
  previousUsedAt: orNull(instant()),
  refusedAddresses: later(
    json<ClientUse["refusedAddresses"]>({
      listOf: { fields: { parameter: "text", address: "text", at: "number" } },
    }),
    [],
  ),
});

export const auditEvents = tableOf("auditEvents", "id", {
  id: text(),
  at: instant(),
  action: text<AuditAction>(),
  actor: text(),
  profileId: orNull(text<ProfileId>()),
  organizationId: orNull(text<OrganizationId>()),
  accountId: orNull(text<AccountId>()),
  requestId: orNull(text<LinkRequestId>()),
  // What somebody else made unreadable is told as the text that it is: verifying the chain finds it.
  detail: json<AuditEvent["detail"]>("anything", { unreadable: "text" }),
  seq: place(),
  chainSeq: later(orNull(number()), null),
  mac: later(orNull(text()), null),
});
export type AuditEventRow = Row<typeof auditEvents>;

export const auditChain = tableOf("auditChain", "name", {
  name: oneOf<"base" | "head">({ base: true, head: true }),
  seq: number(),
  mac: text(),
  at: instant(),
  seal: text(),
});

export const auditVerifications = tableOf("auditVerifications", "id", {
  id: text(),
  askedBy: text(),
  askedAt: instant(),
  keptHead: orNull(text()),
  state: oneOf<AuditVerification["state"]>({ waiting: true, running: true, finished: true, failed: true }),
  startedAt: orNull(instant()),
  endedAt: orNull(instant()),
  // What somebody else made unreadable is told as missing: its seal shows it.
  progress: orNull(json<VerificationProgress>("anything", { unreadable: "null" })),
  result: orNull(json<VerificationResult>("anything", { unreadable: "null" })),
  failure: orNull(text()),
  attempts: number(),
  seal: text(),
  /** While it hasn't ended: what no other one that goes on may have. */
  openHead: orNull(text()),
  /** When it may be claimed; a lease moves it on. Null once it has ended. */
  dueAt: orNull(instant()),
  leaseWorker: orNull(text()),
  seq: place(),
});

/** Under an entry of domain/search.ts: what it finds. */
export const searchTerms = tableOf(
  "searchTerms",
  "entry",
  { entry: text(), record: text() },
  { identity: ["entry"] },
);

export const apiKeys = tableOf("apiKeys", "id", {
  id: text(),
  name: text(),
  secretHash: text<SecretHash>(),
  scopes: json<string[]>({ listOf: "text" }),
  createdBy: text(),
  createdAt: instant(),
  expiresAt: instant(),
  lastUsedAt: orNull(instant()),
});

/** Under the SHA-256 of who asks and the key they chose. */
export const idempotencyKeys = tableOf("idempotencyKeys", "keyHash", {
  keyHash: text<SecretHash>(),
  fingerprint: text(),
  sealedAnswer: text(),
  expiresAt: instant(),
});

export const signOuts = tableOf("signOuts", "id", {
  id: text(),
  clientId: text<ClientId>(),
  accountId: text<AccountId>(),
  sid: orNull(text()),
  createdAt: instant(),
  dueAt: instant(),
  attempts: number(),
  leaseWorker: orNull(text()),
  seq: place(),
});

export const TABLES = [
  accounts,
  identities,
  organizations,
  profiles,
  inquiries,
  linkRequests,
  outbox,
  mailboxes,
  selections,
  rememberedChoices,
  endings,
  clients,
  clientUses,
  auditEvents,
  auditChain,
  auditVerifications,
  searchTerms,
  apiKeys,
  idempotencyKeys,
  signOuts,
] as const;
