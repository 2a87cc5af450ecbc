/** Runs the storage suite against the SQLite back end. */

import { temporaryFile } from "./sqlite-support.ts";
import { storageContract } from "./suite.ts";

storageContract({
  name: "sqlite",
  async open() {
    const file = temporaryFile();
    const store = await file.open();
    return { store, second: () => file.open(), destroy: () => file.destroy() };
  },
});
