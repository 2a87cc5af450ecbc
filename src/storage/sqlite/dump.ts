/**
 * Owns how a whole file is read out, record by record, for another back end: sealed values stay sealed,
 * instants are numbers, names are those of domain/records.ts. It is read page by page: no transaction stays
 * open, for the log couldn't be reset meanwhile
 * (https://www.sqlite.org/wal.html#avoiding_excessively_large_wal_files). That nobody writes is seen, not
 * enforced.
 */

import { LiaisonError } from "../../errors.ts";
import type { Dump, Place } from "../dump.ts";
import type { Seal } from "../seal.ts";
import type { Database, Row } from "./database.ts";
import { SQLITE_MIGRATIONS } from "./migrations.ts";
import {
  API_KEY_JSON,
  IDENTITY_JSON,
  integer,
  ORGANIZATION_JSON,
  PROFILE_JSON,
  parse,
  REQUEST_JSON,
  VERIFICATION_JSON,
} from "./rows.ts";
import { checkSchema } from "./schema.ts";

interface Kind {
  record: string;
  from: string;
  where?: string;
  groupBy?: string;
  /**
   * What orders the records, one column or more: an index begins with it, so that reading can begin anywhere.
   */
  order: readonly string[];
}

/** How many records are counted in one statement. */
const COUNTED = 20_000;

const boolean = (column: string) => `json(iif(${column}, 'true', 'false'))`;

