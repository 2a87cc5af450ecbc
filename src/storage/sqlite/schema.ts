/**
 * Owns the tables: an ordered list of migrations, never edited once released, and the checks that keep Liaison from running
 * on a file that can't hold its promises. All text compares byte for byte (SQLite's default, BINARY).
 */

import type { Instant } from "../../clock.ts";
import { LiaisonError } from "../../errors.ts";
import type { Seal } from "../seal.ts";
import { CANARY, sealedAt } from "../sealed-fields.ts";
import type { Database } from "./database.ts";
import { integer, text } from "./rows.ts";

/** Migration n (from 1) brings a file from version n - 1 to n. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

  CREATE TABLE accounts (id TEXT PRIMARY KEY, created_at INTEGER NOT NULL) STRICT;

  CREATE TABLE identities (
    issuer TEXT NOT NULL, subject TEXT NOT NULL, upstream_id TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    email TEXT, display_name TEXT, created_at INTEGER NOT NULL, last_sign_in_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX identities_by_key ON identities (issuer, subject);
  CREATE INDEX identities_by_account ON identities (account_id, last_sign_in_at);

  CREATE TABLE organizations (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, account_number TEXT NOT NULL, kind TEXT NOT NULL,
    plan_status TEXT NOT NULL, plan_expires_at INTEGER, enabled INTEGER NOT NULL
  ) STRICT;

  -- The binding is one column, so that a profile can't have two; it is only ever set where it IS NULL.
  CREATE TABLE profiles (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations (id),
    email TEXT NOT NULL, email_key TEXT NOT NULL, email_version INTEGER NOT NULL,
    name TEXT NOT NULL, roles TEXT NOT NULL, enabled INTEGER NOT NULL, admin_role TEXT,
    account_id TEXT REFERENCES accounts (id), bound_at INTEGER, proven_email_version INTEGER
  ) STRICT;
  CREATE INDEX profiles_by_email ON profiles (email_key, id);
  CREATE INDEX profiles_by_account ON profiles (account_id, id);
  CREATE INDEX profiles_by_organization ON profiles (organization_id, id);

  CREATE TABLE inquiries (
    id TEXT PRIMARY KEY, requester TEXT NOT NULL, sealed_address TEXT, interaction_cid TEXT NOT NULL,
    created_at INTEGER NOT NULL, not_before INTEGER NOT NULL, settled_at INTEGER,
    lease_worker TEXT, lease_until INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX inquiries_by_interaction ON inquiries (interaction_cid, created_at);
  CREATE INDEX inquiries_unsettled ON inquiries (created_at) WHERE settled_at IS NULL;

  CREATE TABLE link_requests (
    id TEXT PRIMARY KEY, inquiry_id TEXT NOT NULL REFERENCES inquiries (id),
    secret_hash TEXT NOT NULL, purpose TEXT NOT NULL,
    issuer TEXT NOT NULL, subject TEXT NOT NULL, upstream_id TEXT NOT NULL, account_id TEXT NOT NULL,
    requester_email TEXT, requester_name TEXT,
    profile_id TEXT NOT NULL REFERENCES profiles (id), email_version INTEGER NOT NULL,
    state TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, settled_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX link_requests_by_secret ON link_requests (secret_hash);
  CREATE INDEX link_requests_pending ON link_requests (profile_id, issuer, subject) WHERE state = 'pending';

  CREATE TABLE outbox (
    id TEXT PRIMARY KEY, message_id TEXT NOT NULL, recipient TEXT NOT NULL, sealed_content TEXT,
    request_id TEXT REFERENCES link_requests (id),
    state TEXT NOT NULL, attempts INTEGER NOT NULL, created_at INTEGER NOT NULL, next_attempt_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL, lease_worker TEXT, sent_at INTEGER, server_reply TEXT, last_error TEXT
  ) STRICT;
  CREATE INDEX outbox_queued ON outbox (due_at) WHERE state = 'queued';

  CREATE TABLE upstream_transactions (
    state_hash TEXT PRIMARY KEY, browser_hash TEXT NOT NULL, upstream_id TEXT NOT NULL, forced INTEGER NOT NULL,
    sealed_payload TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX upstream_transactions_by_expiry ON upstream_transactions (expires_at);

  CREATE TABLE sign_in_outcomes (
    interaction_hash TEXT PRIMARY KEY, account_id TEXT NOT NULL, upstream_id TEXT NOT NULL,
    auth_time INTEGER NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX sign_in_outcomes_by_expiry ON sign_in_outcomes (expires_at);

  CREATE TABLE selections (
    grant_id TEXT NOT NULL, session_uid TEXT NOT NULL, client_id TEXT NOT NULL, account_id TEXT NOT NULL,
    profile_id TEXT NOT NULL REFERENCES profiles (id), expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX selections_by_grant ON selections (grant_id);
  CREATE UNIQUE INDEX selections_by_session ON selections (session_uid, client_id);
  CREATE INDEX selections_by_profile ON selections (profile_id);
  CREATE INDEX selections_by_expiry ON selections (expires_at);

  CREATE TABLE remembered_choices (
    account_id TEXT NOT NULL, client_id TEXT NOT NULL, profile_id TEXT NOT NULL, PRIMARY KEY (account_id, client_id)
  ) STRICT, WITHOUT ROWID;

  -- Sessions are artifacts with a uid; their clients' shares are rows of their own.
  CREATE TABLE artifacts (
    model TEXT NOT NULL, id_hash TEXT NOT NULL, sealed_payload TEXT, grant_id TEXT, account_id TEXT, session_uid TEXT,
    consumed_at INTEGER, expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX artifacts_by_id ON artifacts (model, id_hash);
  CREATE INDEX artifacts_by_grant ON artifacts (grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX artifacts_by_session ON artifacts (session_uid) WHERE session_uid IS NOT NULL;
  CREATE INDEX artifacts_by_expiry ON artifacts (expires_at);

  CREATE TABLE session_clients (
    session_uid TEXT NOT NULL, client_id TEXT NOT NULL, sid TEXT, grant_id TEXT, persists_logout INTEGER,
    PRIMARY KEY (session_uid, client_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE clients (
    id TEXT PRIMARY KEY, sealed_secret TEXT, managed_by TEXT NOT NULL, record TEXT NOT NULL
  ) STRICT;

  CREATE TABLE keys (name TEXT PRIMARY KEY, sealed_value TEXT NOT NULL) STRICT;

  CREATE TABLE throttles (key_hash TEXT PRIMARY KEY, taken INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT;
  CREATE INDEX throttles_by_expiry ON throttles (expires_at);

  CREATE TABLE audit_events (
    id TEXT PRIMARY KEY, at INTEGER NOT NULL, action TEXT NOT NULL, actor TEXT NOT NULL,
    profile_id TEXT, organization_id TEXT, account_id TEXT, request_id TEXT, detail TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_events_by_time ON audit_events (at);
  CREATE INDEX audit_events_by_profile ON audit_events (profile_id, at);
  CREATE INDEX audit_events_by_request ON audit_events (request_id, at);
  `,
  // Sign-ins under way lack the age of authentication that their sealed payload now holds: they begin anew.
  `
  DELETE FROM upstream_transactions;
  ALTER TABLE upstream_transactions DROP COLUMN forced;
  `,
];

/** What single use and uniqueness rest on, foreign keys included: without one of these Liaison doesn't start. */
const REQUIRED_UNIQUE_INDEXES: readonly { table: string; columns: string }[] = [
  { table: "meta", columns: "name" },
  { table: "accounts", columns: "id" },
  { table: "identities", columns: "issuer,subject" },
  { table: "organizations", columns: "id" },
  { table: "profiles", columns: "id" },
  { table: "inquiries", columns: "id" },
  { table: "link_requests", columns: "id" },
  { table: "link_requests", columns: "secret_hash" },
  { table: "outbox", columns: "id" },
  { table: "upstream_transactions", columns: "state_hash" },
  { table: "sign_in_outcomes", columns: "interaction_hash" },
  { table: "selections", columns: "grant_id" },
  { table: "selections", columns: "session_uid,client_id" },
  { table: "remembered_choices", columns: "account_id,client_id" },
  { table: "artifacts", columns: "model,id_hash" },
  { table: "session_clients", columns: "session_uid,client_id" },
  { table: "clients", columns: "id" },
  { table: "keys", columns: "name" },
  { table: "throttles", columns: "key_hash" },
  { table: "audit_events", columns: "id" },
];

