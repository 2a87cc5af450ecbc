/**
 * The check of the SQLite file's schema: one of ours, of this version, encrypted under this key, with every
 * index that single use rests on. The tables themselves are migrations.ts's.
 */

import type { Instant } from "../../clock.ts";
import { type SearchKind, searchEntries, searchRecord } from "../../domain/search.ts";
import { LiaisonError } from "../../errors.ts";
import { integer, text } from "../../sql-columns.ts";
import { CANARY, contextOf } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { checkCanary, checkVersion, type MigrationReport, migrationReport } from "../migration.ts";
import type { Database } from "./database.ts";
import type { SqliteMigration } from "./migrations.ts";

/**
 * What single use and uniqueness rest on, foreign keys included: without one of these Liaison doesn't start.
 */
const REQUIRED_UNIQUE_INDEXES: readonly {
  table: string;
  columns: string;
  where?: string;
  /** The first and the last version of the schema that has it. */
  since?: number;
  until?: number;
}[] = [
  { table: "meta", columns: "name" },
  { table: "accounts", columns: "id" },
  { table: "identities", columns: "issuer,subject" },
  { table: "organizations", columns: "id" },
  { table: "profiles", columns: "id" },
  { table: "inquiries", columns: "id" },
  { table: "link_requests", columns: "id" },
  { table: "link_requests", columns: "secret_hash" },
  { table: "link_requests", columns: "profile_id,issuer,subject", where: "state = 'pending'", since: 3 },
  { table: "outbox", columns: "id" },
  { table: "upstream_transactions", columns: "state_hash" },
  { table: "sign_in_outcomes", columns: "interaction_hash" },
  { table: "selections", columns: "grant_id" },
  { table: "selections", columns: "session_uid,client_id", until: 5 },
  { table: "selections", columns: "session_uid,client_id", where: "replaced_by IS NULL", since: 6 },
  { table: "remembered_choices", columns: "account_id,client_id" },
  { table: "artifacts", columns: "model,id_hash" },
  { table: "session_clients", columns: "session_uid,client_id" },
  { table: "clients", columns: "id" },
  { table: "keys", columns: "name" },
  { table: "throttles", columns: "key_hash" },
  { table: "audit_events", columns: "id" },
  { table: "search_terms", columns: "entry", since: 5 },
  { table: "client_uses", columns: "client_id", since: 5 },
  { table: "audit_events", columns: "chain_seq", where: "chain_seq IS NOT NULL", since: 5 },
  { table: "audit_chain", columns: "name", since: 5 },
  { table: "leases", columns: "name", since: 5 },
  { table: "counters", columns: "hour,name", since: 5 },
  { table: "api_keys", columns: "id", since: 5 },
  { table: "api_keys", columns: "secret_hash", since: 5 },
  { table: "idempotency_keys", columns: "key_hash", since: 5 },
  { table: "sign_outs", columns: "id", since: 5 },
  { table: "audit_verifications", columns: "id", since: 9 },
  { table: "audit_verifications", columns: "open_head", where: "open_head IS NOT NULL", since: 9 },
  { table: "endings", columns: "key", since: 11 },
  { table: "mailboxes", columns: "key_hash", since: 12 },
];

export interface SchemaParts {
  database: Database;
  encryption: FieldEncryption;
  /** What the file is called in messages. */
  file: string;
  now: Instant;
  migrations: readonly SqliteMigration[];
}

/**
 * Makes the tables in an empty file, and checks that any other can be used as it is. Throws `store_refused`
 * with a text that names the fix. Processes that start together don't collide.
 */
export function prepareSchema(parts: SchemaParts): void {
  const { database, file, migrations } = parts;
  database.transactionNow(() => {
    const version = schemaVersion(database, file);
    checkVersion(file, version, migrations.length, { mayBeOlder: version === 0 });
    applyMigrations(parts, version);
    checkKey(parts);
    checkUniqueIndexes(parts);
  });
}

/**
 * Checks that a file can be used as it is. Throws `store_refused` with a text that names the fix; an empty
 * one is refused.
 */
export function checkSchema(parts: SchemaParts): void {
  const { database, file, migrations } = parts;
  database.transactionNow(() => {
    checkVersion(file, schemaVersion(database, file), migrations.length);
    checkKey(parts);
    checkUniqueIndexes(parts);
  });
}

/**
 * Brings the file to this version of the schema, each migration in a transaction of its own: what was applied
 * stays.
 */
