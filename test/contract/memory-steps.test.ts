/** Runs the cases of the general steps against the engine in memory. */

import { MemoryDatabase } from "../support/memory-store/database.ts";
import { MemoryEngine } from "../support/memory-store/engine.ts";
import { nativeSteps } from "../support/memory-store/native-steps.ts";
import { stepCases } from "./steps.ts";

stepCases({
  name: "memory",
  async open() {
    const database = new MemoryDatabase();
    return {
      engine: new MemoryEngine(database, nativeSteps),
      second: async () => new MemoryEngine(database, nativeSteps),
      destroy: async () => {},
    };
  },
});