const KINDS: Record<string, Kind> = {
  keys: { record: "json_object('id', name, 'sealedValue', sealed_value)", from: "keys", order: ["rowid"] },
  clients: {
    record:
      "json_object('id', id, 'sealedSecret', sealed_secret, 'sealedPrevious', sealed_previous, " +
      "'managedBy', managed_by, 'record', record)",
    from: "clients",
    order: ["rowid"],
  },
  accounts: { record: "json_object('id', id, 'createdAt', created_at)", from: "accounts", order: ["rowid"] },
  identities: { record: IDENTITY_JSON, from: "identities i", order: ["i.rowid"] },
  organizations: { record: ORGANIZATION_JSON, from: "organizations o", order: ["o.rowid"] },
  profiles: { record: PROFILE_JSON, from: "profiles p", order: ["p.rowid"] },
  inquiries: {
    record: `json_object('id', id, 'requester', json(requester), 'sealedAddress', sealed_address,
      'interactionCid', interaction_cid, 'createdAt', created_at, 'notBefore', not_before,
      'ordinal', ordinal, 'heldUntil', held_until, 'settledAt', settled_at, 'matched', matched,
      'leaseWorker', lease_worker, 'leaseUntil', lease_until, 'dueAt', due_at,
      'answeredTo', answered_to)`,
    from: "inquiries",
    order: ["rowid"],
  },
  linkRequests: {
    record: `json_set(${REQUEST_JSON}, '$.organizationId', p.organization_id)`,
    from: "link_requests r CROSS JOIN profiles p ON p.id = r.profile_id",
    order: ["r.rowid"],
  },
  outbox: {
    record: `json_object('id', id, 'messageId', message_id, 'to', recipient,
      'sealedContent', sealed_content, 'requestId', request_id, 'state', state, 'attempts', attempts,
      'createdAt', created_at, 'nextAttemptAt', next_attempt_at, 'dueAt', due_at,
      'leaseWorker', lease_worker, 'sentAt', sent_at, 'serverReply', server_reply,
      'lastError', last_error, 'mailboxHash', mailbox_hash, 'profileHash', profile_hash, 'rank', rank,
      'kind', kind, 'inquiryId', inquiry_id, 'bouncedAt', bounced_at, 'bounce', bounce,
      'placeAt', place_at, 'askerHash', asker_hash, 'carriedBy', carried_by)`,
    from: "outbox",
    order: ["rowid"],
  },
  upstreamTransactions: {
    record: `json_object('id', state_hash, 'browserHash', browser_hash, 'upstreamId', upstream_id,
      'sealedPayload', sealed_payload, 'createdAt', created_at, 'expiresAt', expires_at)`,
    from: "upstream_transactions",
    order: ["rowid"],
  },
  signInOutcomes: {
    record: `json_object('id', interaction_hash, 'accountId', account_id, 'upstreamId', upstream_id,
      'authTime', auth_time, 'authentication', json(authentication), 'expiresAt', expires_at)`,
    from: "sign_in_outcomes",
    order: ["rowid"],
  },
  selections: {
    record: `json_object('id', s.grant_id, 'sessionUid', s.session_uid, 'clientId', s.client_id,
      'accountId', s.account_id, 'profileId', s.profile_id, 'organizationId', p.organization_id,
      'expiresAt', s.expires_at, 'replacedBy', s.replaced_by, 'endings', s.endings)`,
    from: "selections s CROSS JOIN profiles p ON p.id = s.profile_id",
    order: ["s.rowid"],
  },
  endings: {
    record: `json_object('id', key, 'count', count, 'endedAt', ended_at, 'dueAt', due_at, 'place', place,
      'leaseWorker', lease_worker)`,
    from: "endings",
    order: ["key"],
  },
  rememberedChoices: {
    record: "json_object('accountId', account_id, 'clientId', client_id, 'profileId', profile_id)",
    from: "remembered_choices",
    order: ["account_id", "client_id"],
  },
  artifacts: {
    record: `json_object('model', model, 'idHash', id_hash, 'sealedPayload', sealed_payload,
      'grantId', grant_id, 'accountId', account_id, 'clientId', client_id,
      'endings', iif(client_id IS NULL, NULL, endings), 'consumed', consumed_at,
      'expiresAt', expires_at)`,
    from: "artifacts",
    where: "session_uid IS NULL",
    order: ["rowid"],
  },
  sessions: {
    record: `json_object('id', a.session_uid,
      'rows', json_group_array(json_object('idHash', a.id_hash, 'sealedPayload', a.sealed_payload,
        'accountId', a.account_id, 'expiresAt', a.expires_at) ORDER BY a.rowid),
      'clients', json((SELECT json_group_array(json_object('clientId', c.client_id, 'sid', c.sid,
        'grantId', c.grant_id,
        'persistsLogout', iif(c.persists_logout IS NULL, NULL, ${boolean("c.persists_logout")})))
        FROM session_clients c WHERE c.session_uid = a.session_uid)))`,
    from: "artifacts a",
    where: "a.session_uid IS NOT NULL",
    groupBy: "a.session_uid",
    order: ["a.session_uid"],
  },
  throttles: {
    record: "json_object('id', key_hash, 'taken', taken, 'expiresAt', expires_at)",
    from: "throttles",
    order: ["rowid"],
  },
  mailboxes: {
    record:
      "json_object('id', key_hash, 'separate', json(separate), 'collectedAt', collected_at, " +
      "'expiresAt', expires_at)",
    from: "mailboxes",
    order: ["rowid"],
  },
  auditEvents: {
    record: `json_object('id', id, 'at', at, 'action', action, 'actor', actor, 'profileId', profile_id,
      'organizationId', organization_id, 'accountId', account_id, 'requestId', request_id,
      'detail', json(detail), 'chainSeq', chain_seq, 'mac', mac)`,
    from: "audit_events",
    order: ["rowid"],
  },
  auditChain: {
    record: "json_object('id', name, 'seq', seq, 'mac', mac, 'at', at, 'seal', seal)",
    from: "audit_chain",
    order: ["rowid"],
  },
  auditVerifications: {
    record:
      `json_set(${VERIFICATION_JSON}, '$.openHead', open_head, '$.dueAt', due_at, ` +
      "'$.leaseWorker', lease_worker)",
    from: "audit_verifications",
    order: ["rowid"],
  },
  searchTerms: {
    record: "json_object('id', entry, 'record', record)",
    from: "search_terms",
    order: ["entry"],
  },
  clientUses: {
    record: `json_object('id', client_id, 'usedAt', used_at, 'previousUsedAt', previous_used_at,
      'refusedAddresses', json(refused_addresses))`,
    from: "client_uses",
    order: ["rowid"],
  },
  apiKeys: { record: API_KEY_JSON, from: "api_keys", order: ["rowid"] },
  idempotencyKeys: {
    record:
      "json_object('id', key_hash, 'fingerprint', fingerprint, 'sealedAnswer', sealed_answer, " +
      "'expiresAt', expires_at)",
    from: "idempotency_keys",
    order: ["rowid"],
  },
  counters: {
    record: "json_object('id', hour || ':' || name, 'name', name, 'hour', hour, 'count', count)",
    from: "counters",
    order: ["hour", "name"],
  },
  signOuts: {
    record: `json_object('id', id, 'clientId', client_id, 'accountId', account_id, 'sid', sid,
      'createdAt', created_at, 'dueAt', due_at, 'attempts', attempts, 'leaseWorker', lease_worker)`,
    from: "sign_outs",
    order: ["rowid"],
  },
};