/**
 * Brings the file's schema to this version and checks that it can be used: ours, not newer, sealed under this key, and with
 * every unique index. Throws `store_refused` with a text that names the fix. Processes that start together don't collide.
 */
export function prepareSchema(database: Database, seal: Seal, file: string, now: Instant): void {
  database.transactionNow(() => {
    const version = schemaVersion(database, file);
    if (version > MIGRATIONS.length) {
      throw refusal(
        `${file} was written by a newer version of Liaison (schema ${version}, this one knows ${MIGRATIONS.length}). ` +
          "Run that version, or restore a backup made before the upgrade.",
      );
    }
    if (version === 0) {
      database.exec("CREATE TABLE migrations (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT");
    }
    for (const [index, migration] of MIGRATIONS.entries()) {
      if (index < version) continue;
      database.exec(migration);
      database.query("INSERT INTO migrations (version, applied_at) VALUES (:version, :now)", {
        version: index + 1,
        now,
      });
    }
    if (version === 0) {
      database.query("INSERT INTO meta (name, value) VALUES ('canary', :value)", {
        value: seal.seal(CANARY, sealedAt.canary),
      });
    }
    checkCanary(database, seal, file);
    checkUniqueIndexes(database, file);
  });
}

/** 0 for an empty file. Throws for a database that is somebody else's. */
function schemaVersion(database: Database, file: string): number {
  const tables = database.query("SELECT name FROM sqlite_schema WHERE type = 'table'").map((row) => row["name"]);
  if (tables.length === 0) return 0;
  if (!tables.includes("migrations")) {
    throw refusal(`${file} is a database of another program. Name another file in storage.sqlite.file.`);
  }
  return integer(database.query("SELECT coalesce(max(version), 0) AS version FROM migrations")[0]?.["version"]);
}

