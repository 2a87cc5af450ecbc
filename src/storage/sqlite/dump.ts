/**
 * Owns how a whole file is read out, record by record, for another back end: sealed values stay sealed, instants are numbers,
 * names are those of storage/records.ts. The file is locked meanwhile, so that what is read is all there is.
 */

import type { Dump } from "../dump.ts";
import type { Seal } from "../seal.ts";
import type { Database } from "./database.ts";
import { SQLITE_MIGRATIONS } from "./migrations.ts";
import { API_KEY_JSON, IDENTITY_JSON, integer, ORGANIZATION_JSON, PROFILE_JSON, parse, REQUEST_JSON } from "./rows.ts";
import { checkSchema } from "./schema.ts";

interface Kind {
  record: string;
  from: string;
  /** What orders the records: kept in an index, so that reading can begin anywhere. */
  position: string;
}

const boolean = (column: string) => `json(iif(${column}, 'true', 'false'))`;

const KINDS: Record<string, Kind> = {
  keys: { record: "json_object('id', name, 'sealedValue', sealed_value)", from: "keys", position: "rowid" },
  clients: {
    record:
      "json_object('id', id, 'sealedSecret', sealed_secret, 'sealedPrevious', sealed_previous, 'managedBy', managed_by, 'record', record)",
    from: "clients",
    position: "rowid",
  },
  accounts: { record: "json_object('id', id, 'createdAt', created_at)", from: "accounts", position: "rowid" },
  identities: { record: IDENTITY_JSON, from: "identities i", position: "i.rowid" },
  organizations: { record: ORGANIZATION_JSON, from: "organizations o", position: "o.rowid" },
  profiles: { record: PROFILE_JSON, from: "profiles p", position: "p.rowid" },
  inquiries: {
    record: `json_object('id', id, 'requester', json(requester), 'sealedAddress', sealed_address, 'interactionCid',
      interaction_cid, 'createdAt', created_at, 'notBefore', not_before, 'ordinal', ordinal, 'heldUntil', held_until,
      'settledAt', settled_at, 'matched', matched, 'leaseWorker', lease_worker, 'leaseUntil', lease_until,
      'dueAt', due_at, 'answeredTo', answered_to)`,
    from: "inquiries",
    position: "rowid",
  },
  linkRequests: {
    record: `json_set(${REQUEST_JSON}, '$.organizationId', p.organization_id)`,
    from: "link_requests r CROSS JOIN profiles p ON p.id = r.profile_id",
    position: "r.rowid",
  },
  outbox: {
    record: `json_object('id', id, 'messageId', message_id, 'to', recipient, 'sealedContent', sealed_content, 'requestId',
      request_id, 'state', state, 'attempts', attempts, 'createdAt', created_at, 'nextAttemptAt', next_attempt_at, 'dueAt',
      due_at, 'leaseWorker', lease_worker, 'sentAt', sent_at, 'serverReply', server_reply, 'lastError', last_error,
      'mailboxHash', mailbox_hash, 'profileHash', profile_hash, 'rank', rank, 'kind', kind, 'inquiryId', inquiry_id,
      'bouncedAt', bounced_at, 'bounce', bounce)`,
    from: "outbox",
    position: "rowid",
  },
  upstreamTransactions: {
    record: `json_object('id', state_hash, 'browserHash', browser_hash, 'upstreamId', upstream_id, 'sealedPayload',
      sealed_payload, 'createdAt', created_at, 'expiresAt', expires_at)`,
    from: "upstream_transactions",
    position: "rowid",
  },
  signInOutcomes: {
    record: `json_object('id', interaction_hash, 'accountId', account_id, 'upstreamId', upstream_id, 'authTime', auth_time,
      'authentication', json(authentication), 'expiresAt', expires_at)`,
    from: "sign_in_outcomes",
    position: "rowid",
  },
  selections: {
    record: `json_object('id', s.grant_id, 'sessionUid', s.session_uid, 'clientId', s.client_id, 'accountId', s.account_id,
      'profileId', s.profile_id, 'organizationId', p.organization_id, 'expiresAt', s.expires_at,
      'replacedBy', s.replaced_by)`,
    from: "selections s CROSS JOIN profiles p ON p.id = s.profile_id",
    position: "s.rowid",
  },
  rememberedChoices: {
    record: "json_object('accountId', account_id, 'clientId', client_id, 'profileId', profile_id)",
    from: "(SELECT *, row_number() OVER (ORDER BY account_id, client_id) AS place FROM remembered_choices)",
    position: "place",
  },
  artifacts: {
    record: `json_object('model', model, 'idHash', id_hash, 'sealedPayload', sealed_payload, 'grantId', grant_id, 'accountId',
      account_id, 'consumed', consumed_at, 'expiresAt', expires_at)`,
    from: "(SELECT rowid AS place, * FROM artifacts WHERE session_uid IS NULL)",
    position: "place",
  },
  sessions: {
    record: `json_object('id', a.session_uid,
      'rows', json_group_array(json_object('idHash', a.id_hash, 'sealedPayload', a.sealed_payload, 'accountId', a.account_id,
        'expiresAt', a.expires_at) ORDER BY a.rowid),
      'clients', json((SELECT json_group_array(json_object('clientId', c.client_id, 'sid', c.sid, 'grantId', c.grant_id,
        'persistsLogout', iif(c.persists_logout IS NULL, NULL, ${boolean("c.persists_logout")})))
        FROM session_clients c WHERE c.session_uid = a.session_uid)))`,
    from: "artifacts a WHERE a.session_uid IS NOT NULL GROUP BY a.session_uid",
    position: "0",
  },
  throttles: {
    record: "json_object('id', key_hash, 'taken', taken, 'expiresAt', expires_at)",
    from: "throttles",
    position: "rowid",
  },
  auditEvents: {
    record: `json_object('id', id, 'at', at, 'action', action, 'actor', actor, 'profileId', profile_id, 'organizationId',
      organization_id, 'accountId', account_id, 'requestId', request_id, 'detail', json(detail), 'chainSeq', chain_seq,
      'mac', mac)`,
    from: "audit_events",
    position: "rowid",
  },
  auditChain: {
    record: "json_object('id', name, 'seq', seq, 'mac', mac, 'at', at, 'seal', seal)",
    from: "audit_chain",
    position: "rowid",
  },
  searchTerms: {
    record: "json_object('id', entry, 'record', record)",
    from: "(SELECT *, row_number() OVER (ORDER BY entry) AS place FROM search_terms)",
    position: "place",
  },
  clientUses: {
    record: "json_object('id', client_id, 'usedAt', used_at, 'previousUsedAt', previous_used_at)",
    from: "client_uses",
    position: "rowid",
  },
  apiKeys: { record: API_KEY_JSON, from: "api_keys", position: "rowid" },
  idempotencyKeys: {
    record: `json_object('id', key_hash, 'fingerprint', fingerprint, 'sealedAnswer', sealed_answer, 'expiresAt', expires_at)`,
    from: "idempotency_keys",
    position: "rowid",
  },
  counters: {
    record: "json_object('id', hour || ':' || name, 'name', name, 'hour', hour, 'count', count)",
    from: "(SELECT *, row_number() OVER (ORDER BY hour, name) AS place FROM counters)",
    position: "place",
  },
  signOuts: {
    record: `json_object('id', id, 'clientId', client_id, 'accountId', account_id, 'sid', sid, 'createdAt', created_at,
      'dueAt', due_at, 'attempts', attempts, 'leaseWorker', lease_worker)`,
    from: "sign_outs",
    position: "rowid",
  },
};

