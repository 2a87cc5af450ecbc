/**
 * The documents that MongoDB stores: the records of domain/records.ts, their id as `_id` and their instants
 * as dates, so that the server can expire them and people can read them. `seq` keeps the order in which
 * documents of one instant were written.
 */

import { type Db, ObjectId } from "mongodb";
import type { Instant } from "../../clock.ts";
import type {
  AccountId,
  ClientId,
  GrantId,
  InquiryId,
  LinkRequestId,
  OrganizationId,
  ProfileId,
  SecretHash,
} from "../../domain/ids.ts";
import type {
  Account,
  ApiKey,
  AuditEvent,
  AuditVerification,
  Authentication,
  ChainMark,
  ClientUse,
  Delivery,
  Identity,
  Inquiry,
  LinkRequest,
  Organization,
  OutboxMessage,
  Profile,
  Selection,
  SignInOutcome,
  SignOut,
  UpstreamTransaction,
} from "../../domain/records.ts";
import type { Count } from "../contract.ts";
import type { EncryptedSignIn } from "../encrypted-fields.ts";
import type { TypedCollection } from "./typed-collection.ts";

type IsInstant<Key> = Key extends `${string}At` | "at" | "notBefore" | "heldUntil" | "hour" | "until"
  ? true
  : false;
/** A record's fields, with dates for its instants. */
export type Dated<T> = {
  [Key in keyof T]: IsInstant<Key> extends true ? Date | Exclude<T[Key], number> : T[Key];
};
/** A record as a document. */
type Stored<T extends { id: string }> = Dated<Omit<T, "id">> & { _id: string };

export interface OrganizationDocument extends Omit<Stored<Organization>, "plan"> {
  plan: Dated<Organization["plan"]>;
}
export type ProfileDocument = Later<Stored<Profile>, "invitedAt"> & {
  /**
   * Counted up by whoever rests on the profile's being as it was read, so that a racer who changes it must
   * wait.
   */
  selections?: number;
};
/** What a broker of the version before leaves out. */
type Later<T, Keys extends keyof T> = Omit<T, Keys> & Partial<Pick<T, Keys>>;
export type IdentityDocument = Later<Dated<Identity>, "emailVerified"> & { _id: ObjectId };
export type InquiryDocument = Later<Omit<Stored<Inquiry>, "address">, "ordinal" | "heldUntil" | "matched"> & {
  state: "waiting" | "settled";
  sealedAddress: string | null;
  leaseWorker: string | null;
  leaseUntil: Date;
  /**
   * The later of `notBefore` and `leaseUntil`. A broker of the version before leaves it out, and leaves it
   * where it was.
   */
  dueAt?: Date;
  answeredTo?: ProfileId | null;
  seq: ObjectId;
};
export type LinkRequestDocument = Stored<LinkRequest> & { organizationId: OrganizationId };
export type OutboxDocument = Omit<Stored<OutboxMessage>, "content"> & {
  sealedContent: string | null;
  requestId: LinkRequestId | null;
  dueAt: Date;
  leaseWorker: string | null;
  serverReply: string | null;
  /** Of a message that may have to wait for its turn. */
  mailboxHash?: string | null;
  profileHash?: string | null;
  rank?: number;
  kind?: Delivery["kind"];
  inquiryId?: InquiryId | null;
  bouncedAt?: Date | null;
  bounce?: string | null;
  /**
   * Of a deferred message: since when it waits, which may be since an earlier one whose place it took.
   */
  placeAt?: Date | null;
  askerHash?: string | null;
  carriedBy?: string | null;
  seq: ObjectId;
};
export type SelectionDocument = Dated<Omit<Selection, "grantId">> & {
  _id: GrantId;
  organizationId: OrganizationId;
  /** The grant that was made in its place; a broker of the version before leaves it out. */
  replacedBy?: GrantId | null;
  /** How many endings it was under when it was made: see domain/endings.ts. */
  endings?: number;
};
/** `_id` is the key of an ending. */
export interface EndingDocument {
  _id: string;
  count: number;
  endedAt: Date;
  /** When the next rows are to be removed; null once none are left. */
  dueAt: Date | null;
  /** The last grant that was looked at. */
  place: string;
  leaseWorker: string | null;
}
export interface RememberedChoiceDocument {
  _id: ObjectId;
  accountId: AccountId;
  clientId: ClientId;
  profileId: ProfileId;
}
/** `_id` is the model and the SHA-256 of the artifact's id. */
export interface ArtifactDocument {
  _id: string;
  sealedPayload?: string;
  grantId?: GrantId;
  accountId?: AccountId;
  /** Of a client's own token, with the number of endings that it was under when it was made. */
  clientId?: ClientId;
  endings?: number;
  /** Seconds since the epoch. */
  consumed?: number;
  expiresAt: Date;
}
/**
 * A session is one document under its uid: what its portals and its parallel resumes save is decided in one
 * place.
 */