/** A new canary is never written beside data that another key sealed: that data would be lost without a word. */
function checkCanary(database: Database, seal: Seal, file: string): void {
  const row = database.query("SELECT value FROM meta WHERE name = 'canary'")[0];
  if (row === undefined) {
    throw refusal(`${file} has lost the value that its encryption_key is checked with. Restore it from a backup.`);
  }
  try {
    if (seal.open(text(row["value"]), sealedAt.canary) === CANARY) return;
  } catch (cause) {
    throw refusal(
      `${file} was sealed under another encryption_key. Set encryption_key to the one it was created with ` +
        "(or name a new file in storage.sqlite.file to start empty).",
      cause,
    );
  }
  throw refusal(`${file} holds a changed value where its encryption_key is checked. Restore it from a backup.`);
}

function checkUniqueIndexes(database: Database, file: string): void {
  for (const { table, columns } of REQUIRED_UNIQUE_INDEXES) {
    const present = database.query(
      `SELECT 1 FROM pragma_index_list(:table) AS list
       WHERE list."unique" = 1 AND list.partial = 0 AND :columns = (
         SELECT group_concat(name, ',' ORDER BY seqno) FROM pragma_index_xinfo(list.name) WHERE key = 1 AND coll = 'BINARY')`,
      { table, columns },
    );
    if (present.length > 0) continue;
    const index = `${table} (${columns})`;
    throw refusal(
      `${file} lacks the unique index on ${index}, without which a link could be used twice. Restore a backup, or run: ` +
        `sqlite3 ${file} "CREATE UNIQUE INDEX ${table}_${columns.replaceAll(",", "_")} ON ${index}"`,
    );
  }
}

function refusal(message: string, cause?: unknown): LiaisonError {
  return new LiaisonError("store_refused", message, { cause });
}
