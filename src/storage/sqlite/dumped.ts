/** The SQL that reads each kind of record out of the file, as another back end takes it in (dump.ts). */

import type {
  AuditVerification,
  Delivery,
  Inquiry,
  LinkRequest,
  OutboxMessage,
} from "../../domain/records.ts";
import type { DumpedRecords, DumpedSessionClient, DumpedSessionRow } from "../dumped-records.ts";
import { arrayOf, boolean, extended, type Fields, type Json, object, raw, stored } from "./json.ts";
import {
  ACCOUNT_JSON,
  API_KEY_JSON,
  IDENTITY_JSON,
  ORGANIZATION_JSON,
  PROFILE_JSON,
  REQUEST_JSON,
  VERIFICATION_JSON,
} from "./rows.ts";

/** Of inquiries without an alias. */
const INQUIRY_FIELDS: Fields<Omit<Inquiry, "address">> = {
  id: "id",
  requester: stored("requester"),
  interactionCid: "interaction_cid",
  createdAt: "created_at",
  notBefore: "not_before",
  ordinal: "ordinal",
  heldUntil: "held_until",
  settledAt: "settled_at",
  matched: "matched",
};

const MESSAGE: Fields<Omit<OutboxMessage, "content">> = {
  id: "id",
  messageId: "message_id",
  to: "recipient",
  state: "state",
  attempts: "attempts",
  createdAt: "created_at",
  nextAttemptAt: "next_attempt_at",
  sentAt: "sent_at",
  lastError: "last_error",
};

/** Of outbox without an alias. */
const DELIVERY_FIELDS: Fields<Delivery> = {
  ...MESSAGE,
  kind: "kind",
  inquiryId: "inquiry_id",
  requestId: "request_id",
  carriedBy: "carried_by",
  serverReply: "server_reply",
  bouncedAt: "bounced_at",
  bounce: "bounce",
};

/** What a kind has beside a record of the rules. */
type Beyond<Kind extends keyof DumpedRecords, T> = Omit<DumpedRecords[Kind], keyof T>;

/** How the records of a kind are read. */
export interface Source<T> {
  record: Json<T>;
  from: string;
  where?: string;
  groupBy?: string;
  /**
   * What orders the records, one column or more: an index begins with it, so that reading can begin anywhere.
   */
  order: readonly string[];
}

const SESSION_ROWS = arrayOf(
  object<DumpedSessionRow>({
    idHash: "a.id_hash",
    sealedPayload: "a.sealed_payload",
    accountId: "a.account_id",
    expiresAt: "a.expires_at",
  }),
  "a.rowid",
);

const SESSION_CLIENTS = arrayOf(
  object<DumpedSessionClient>({
    clientId: "c.client_id",
    sid: "c.sid",
    grantId: "c.grant_id",
    persistsLogout: raw(`iif(c.persists_logout IS NULL, NULL, ${boolean("c.persists_logout")})`),
  }),
);

