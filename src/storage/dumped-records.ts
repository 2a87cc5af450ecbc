/**
 * What a copy carries from one back end to another, field by field: the tables (tables.ts), and of what only
 * hand-written statements keep, the fields named here. Encrypted values stay encrypted, instants are numbers.
 */

import type { Instant } from "../clock.ts";
import type { AccountId, ClientId, GrantId, SecretHash } from "../domain/ids.ts";
import { instant, json, number, orNull, type Table, tableOf, text } from "./fields.ts";
import {
  accounts,
  apiKeys,
  auditChain,
  auditEvents,
  auditVerifications,
  clients,
  clientUses,
  counters,
  endings,
  idempotencyKeys,
  identities,
  inquiries,
  keys,
  linkRequests,
  mailboxes,
  organizations,
  outbox,
  profiles,
  rememberedChoices,
  searchTerms,
  selections,
  signInOutcomes,
  signOuts,
  throttles,
  upstreamTransactions,
} from "./tables.ts";

const artifacts = tableOf("artifacts", "id", {
  id: text({ computed: "model || ':' || id_hash" }),
  sealedPayload: orNull(text()),
  grantId: orNull(text()),
  accountId: orNull(text()),
  clientId: orNull(text()),
  /** Null where there is no client. */
  endings: orNull(number({ computed: "iif(client_id IS NULL, NULL, endings)" })),
  /** Seconds since the epoch. */
  consumed: orNull(number({ column: "consumed_at" })),
  expiresAt: instant(),
});

/** A row for each id that names the session. */
export interface DumpedSessionRow {
  idHash: SecretHash;
  sealedPayload: string;
  accountId: AccountId | null;
  expiresAt: Instant;
}

/** What a session has at a client. */
interface DumpedSessionClient {
  clientId: ClientId;
  sid: string | null;
  grantId: GrantId | null;
  persistsLogout: boolean | null;
}

const SESSION_ROWS = `json_group_array(json_object(
  'idHash', id_hash, 'sealedPayload', sealed_payload, 'accountId', account_id, 'expiresAt', expires_at
) ORDER BY rowid)`;
const SESSION_CLIENTS = `(SELECT json_group_array(json_object(
  'clientId', c.client_id, 'sid', c.sid, 'grantId', c.grant_id,
  'persistsLogout', json(iif(c.persists_logout IS NULL, NULL, iif(c.persists_logout, 'true', 'false')))
)) FROM session_clients c WHERE c.session_uid = artifacts.session_uid)`;

/** SQLite keeps sessions as artifacts, one for each of their ids. */
const sessions = {
  ...tableOf(
    "sessions",
    "id",
    {
      id: text({ column: "session_uid" }),
      rows: json<DumpedSessionRow[]>({ listOf: "anything" }, { computed: SESSION_ROWS }),
      clients: json<DumpedSessionClient[]>({ listOf: "anything" }, { computed: SESSION_CLIENTS }),
      /** When its last row does. */
      expiresAt: instant({ computed: "max(expires_at)" }),
    },
    { identity: ["id"] },
  ),
  table: "artifacts",
};

/** What a broker made that knew nothing of its organization has it with its profile alone. */
const organizationIn = (table: string) =>
  text({ computed: `(SELECT p.organization_id FROM profiles p WHERE p.id = ${table}.profile_id)` });

/** What takes a sign-in under way isn't copied: whoever comes next takes it. */
const { attemptHash: _attempt, ...begun } = upstreamTransactions.fields;

const all = {
  keys,
  clients,
  accounts,
  identities,
  organizations,
  profiles,
  inquiries,
  linkRequests: {
    ...linkRequests,
    fields: { ...linkRequests.fields, organizationId: organizationIn("link_requests") },
  },
  outbox,
  upstreamTransactions: { ...upstreamTransactions, fields: begun },
  // One that was left before there were proofs has none.
  signInOutcomes: {
    ...signInOutcomes,
    fields: { ...signInOutcomes.fields, proofHash: orNull(signInOutcomes.fields.proofHash) },
  },
  selections: {
    ...selections,
    fields: { ...selections.fields, organizationId: organizationIn("selections") },
  },
  endings,
  rememberedChoices,
  artifacts,
  sessions,
  throttles,
  mailboxes,
  auditEvents,
  auditChain,
  auditVerifications,
  searchTerms,
  clientUses,
  apiKeys,
  idempotencyKeys,
  counters,
  signOuts,
};

/** Each kind of record by the name of its collection. */
export type DumpedKind = keyof typeof all;

type DumpedTable = Pick<Table<never>, "name" | "table" | "fields" | "key" | "identity">;

/** In an order in which they can be written. */
export const DUMPED: Readonly<Record<DumpedKind, DumpedTable>> = all;
