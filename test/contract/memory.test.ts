/** Runs the storage suite against the in-memory back end: the rules hold on any. */

import { MemoryDatabase } from "../support/memory-store/database.ts";
import { openMemoryStore } from "../support/memory-store/store.ts";
import { storageContract } from "./suite.ts";

storageContract({
  name: "memory",
  async open() {
    const database = new MemoryDatabase();
    const stores = [openMemoryStore(database)];
    const [store] = stores;
    if (store === undefined) throw new Error("no store");
    return {
      store,
      async second() {
        const other = openMemoryStore(database);
        stores.push(other);
        return other;
      },
      async destroy() {
        for (const opened of stores) await opened.close();
      },
    };
  },
});
