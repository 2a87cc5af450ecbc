/** Runs the storage suite against the MongoDB back end, on a real replica set. */

import { after } from "node:test";
import { MinKey } from "mongodb";
import { openStore } from "../../src/storage/open.ts";
import { testDatabase, withClient } from "../support/test-database.ts";
import { ENCRYPTION_KEY } from "./sqlite-support.ts";
import { storageContract } from "./suite.ts";

// Migrating takes longer than any case: one database is migrated, and emptied after each.
const { drop, ...mongodb } = await testDatabase({ encryptionKey: ENCRYPTION_KEY });
after(drop);

storageContract({
  name: "mongodb",
  async open() {
    const stores = [await openStore({ mongodb, encryptionKey: ENCRYPTION_KEY })];
    const [store] = stores;
    if (store === undefined) throw new Error("no store");
    return {
      store,
      second: async () => {
        const other = await openStore({ mongodb, encryptionKey: ENCRYPTION_KEY });
        stores.push(other);
        return other;
      },
      destroy: async () => {
        for (const opened of stores) await opened.close();
        await empty();
      },
    };
  },
});

/** Leaves the collections, their indexes, and what says that the database was migrated. */
async function empty(): Promise<void> {
  await withClient(mongodb.url, async (client) => {
    const database = client.db(mongodb.database);
    const collections = await database.collections();
    const data = collections.filter(({ collectionName }) => !["meta", "migrations"].includes(collectionName));
    // The set refuses to scan collections; this walks the primary key.
    await Promise.all(data.map((one) => one.deleteMany({ _id: { $gte: new MinKey() } } as object)));
  });
}