export interface SessionDocument {
  _id: string;
  /** One row for each id that names the session, oldest first. */
  rows: { idHash: SecretHash; sealedPayload: string; accountId: AccountId | null; expiresAt: Date }[];
  /** Each client's share. */
  clients: {
    clientId: ClientId;
    sid: string | null;
    grantId: GrantId | null;
    persistsLogout: boolean | null;
  }[];
  /** When its last row expires. */
  expiresAt: Date;
}
export interface ClientDocument {
  _id: string;
  sealedSecret: string | null;
  sealedPrevious?: string | null;
  managedBy: string;
  /** The rest as JSON: its metadata's keys are the writer's own. */
  record: string;
}
export interface KeyDocument {
  _id: string;
  sealedValue: string;
}
export interface ThrottleDocument {
  _id: string;
  taken: number;
  expiresAt: Date;
}
/** `_id` is the fingerprint of a mailbox; the instants of `separate` are numbers, as the rules take them. */
export interface MailboxDocument {
  _id: string;
  separate: readonly { at: Instant; count: number }[];
  collectedAt: Date | null;
  expiresAt: Date;
}
export type UpstreamTransactionDocument = Dated<
  Omit<UpstreamTransaction, "stateHash" | keyof EncryptedSignIn>
> & {
  _id: SecretHash;
  sealedPayload: string;
  /** Of whoever has taken it. */
  attemptHash?: string | null;
};
export type SignInOutcomeDocument = Omit<SignInOutcome, "authentication"> & {
  _id: SecretHash;
  authentication?: Authentication | null;
  expiresAt: Date;
};
/** `seq` is its place among what was written, `chainSeq` its place in the chain, once it has one. */
export type AuditEventDocument = Stored<AuditEvent> & {
  seq: ObjectId;
  chainSeq?: number | null;
  mac?: string | null;
};
export type ChainMarkDocument = Dated<ChainMark> & { _id: "base" | "head" };
export type AuditVerificationDocument = Stored<AuditVerification> & {
  /** While it hasn't ended: what no other one that goes on may have. */
  openHead: string | null;
  /** When it may be claimed; a lease moves it on. Null once it has ended. */
  dueAt: Date | null;
  leaseWorker: string | null;
  seq: ObjectId;
};
/** `_id` is an entry of domain/search.ts, `record` what it finds. */
export interface SearchTermDocument {
  _id: string;
  record: string;
}
export interface LeaseDocument {
  _id: string;
  worker: string;
  until: Date;
}
/** `_id` is the hour in milliseconds and the name. */
export type CounterDocument = Dated<Count> & { _id: string };
export interface IdempotencyKeyDocument {
  _id: string;
  fingerprint: string;
  sealedAnswer: string;
  expiresAt: Date;
}
export type ClientUseDocument = Later<Dated<Omit<ClientUse, "clientId">>, "refusedAddresses"> & {
  _id: string;
};
export type SignOutDocument = Stored<SignOut> & { dueAt: Date; leaseWorker: string | null; seq: ObjectId };
export interface MetaDocument {
  _id: string;
  value: string;
}
export interface MigrationDocument {
  _id: number;
  name: string;
  appliedAt: Date;
}

