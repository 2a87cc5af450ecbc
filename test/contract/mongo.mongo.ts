/** Runs the storage suite against the MongoDB back end, on a real replica set. */

import { openStore } from "../../src/storage/open.ts";
import { testDatabase } from "../support/test-database.ts";
import { ENCRYPTION_KEY } from "./sqlite-support.ts";
import { storageContract } from "./suite.ts";

storageContract({
  name: "mongodb",
  async open() {
    const { drop, ...mongodb } = await testDatabase({ encryptionKey: ENCRYPTION_KEY });
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
        await drop();
      },
    };
  },
});
