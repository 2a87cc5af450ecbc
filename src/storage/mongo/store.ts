/** The MongoDB back end, wired: one replica set, any number of brokers. */

import type { Db, MongoClient } from "mongodb";
import { MongoError } from "mongodb";
import type { Instant } from "../../clock.ts";
import { LiaisonError } from "../../errors.ts";
import { assembleStore } from "../assemble.ts";
import type { Store } from "../contract.ts";
import type { Load } from "../dump.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { checkCanary, checkVersion, type MigrationReport, migrationReport } from "../migration.ts";
import { createAccountAtClientStore } from "./accounts-at-clients.ts";
import { COLLECTIONS } from "./collections.ts";
import { MongoDatabase, TURN_MS, unboundedClient } from "./database.ts";
import { collectionsIn } from "./documents.ts";
import { MongoEngine } from "./engine.ts";
import { differences, ensureCollections } from "./ensure-collections.ts";
import { fillDueAt } from "./filling.ts";
import { openLoad, refuseUnfinishedLoad } from "./load.ts";
import { MONGO_MIGRATIONS, type MongoMigration } from "./migrations.ts";
import { createNativeSteps } from "./native-steps.ts";

export interface MongoSettings {
  /** A connection string; it may hold a password. */
  url: string;
  database: string;
}

export interface MongoOptions extends MongoSettings {
  encryption: FieldEncryption;
  /** What the server calls our connections. */
  appName?: string | undefined;
  /** The schema that this process knows; that of this version unless given. */
  migrations?: readonly MongoMigration[];
}

/** Opens the store in a database of a replica set; see openStore. */
export async function openMongoStore(options: MongoOptions): Promise<Store> {
  const { url, database: name, encryption } = options;
  const database = connect(() => new MongoDatabase(url, name, options.appName));
  try {
    await database.run(() => check(database.db, options));
  } catch (error) {
    await database.close();
    throw asRefusal(error);
  }
  return assemble(database, encryption, (options.migrations ?? MONGO_MIGRATIONS).length);
}

function assemble(database: MongoDatabase, encryption: FieldEncryption, needed: number): Store {
  const engine = new MongoEngine(database, createNativeSteps(database));
  const store = assembleStore({
    engine,
    shortLived: engine,
    encryption,
    deferredMail: { least: 50, most: 500, turnMs: TURN_MS, aTransaction: 1 },
    sweeping: { least: 50, most: 500, turnMs: TURN_MS },
    native: {
      accountsAtClients: createAccountAtClientStore(database),
      turnMs: TURN_MS,
      grantsATurn: 100,
      schemaVersion: () => database.run(async () => ({ found: await versionOf(database.db), needed })),
      // A member that can't write steps down or ends, and a primary is asked for reads: schemaVersion fails.
      writeFault: async () => undefined,
      close: () => database.close(),
    },
  });
  const { claimInquiry } = store.links;
  return {
    ...store,
    links: {
      ...store.links,
      // Those that a broker of the version before made have no instant at which they are due.
      async claimInquiry(worker, now, leaseMs) {
        const claimed = await claimInquiry(worker, now, leaseMs);
        if (claimed !== undefined) return claimed;
        const filled = await database.run(() => fillDueAt(database.collections.inquiries));
        return filled > 0 ? await claimInquiry(worker, now, leaseMs) : undefined;
      },
    },
  };
}

/**
 * Brings the database to this version; see migrateStore. Also makes anew what is missing of its indexes and
 * rules.
 */
export async function migrateMongoStore(options: MongoOptions & { now: Instant }): Promise<MigrationReport> {
  const client = connect(() => unboundedClient(options.url));
  try {
    return await migrate(client, options);
  } catch (error) {
    throw asRefusal(error);
  } finally {
    await client.close();
  }
}