/** Runs work on all that the file holds, which nobody changes meanwhile. The schema must be this version's. */
export async function withDump<T>(
  { database, seal, file }: { database: Database; seal: Seal; file: string },
  work: (dump: Dump) => Promise<T>,
): Promise<T> {
  checkSchema({ database, seal, file, now: 0, migrations: SQLITE_MIGRATIONS });
  database.exec("BEGIN IMMEDIATE");
  try {
    return await work({
      kinds: Object.keys(KINDS),
      count: (kind) => {
        const { from } = kindOf(kind);
        return integer(database.query(`SELECT count(*) AS n FROM (SELECT 1 FROM ${from})`)[0]?.["n"]);
      },
      *read(kind, after) {
        const { record, from, position } = kindOf(kind);
        // What is grouped has no place to begin at.
        const behind = position === "0" ? "" : ` WHERE ${position} > ${Math.trunc(after)} ORDER BY ${position}`;
        for (const row of database.iterate(
          `SELECT ${record} AS record, ${position} AS position FROM ${from}${behind}`,
        )) {
          yield { fields: parse(row["record"]), position: integer(row["position"]) };
        }
      },
      source: String(database.query("SELECT value FROM meta WHERE name = 'canary'")[0]?.["value"]),
    });
  } finally {
    database.exec("ROLLBACK");
  }
}

function kindOf(kind: string): Kind {
  const found = KINDS[kind];
  if (found === undefined) throw new TypeError(`no records of the kind ${kind}`);
  return found;
}
