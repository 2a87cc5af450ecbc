/** A database of a test's own in the replica set that `npm run test:mongo` starts, as a place for a store. */

import { randomBytes } from "node:crypto";
import { MinKey, MongoClient } from "mongodb";
import type { MongoSettings } from "../../src/storage/mongo/store.ts";
import { migrateStore } from "../../src/storage/open.ts";

/** Names the shared set's connection string. */
export const SHARED_SET = "TEST_MONGODB_URL";

export interface TestDatabase extends MongoSettings {
  drop(): Promise<void>;
}

/** The connection string of the shared set. */
export function sharedSet(): string {
  const url = process.env[SHARED_SET];
  if (!url) throw new Error(`${SHARED_SET} isn't set: run this suite through npm run test:mongo`);
  return url;
}

/** A new database, empty unless an encryption key to migrate it under is given. */
export async function testDatabase(
  options: { encryptionKey?: string; url?: string } = {},
): Promise<TestDatabase> {
  const { encryptionKey, url = sharedSet() } = options;
  const mongodb = { url, database: `test-${randomBytes(8).toString("hex")}` };
  if (encryptionKey !== undefined) await migrateStore({ mongodb, encryptionKey });
  return {
    ...mongodb,
    drop: () => withClient(url, (client) => client.db(mongodb.database).dropDatabase()).then(() => {}),
  };
}

/** Runs work with a connection of its own, around everything that is under test. */
export async function withClient<T>(url: string, work: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(url);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Empties one, and leaves the collections, their indexes, and what says that the database was migrated. */
export async function emptyDatabase({ url, database: name }: MongoSettings): Promise<void> {
  await withClient(url, async (client) => {
    const database = client.db(name);
    const collections = await database.collections();
    const data = collections.filter(({ collectionName }) => !["meta", "migrations"].includes(collectionName));
    // The set refuses to scan collections; this walks the primary key.
    await Promise.all(data.map((one) => one.deleteMany({ _id: { $gte: new MinKey() } } as object)));
  });
}
