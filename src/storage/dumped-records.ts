/**
 * The records that one back end reads out and another takes in, field by field: those of domain/records.ts
 * with what a store keeps beside them. Encrypted values stay encrypted, instants are numbers.
 */

import type { Instant } from "../clock.ts";
import type { AccountId, ClientId, GrantId, OrganizationId, ProfileId, SecretHash } from "../domain/ids.ts";
import type { MailboxUse } from "../domain/mailbox.ts";
import type {
  Account,
  ApiKey,
  AuditEvent,
  AuditVerification,
  Authentication,
  ChainMark,
  Client,
  ClientUse,
  Delivery,
  Identity,
  Inquiry,
  LinkRequest,
  Organization,
  Profile,
  Selection,
  SignInOutcome,
  SignOut,
  UpstreamTransaction,
} from "../domain/records.ts";
import type { Count } from "./contract.ts";

interface Leased {
  leaseWorker: string | null;
}

/** Fields under an id instead of the record's own key. */
type Under<T, Key extends keyof T> = Omit<T, Key> & { id: string };

/** Each kind of record by the name of its collection. */
export interface DumpedRecords {
  keys: { id: string; sealedValue: string };
  clients: {
    id: string;
    sealedSecret: string | null;
    sealedPrevious: string | null;
    managedBy: Client["managedBy"];
    record: string;
  };
  accounts: Account;
  identities: Identity;
  organizations: Organization;
  profiles: Profile;
  inquiries: Omit<Inquiry, "address"> &
    Leased & {
      sealedAddress: string | null;
      leaseUntil: Instant;
      dueAt: Instant;
      answeredTo: ProfileId | null;
    };
  linkRequests: LinkRequest & { organizationId: OrganizationId };
  outbox: Delivery &
    Leased & {
      sealedContent: string | null;
      dueAt: Instant;
      mailboxHash: string | null;
      profileHash: string | null;
      rank: number;
      placeAt: Instant | null;
      askerHash: string | null;
    };
  upstreamTransactions: Under<
    Pick<UpstreamTransaction, "stateHash" | "browserHash" | "upstreamId" | "createdAt" | "expiresAt">,
    "stateHash"
  > & { sealedPayload: string };
  signInOutcomes: Omit<SignInOutcome, "authentication"> & {
    id: string;
    authentication: Authentication | null;
    expiresAt: Instant;
  };
  selections: Under<Selection, "grantId"> & {
    organizationId: OrganizationId;
    replacedBy: GrantId | null;
    endings: number;
  };
  endings: Leased & { id: string; count: number; endedAt: Instant; dueAt: Instant | null; place: string };
  rememberedChoices: { accountId: AccountId; clientId: ClientId; profileId: ProfileId };
  artifacts: {
    model: string;
    idHash: SecretHash;
    sealedPayload: string | null;
    grantId: GrantId | null;
    accountId: AccountId | null;
    clientId: ClientId | null;
    /** Null where there is no client. */
    endings: number | null;
    /** Seconds since the epoch. */
    consumed: number | null;
    expiresAt: Instant;
  };
  sessions: { id: string; rows: DumpedSessionRow[]; clients: DumpedSessionClient[] };
  throttles: { id: string; taken: number; expiresAt: Instant };
  mailboxes: MailboxUse & { id: string; expiresAt: Instant };
  auditEvents: AuditEvent & { chainSeq: number | null; mac: string | null };
  auditChain: ChainMark & { id: string };
  auditVerifications: AuditVerification & Leased & { openHead: string | null; dueAt: Instant | null };
  searchTerms: { id: string; record: string };
  clientUses: Under<ClientUse, "clientId">;
  apiKeys: ApiKey;
  idempotencyKeys: { id: string; fingerprint: string; sealedAnswer: string; expiresAt: Instant };
  counters: Count & { id: string };
  signOuts: SignOut & Leased & { dueAt: Instant };
}

export interface DumpedSessionRow {
  idHash: SecretHash;
  sealedPayload: string;
  accountId: AccountId | null;
  expiresAt: Instant;
}

export interface DumpedSessionClient {
  clientId: ClientId;
  sid: string | null;
  grantId: GrantId | null;
  persistsLogout: boolean | null;
}