export function migrateSchema(parts: SchemaParts): MigrationReport {
  const { database, file, migrations } = parts;
  const step = (from: number | undefined) =>
    database.transactionNow(() => {
      const version = schemaVersion(database, file);
      checkVersion(file, version, migrations.length, { mayBeOlder: true });
      if (version > 0) checkKey(parts);
      // The first transaction makes an empty file whole; a file that was left between two migrations goes on
      // there.
      applyMigrations(
        { ...parts, migrations: migrations.slice(0, version === 0 ? 1 : version + 1) },
        version,
      );
      return { from: from ?? version, version: Math.min(version + 1, migrations.length) };
    });
  let { from, version } = step(undefined);
  while (version < migrations.length) ({ from, version } = step(from));
  database.transactionNow(() => checkUniqueIndexes(parts));
  return migrationReport(from, migrations);
}

function applyMigrations({ database, encryption, now, migrations }: SchemaParts, from: number): void {
  if (from === 0) {
    database.exec(
      "CREATE TABLE migrations (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT",
    );
  }
  defineSearch(database);
  for (const [index, { sql }] of migrations.entries()) {
    if (index < from) continue;
    database.exec(sql);
    database.write("INSERT INTO migrations (version, applied_at) VALUES (:version, :now)", {
      version: index + 1,
      now,
    });
  }
  if (from === 0) {
    const value = encryption.encrypt(CANARY, contextOf.canary);
    database.write("INSERT INTO meta (name, value) VALUES ('canary', :value)", { value });
  }
}

/** What migrations call to make the search entries of records that are there already. */
function defineSearch(database: Database): void {
  const entries =
    (kind: SearchKind) =>
    (id: string | null, ...texts: (string | null)[]) =>
      JSON.stringify(
        searchEntries(
          kind,
          id ?? "",
          texts.map((one) => one ?? ""),
        ),
      );
  for (const kind of ["organization", "profile", "account"] as const) {
    database.define(`${kind}_entries`, entries(kind));
    database.define(`${kind}_record`, (id) => searchRecord(kind, id ?? ""));
  }
}

const NEWEST = "SELECT coalesce(max(version), 0) AS version FROM migrations";
const VERSION = { version: integer };

/** 0 for an empty file. Throws for a database that is somebody else's. */
function schemaVersion(database: Database, file: string): number {
  const tables = database
    .query("SELECT name FROM sqlite_schema WHERE type = 'table'", { name: text })
    .map(({ name }) => name);
  if (tables.length === 0) return 0;
  if (!tables.includes("migrations")) {
    throw LiaisonError.storeRefused(
      `${file} is a database of another program. Name another file in storage.sqlite.file.`,
    );
  }
  return database.query(NEWEST, VERSION)[0]?.version ?? 0;
}

/** Reads the version of a file that is in use. */
export function createVersionReader(database: Database): () => Promise<number> {
  const select = database.prepare(NEWEST, VERSION);
  return () => database.run(() => select.get()?.version ?? 0);
}

function checkKey({ database, encryption, file }: SchemaParts): void {
  const [row] = database.query("SELECT value FROM meta WHERE name = 'canary'", { value: text });
  checkCanary(encryption, row?.value, { place: file, elsewhere: "a new file in storage.sqlite.file" });
}

function checkUniqueIndexes({ database, file, migrations }: SchemaParts): void {
  for (const { table, columns, where, since = 1, until = migrations.length } of REQUIRED_UNIQUE_INDEXES) {
    if (since > migrations.length || until < migrations.length) continue;
    const present = database.query(
      `SELECT list.name FROM pragma_index_list(:table) AS list
       WHERE list."unique" = 1 AND list.partial = (:tail <> '') AND :columns = (
         SELECT group_concat(name, ',' ORDER BY seqno) FROM pragma_index_xinfo(list.name)
         WHERE key = 1 AND coll = 'BINARY')
         AND (:tail = '' OR EXISTS (
           SELECT 1 FROM sqlite_schema WHERE name = list.name AND substr(sql, -length(:tail)) = :tail))`,
      { name: text },
      { table, columns, tail: where === undefined ? "" : ` WHERE ${where}` },
    );
    if (present.length > 0) continue;
    const index = `${table} (${columns})`;
    const create = `CREATE UNIQUE INDEX ${table}_${columns.replaceAll(",", "_")} ON ${index}`;
    throw LiaisonError.storeRefused(
      `${file} lacks the unique index on ${index}, without which a link could be used twice. ` +
        "Restore a backup, or run: " +
        `sqlite3 ${file} "${create}${where === undefined ? "" : ` WHERE ${where}`}"`,
    );
  }
}