/** Runs work on all that the file holds. The schema must be this version's. */
export async function withDump<T>(
  { database, seal, file }: { database: Database; seal: Seal; file: string },
  work: (dump: Dump) => Promise<T>,
): Promise<T> {
  checkSchema({ database, seal, file, now: 0, migrations: SQLITE_MIGRATIONS });
  // It changes with every commit of another connection:
  // https://www.sqlite.org/pragma.html#pragma_data_version
  const version = () => integer(database.query("PRAGMA data_version")[0]?.["data_version"]);
  const before = version();
  return await work({
    kinds: Object.keys(KINDS),
    count: (kind) => countRecords(database, kindOf(kind)),
    read: (kind, after, limit) => {
      const { order, record } = kindOf(kind);
      return rowsBehind(database, kindOf(kind), { columns: `${record} AS record, `, after, limit }).map(
        (row) => ({
          fields: parse(row["record"]),
          place: placeOf(row, order),
        }),
      );
    },
    refuseChanged: () => {
      if (version() === before) return;
      const fix = "Stop every broker on it, drop the database that was begun, and copy again.";
      throw LiaisonError.storeRefused(`${file} was written to while it was copied. ${fix}`);
    },
    source: String(database.query("SELECT value FROM meta WHERE name = 'canary'")[0]?.["value"]),
  });
}

interface Behind {
  columns?: string;
  after: Place | undefined;
  limit: number;
  offset?: number;
}

function rowsBehind(
  database: Database,
  kind: Kind,
  { columns = "", after, limit, offset = 0 }: Behind,
): Row[] {
  const { from, where, groupBy, order } = kind;
  const values = order.map((_, index) => `:at${index}`).join(", ");
  const conditions = [where, after && `(${order.join(", ")}) > (${values})`].filter(
    (one) => one !== undefined,
  );
  const sql = [
    `SELECT ${columns}${order.map((column, index) => `${column} AS at${index}`).join(", ")} FROM ${from}`,
    conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : "",
    groupBy === undefined ? "" : `GROUP BY ${groupBy}`,
    `ORDER BY ${order.join(", ")} LIMIT :limit OFFSET :offset`,
  ];
  const place = Object.fromEntries((after ?? []).map((value, index) => [`at${index}`, value]));
  return database.query(sql.join(" "), { ...place, limit, offset });
}

function placeOf(row: Row, order: Kind["order"]): Place {
  return order.map((_, index) => {
    const value = row[`at${index}`];
    return typeof value === "string" ? value : integer(value);
  });
}

/** Counts in steps, so that no statement reads for long. */
function countRecords(database: Database, kind: Kind): number {
  let count = 0;
  for (let after: Place | undefined; ; ) {
    const [last] = rowsBehind(database, kind, { after, limit: 1, offset: COUNTED - 1 });
    if (last === undefined) return count + rowsBehind(database, kind, { after, limit: COUNTED }).length;
    count += COUNTED;
    after = placeOf(last, kind.order);
  }
}

function kindOf(kind: string): Kind {
  const found = KINDS[kind];
  if (found === undefined) throw new TypeError(`no records of the kind ${kind}`);
  return found;
}
