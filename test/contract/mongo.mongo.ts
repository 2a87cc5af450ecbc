/** Runs the storage suite against the MongoDB back end, on a real replica set. */

import { after } from "node:test";
import { openStore } from "../../src/storage/open.ts";
import { emptyDatabase, testDatabase } from "../support/test-database.ts";
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
        await emptyDatabase(mongodb);
      },
    };
  },
});