/** Migrates the database and runs work that loads another store into it; see copyStore. */
export async function withMongoLoad<T>(
  options: MongoOptions & { now: Instant; source: string },
  work: (load: Load) => Promise<T>,
): Promise<T> {
  const client = connect(() => unboundedClient(options.url));
  try {
    await migrate(client, options);
    return await work(await openLoad(client.db(options.database), options.source));
  } catch (error) {
    throw asRefusal(error);
  } finally {
    await client.close();
  }
}

async function migrate(
  client: MongoClient,
  options: MongoOptions & { now: Instant },
): Promise<MigrationReport> {
  const { database, encryption, now, migrations = MONGO_MIGRATIONS } = options;
  const db = client.db(database);
  await checkReplicaSet(db);
  const from = await versionOf(db);
  checkVersion(placeOf(db), from, migrations.length, { mayBeOlder: true });
  if (from > 0) await checkKey(db, encryption);
  for (const [index, { name, up }] of migrations.entries()) {
    if (index < from) continue;
    await up({ db, encryption, now });
    await collectionsIn(db).migrations.updateOne(
      { _id: index + 1 },
      { $setOnInsert: { name, appliedAt: new Date(now) } },
      { upsert: true },
    );
  }
  const last = migrations.at(-1);
  const target = last?.collections ?? COLLECTIONS;
  if ((await differences(db, target)).length > 0) await ensureCollections(db, target);
  return migrationReport(from, migrations);
}

/** Refuses a database that can't hold what this version promises. */
async function check(db: Db, { encryption, migrations = MONGO_MIGRATIONS }: MongoOptions): Promise<void> {
  await checkReplicaSet(db);
  checkVersion(placeOf(db), await versionOf(db), migrations.length);
  await checkKey(db, encryption);
  await refuseUnfinishedLoad(db);
  const missing = await differences(db, migrations.at(-1)?.collections ?? COLLECTIONS);
  if (missing.length === 0) return;
  throw LiaisonError.storeRefused(
    `${placeOf(db)} lacks, or has otherwise than it must be: ${missing.join("; ")}. ` +
      "Without them a link could be used twice. Run: liaison migrate",
  );
}

async function checkReplicaSet(db: Db): Promise<void> {
  // The older name of `hello`, which servers before 4.4.2 don't know.
  const { setName, msg } = await db.command({ isMaster: 1 });
  if (setName !== undefined || msg === "isdbgrid") return;
  throw LiaisonError.storeRefused(
    `${placeOf(db)} is on a single server. Liaison needs transactions, and with them a replica set (one ` +
      "member will do to " +
      "try it): https://www.mongodb.com/docs/manual/tutorial/convert-standalone-to-replica-set/",
  );
}

/** 0 for an empty database. */
async function versionOf(db: Db): Promise<number> {
  const last = await collectionsIn(db).migrations.findOne({ _id: { $gt: 0 } }, { sort: { _id: -1 } });
  return last?._id ?? 0;
}

async function checkKey(db: Db, encryption: FieldEncryption): Promise<void> {
  const canary = await collectionsIn(db).meta.findOne({ _id: "canary" });
  const elsewhere = "a new database in storage.mongodb.database";
  checkCanary(encryption, canary?.value, { place: placeOf(db), elsewhere });
}

const placeOf = (db: Db) => `The database ${db.databaseName}`;

/** The driver reads the connection string when the client is made. */
function connect<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw LiaisonError.storeRefused(
      "storage.mongodb.url is no connection string that the driver understands.",
      cause,
    );
  }
}

function asRefusal(error: unknown): unknown {
  if (error instanceof LiaisonError) {
    if (error.code !== "store_unavailable") return error;
    return LiaisonError.storeUnavailable(CANT_REACH, error.cause);
  }
  if (!(error instanceof MongoError)) return error;
  return LiaisonError.storeRefused(
    `MongoDB refused: ${error.message}. Check storage.mongodb.url and the rights of its user.`,
    error,
  );
}

const CANT_REACH =
  "MongoDB can't be reached, or has no primary. Check storage.mongodb.url, and that a majority of the " +
  "replica set is up.";