export interface Documents {
  meta: MetaDocument;
  migrations: MigrationDocument;
  accounts: Stored<Account>;
  identities: IdentityDocument;
  organizations: OrganizationDocument;
  profiles: ProfileDocument;
  inquiries: InquiryDocument;
  linkRequests: LinkRequestDocument;
  outbox: OutboxDocument;
  upstreamTransactions: UpstreamTransactionDocument;
  signInOutcomes: SignInOutcomeDocument;
  selections: SelectionDocument;
  rememberedChoices: RememberedChoiceDocument;
  artifacts: ArtifactDocument;
  sessions: SessionDocument;
  clients: ClientDocument;
  keys: KeyDocument;
  throttles: ThrottleDocument;
  mailboxes: MailboxDocument;
  auditEvents: AuditEventDocument;
  auditChain: ChainMarkDocument;
  auditVerifications: AuditVerificationDocument;
  searchTerms: SearchTermDocument;
  leases: LeaseDocument;
  counters: CounterDocument;
  apiKeys: Stored<ApiKey>;
  idempotencyKeys: IdempotencyKeyDocument;
  clientUses: ClientUseDocument;
  signOuts: SignOutDocument;
  endings: EndingDocument;
}

export type CollectionName = keyof Documents;
export type Collections = { readonly [Name in CollectionName]: TypedCollection<Documents[Name]> };

const COLLECTION_NAMES = [
  "meta",
  "migrations",
  "accounts",
  "identities",
  "organizations",
  "profiles",
  "inquiries",
  "linkRequests",
  "outbox",
  "upstreamTransactions",
  "signInOutcomes",
  "selections",
  "rememberedChoices",
  "artifacts",
  "sessions",
  "clients",
  "keys",
  "throttles",
  "auditEvents",
  "auditChain",
  "searchTerms",
  "leases",
  "counters",
  "apiKeys",
  "idempotencyKeys",
  "clientUses",
  "signOuts",
  "auditVerifications",
  "endings",
  "mailboxes",
] as const satisfies readonly string[] as readonly CollectionName[];

export function collectionsIn(db: Db): Collections {
  return Object.fromEntries(
    COLLECTION_NAMES.map((name) => [name, db.collection(name)]),
  ) as unknown as Collections;
}

/** A record as a document: its id as `_id`, the instants among its own fields as dates. */
export function toDocument<T extends { id: string }>({ id, ...fields }: T): Stored<T> {
  return { _id: id, ...dated(fields) } as unknown as Stored<T>;
}

/** Fields with dates for instants. */
export function dated<T extends object>(fields: T): Dated<T> {
  const entries = Object.entries(fields).map(([key, value]) => [
    key,
    /At$|^at$|^notBefore$|^heldUntil$|^hour$|^until$/.test(key) && typeof value === "number"
      ? new Date(value)
      : value,
  ]);
  return Object.fromEntries(entries) as Dated<T>;
}

/** A document as a record: dates as instants, at any depth. Takes the fields named, and `_id` as `id`. */
export function toRecord<T>(document: { _id: string }, ...omitted: readonly string[]): T {
  const { _id, ...fields } = document;
  return { id: _id, ...undated(fields, omitted) } as T;
}

/** Fields with instants for dates, at any depth, without those omitted. */
function undated(fields: object, omitted: readonly string[] = []): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([key]) => !omitted.includes(key))
      .map(([key, value]) => [key, instantOf(value)]),
  );
}

function instantOf(value: unknown): unknown {
  if (value instanceof Date) return value.getTime();
  if (Array.isArray(value)) return value.map(instantOf);
  if (typeof value === "object" && value !== null && !(value instanceof ObjectId)) return undated(value);
  return value;
}

export function toOrganizationDocument({ plan, ...organization }: Organization): OrganizationDocument {
  return { ...toDocument(organization), plan: dated(plan) };
}

export const toOrganization = (document: OrganizationDocument) => toRecord<Organization>(document);
export const toProfile = (document: ProfileDocument): Profile => ({
  invitedAt: null,
  ...toRecord<Omit<Profile, "invitedAt">>(document, "selections"),
});
export const toIdentity = ({ _id, ...fields }: IdentityDocument) =>
  ({ emailVerified: false, ...undated(fields) }) as unknown as Identity;
export const toAuditEvent = (document: AuditEventDocument) =>
  toRecord<AuditEvent>(document, "seq", "chainSeq", "mac");
export const toLinkRequest = (document: LinkRequestDocument) =>
  toRecord<LinkRequest>(document, "organizationId");

export function toSelection(document: SelectionDocument): Selection {
  const {
    _id,
    organizationId: _organization,
    replacedBy: _successor,
    endings: _endings,
    ...fields
  } = document;
  return { grantId: _id, ...undated(fields) } as unknown as Selection;
}

/** The present, for a filter. */
export const at = (now: Instant) => new Date(now);