/** In an order in which they can be written. */
export const SOURCES: { readonly [Kind in keyof DumpedRecords]: Source<DumpedRecords[Kind]> } = {
  keys: {
    record: object<DumpedRecords["keys"]>({ id: "name", sealedValue: "sealed_value" }),
    from: "keys",
    order: ["rowid"],
  },
  clients: {
    record: object<DumpedRecords["clients"]>({
      id: "id",
      sealedSecret: "sealed_secret",
      sealedPrevious: "sealed_previous",
      managedBy: "managed_by",
      record: "record",
    }),
    from: "clients",
    order: ["rowid"],
  },
  accounts: { record: ACCOUNT_JSON, from: "accounts", order: ["rowid"] },
  identities: { record: IDENTITY_JSON, from: "identities i", order: ["i.rowid"] },
  organizations: { record: ORGANIZATION_JSON, from: "organizations o", order: ["o.rowid"] },
  profiles: { record: PROFILE_JSON, from: "profiles p", order: ["p.rowid"] },
  inquiries: {
    record: object<DumpedRecords["inquiries"]>({
      ...INQUIRY_FIELDS,
      sealedAddress: "sealed_address",
      leaseWorker: "lease_worker",
      leaseUntil: "lease_until",
      dueAt: "due_at",
      answeredTo: "answered_to",
    }),
    from: "inquiries",
    order: ["rowid"],
  },
  linkRequests: {
    record: extended<LinkRequest, Beyond<"linkRequests", LinkRequest>>(REQUEST_JSON, {
      organizationId: "p.organization_id",
    }),
    from: "link_requests r CROSS JOIN profiles p ON p.id = r.profile_id",
    order: ["r.rowid"],
  },
  outbox: {
    record: object<DumpedRecords["outbox"]>({
      ...DELIVERY_FIELDS,
      sealedContent: "sealed_content",
      dueAt: "due_at",
      leaseWorker: "lease_worker",
      mailboxHash: "mailbox_hash",
      profileHash: "profile_hash",
      rank: "rank",
      placeAt: "place_at",
      askerHash: "asker_hash",
    }),
    from: "outbox",
    order: ["rowid"],
  },
  upstreamTransactions: {
    record: object<DumpedRecords["upstreamTransactions"]>({
      id: "state_hash",
      browserHash: "browser_hash",
      upstreamId: "upstream_id",
      sealedPayload: "sealed_payload",
      createdAt: "created_at",
      expiresAt: "expires_at",
    }),
    from: "upstream_transactions",
    order: ["rowid"],
  },
  signInOutcomes: {
    record: object<DumpedRecords["signInOutcomes"]>({
      id: "interaction_hash",
      accountId: "account_id",
      upstreamId: "upstream_id",
      authTime: "auth_time",
      proofHash: "proof_hash",
      authentication: stored("authentication"),
      expiresAt: "expires_at",
    }),
    from: "sign_in_outcomes",
    order: ["rowid"],
  },
  selections: {
    record: object<DumpedRecords["selections"]>({
      id: "s.grant_id",
      sessionUid: "s.session_uid",
      clientId: "s.client_id",
      accountId: "s.account_id",
      profileId: "s.profile_id",
      organizationId: "p.organization_id",
      expiresAt: "s.expires_at",
      replacedBy: "s.replaced_by",
      endings: "s.endings",
    }),
    from: "selections s CROSS JOIN profiles p ON p.id = s.profile_id",
    order: ["s.rowid"],
  },
  endings: {
    record: object<DumpedRecords["endings"]>({
      id: "key",
      count: "count",
      endedAt: "ended_at",
      dueAt: "due_at",
      place: "place",
      leaseWorker: "lease_worker",
    }),
    from: "endings",
    order: ["key"],
  },
  rememberedChoices: {
    record: object<DumpedRecords["rememberedChoices"]>({
      accountId: "account_id",
      clientId: "client_id",
      profileId: "profile_id",
    }),
    from: "remembered_choices",
    order: ["account_id", "client_id"],
  },
  artifacts: {
    record: object<DumpedRecords["artifacts"]>({
      model: "model",
      idHash: "id_hash",
      sealedPayload: "sealed_payload",
      grantId: "grant_id",
      accountId: "account_id",
      clientId: "client_id",
      endings: "iif(client_id IS NULL, NULL, endings)",
      consumed: "consumed_at",
      expiresAt: "expires_at",
    }),
    from: "artifacts",
    where: "session_uid IS NULL",
    order: ["rowid"],
  },
  sessions: {
    record: object<DumpedRecords["sessions"]>({
      id: "a.session_uid",
      rows: SESSION_ROWS,
      clients: raw(
        `json((SELECT ${SESSION_CLIENTS} FROM session_clients c WHERE c.session_uid = a.session_uid))`,
      ),
    }),
    from: "artifacts a",
    where: "a.session_uid IS NOT NULL",
    groupBy: "a.session_uid",
    order: ["a.session_uid"],
  },
  throttles: {
    record: object<DumpedRecords["throttles"]>({ id: "key_hash", taken: "taken", expiresAt: "expires_at" }),
    from: "throttles",
    order: ["rowid"],
  },
  mailboxes: {
    record: object<DumpedRecords["mailboxes"]>({
      id: "key_hash",
      separate: stored("separate"),
      collectedAt: "collected_at",
      expiresAt: "expires_at",
    }),
    from: "mailboxes",
    order: ["rowid"],
  },
  auditEvents: {
    record: object<DumpedRecords["auditEvents"]>({
      id: "id",
      at: "at",
      action: "action",
      actor: "actor",
      profileId: "profile_id",
      organizationId: "organization_id",
      accountId: "account_id",
      requestId: "request_id",
      detail: stored("detail"),
      chainSeq: "chain_seq",
      mac: "mac",
    }),
    from: "audit_events",
    order: ["rowid"],
  },
  auditChain: {
    record: object<DumpedRecords["auditChain"]>({
      id: "name",
      seq: "seq",
      mac: "mac",
      at: "at",
      seal: "seal",
    }),
    from: "audit_chain",
    order: ["rowid"],
  },
  auditVerifications: {
    record: extended<AuditVerification, Beyond<"auditVerifications", AuditVerification>>(VERIFICATION_JSON, {
      openHead: "open_head",
      dueAt: "due_at",
      leaseWorker: "lease_worker",
    }),
    from: "audit_verifications",
    order: ["rowid"],
  },
  searchTerms: {
    record: object<DumpedRecords["searchTerms"]>({ id: "entry", record: "record" }),
    from: "search_terms",
    order: ["entry"],
  },
  clientUses: {
    record: object<DumpedRecords["clientUses"]>({
      id: "client_id",
      usedAt: "used_at",
      previousUsedAt: "previous_used_at",
      refusedAddresses: stored("refused_addresses"),
    }),
    from: "client_uses",
    order: ["rowid"],
  },
  apiKeys: { record: API_KEY_JSON, from: "api_keys", order: ["rowid"] },
  idempotencyKeys: {
    record: object<DumpedRecords["idempotencyKeys"]>({
      id: "key_hash",
      fingerprint: "fingerprint",
      sealedAnswer: "sealed_answer",
      expiresAt: "expires_at",
    }),
    from: "idempotency_keys",
    order: ["rowid"],
  },
  counters: {
    record: object<DumpedRecords["counters"]>({
      id: "hour || ':' || name",
      name: "name",
      hour: "hour",
      count: "count",
    }),
    from: "counters",
    order: ["hour", "name"],
  },
  signOuts: {
    record: object<DumpedRecords["signOuts"]>({
      id: "id",
      clientId: "client_id",
      accountId: "account_id",
      sid: "sid",
      createdAt: "created_at",
      dueAt: "due_at",
      attempts: "attempts",
      leaseWorker: "lease_worker",
    }),
    from: "sign_outs",
    order: ["rowid"],
  },
};
