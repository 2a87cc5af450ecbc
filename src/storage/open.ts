/**
 * Opens a store of the configured back end. What a store promises is contract.ts's; how it does is the back
 * end's.
 */

import { type Clock, systemClock } from "../clock.ts";
import type { Store } from "./contract.ts";
import { createFieldEncryption } from "./field-encryption.ts";
import type { MigrationReport } from "./migration.ts";
import type { MongoSettings } from "./mongo/store.ts";
import { migrateSqliteStore, openSqliteStore, requireSqliteFile } from "./sqlite/store.ts";

/** Where a store is: one of the two. */
export interface StorePlace {
  /** The file of the embedded back end; it and its folder are created when missing. */
  sqlite?: { file: string } | undefined;
  mongodb?: MongoSettings | undefined;
}

export interface StoreOptions extends StorePlace {
  /** 32 bytes in base64. The same one for the whole life of the data. */
  encryptionKey: string;
  clock?: Clock | undefined;
  /** Whether a missing or empty SQLite file is made whole; otherwise it is refused. Default: true. */
  create?: boolean;
  /**
   * What a replica set calls our connections, in its log and in what it says of operations. Default: liaison.
   */
  appName?: string;
}

/**
 * Opens the store. An empty SQLite file is made whole; anything else is used as it is. Throws
 * `store_refused`, with a text that names the fix, when it must not be used as it is: encrypted under another
 * key, of an older or a newer schema, or without an index that single use depends on; `store_unavailable` if
 * it can't be reached.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { encryption, now } = partsOf(options);
  const { mongodb, appName, create = true } = options;
  if (!create) requireStore(options);
  if (mongodb === undefined) return openSqliteStore({ file: fileOf(options), encryption, now, create });
  return await (await mongo()).openMongoStore({ ...mongodb, encryption, appName });
}

/**
 * Throws `store_refused` where a place can't hold a store yet: its file is missing or empty. Waits for no
 * lock.
 */
export function requireStore(place: StorePlace): void {
  if (place.mongodb === undefined) requireSqliteFile(fileOf(place));
}

/**
 * Brings the store to this version's schema: forward, step by step, while brokers of the version before may
 * be running. One that was cut short is run again; one that is up to date isn't touched. Throws as
 * `openStore` does.
 */
export async function migrateStore(options: StoreOptions): Promise<MigrationReport> {
  const { encryption, now } = partsOf(options);
  const { mongodb } = options;
  if (mongodb === undefined) return migrateSqliteStore({ file: fileOf(options), encryption, now });
  return await (await mongo()).migrateMongoStore({ ...mongodb, encryption, now });
}

/** The driver is loaded where it is used alone. */
const mongo = () => import("./mongo/store.ts");

/** How the place is called in messages and logs: never with a password. */
export function placeName({ sqlite, mongodb }: StorePlace): string {
  if (mongodb === undefined) return sqlite?.file ?? "";
  return `${mongodb.url.replace(/\/\/[^@/]*@/, "//").replace(/[?].*$/, "")} (${mongodb.database})`;
}

function partsOf({ encryptionKey, clock = systemClock }: StoreOptions) {
  return { encryption: createFieldEncryption(encryptionKey), now: clock.now() };
}

function fileOf({ sqlite }: StorePlace): string {
  if (sqlite === undefined) throw new TypeError("a store needs a file or a database");
  return sqlite.file;
}
