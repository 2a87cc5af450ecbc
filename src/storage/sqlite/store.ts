/**
 * The SQLite back end, wired: one file, two connections to it. `durable` is for what must survive a power
 * cut; `fast` is for short-lived things that must survive a killed process
 * (https://www.sqlite.org/pragma.html#pragma_synchronous).
 */

import { closeSync, existsSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Instant } from "../../clock.ts";
import { LiaisonError } from "../../errors.ts";
import { makeFolder } from "../../make-folder.ts";
import { TURN_MS } from "../../pace.ts";
import { assembleStore } from "../assemble.ts";
import type { Store } from "../contract.ts";
import type { Dump } from "../dump.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import type { MigrationReport } from "../migration.ts";
import { createAccountAtClientStore } from "./accounts-at-clients.ts";
import { Database, type Durability } from "./database.ts";
import { withDump } from "./dump.ts";
import { SqliteEngine } from "./engine.ts";
import { remedyFor, resultCode, writeFaultOf } from "./failures.ts";
import { LockQueue } from "./lock-queue.ts";
import { SQLITE_MIGRATIONS, type SqliteMigration } from "./migrations.ts";
import { createNativeSteps } from "./native-steps.ts";
import { checkSchema, createVersionReader, migrateSchema, prepareSchema } from "./prepare-schema.ts";
import { createWriteProbe } from "./write-probe.ts";

export interface SqliteStore extends Store {
  /** The text of every statement that the store runs, so that a test can ask SQLite how it would run each. */
  readonly statements: readonly string[];
}

export interface SqliteOptions {
  file: string;
  encryption: FieldEncryption;
  /** Noted as the time of the migrations that are applied. */
  now: Instant;
  /** Whether an empty file is made whole, or refused. Default: true. */
  create?: boolean;
  /** The schema that this process knows; that of this version unless given. */
  migrations?: readonly SqliteMigration[];
}

/** Opens a store in the file; see openStore. */
export function openSqliteStore(options: SqliteOptions): SqliteStore {
  return withDatabases(options.file, (open) => {
    const durable = open("full");
    const { migrations = SQLITE_MIGRATIONS, encryption, create = true } = options;
    const prepare = create ? prepareSchema : checkSchema;
    prepare({ ...options, migrations, database: durable });
    return assemble({ durable, fast: open("normal"), encryption, needed: migrations.length });
  });
}

/** Throws `store_refused` where there is no file, or nothing in it. */
export function requireSqliteFile(file: string): void {
  const fix = "liaison serve makes it; if it is elsewhere, name it in storage.sqlite.file.";
  try {
    if (statSync(file).size > 0) return;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw asRefusal(cause, file);
    throw LiaisonError.storeRefused(`${file} can't be opened: it doesn't exist yet. ${fix}`, cause);
  }
  throw LiaisonError.storeRefused(`${file} is empty. ${fix}`);
}

/** Brings the file to this version; see migrateStore. */
export function migrateSqliteStore(options: SqliteOptions): MigrationReport {
  return withDatabases(options.file, (open) => {
    const database = open("full");
    const report = migrateSchema({ migrations: SQLITE_MIGRATIONS, ...options, database });
    database.close();
    return report;
  });
}

/** Runs work on all that the file holds. Throws as openSqliteStore does. */
export async function withSqliteDump<T>(
  { file, encryption }: Pick<SqliteOptions, "file" | "encryption">,
  work: (dump: Dump) => Promise<T>,
): Promise<T> {
  if (!existsSync(file)) throw LiaisonError.storeRefused(`${file} doesn't exist.`);
  const database = withDatabases(file, (open) => open("full"));
  try {
    return await withDump({ database, encryption, file }, work);
  } finally {
    database.close();
  }
}

/**
 * Runs work that opens connections to the file; closes them, and says what is wrong with the file, if it
 * fails.
 */
function withDatabases<T>(file: string, work: (open: (durability: Durability) => Database) => T): T {
  const opened: Database[] = [];
  const queue = new LockQueue();
  try {
    createFile(file);
    return work((durability) => {
      const database = new Database(file, durability, queue);
      opened.push(database);
      return database;
    });
  } catch (error) {
    for (const database of opened) database.close();
    throw asRefusal(error, file);
  }
}

interface StoreParts {
  durable: Database;
  fast: Database;
  encryption: FieldEncryption;
  /** The version of the schema. */
  needed: number;
}

function assemble({ durable, fast, encryption, needed }: StoreParts): SqliteStore {
  const readVersion = createVersionReader(fast);
  const engineOf = (database: Database) => new SqliteEngine(database, createNativeSteps(database));
  const [engine, shortLived] = [engineOf(durable), engineOf(fast)];
  engine.prepare();
  const store = assembleStore({
    engine,
    shortLived,
    encryption,
    deferredMail: { least: 5, most: 200, turnMs: TURN_MS, aTransaction: 200 },
    sweeping: { least: 20, most: 500, turnMs: TURN_MS },
    native: {
      accountsAtClients: createAccountAtClientStore(durable),
      turnMs: TURN_MS,
      grantsATurn: 5,
      schemaVersion: async () => ({ found: await readVersion(), needed }),
      writeFault: createWriteProbe(durable, [durable, fast]),
      async close() {
        fast.close();
        durable.close();
      },
    },
  });
  return {
    ...store,
    get statements() {
      return [...durable.statements, ...fast.statements];
    },
  };
}

/**
 * Creates folder and file readable by their owner alone; SQLite gives its -wal and -shm files the same mode.
 */
function createFile(file: string): void {
  makeFolder(dirname(file), 0o700);
  closeSync(openSync(file, "a", 0o600));
}

const NOT_A_DATABASE = 26;

function asRefusal(error: unknown, file: string): unknown {
  if (error instanceof LiaisonError) return error;
  if (resultCode(error) === NOT_A_DATABASE) {
    const message = `${file} is no SQLite database. Name another file in storage.sqlite.file.`;
    return LiaisonError.storeRefused(message, error);
  }
  const reason = error instanceof Error ? error.message : String(error);
  const fault = writeFaultOf(error);
  if (fault !== undefined) {
    return LiaisonError.storeRefused(`${file} can't be used (${reason}). ${remedyFor(fault)}`, error);
  }
  const fix = "Check storage.sqlite.file and the rights on its folder.";
  const message = `${file} can't be opened (${reason}). ${fix}`;
  return LiaisonError.storeRefused(message, error);
}
