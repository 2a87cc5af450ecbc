/**
 * The in-memory back end, wired: what the contract asks of a store, by general steps over rows (database.ts)
 * alone. For tests of what isn't storage; nobody can configure it, and nothing of it outlives its process.
 */

import { TURN_MS } from "../../../src/pace.ts";
import { assembleStore } from "../../../src/storage/assemble.ts";
import type { Store } from "../../../src/storage/contract.ts";
import { createFieldEncryption } from "../../../src/storage/field-encryption.ts";
import { createAccountAtClientStore } from "./accounts-at-clients.ts";
import { MemoryDatabase } from "./database.ts";
import { MemoryEngine } from "./engine.ts";
import { nativeSteps } from "./native-steps.ts";

const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString("base64");

/** Opens a store over data of its own, or over what others have, too. */
export function openMemoryStore(database: MemoryDatabase = new MemoryDatabase()): Store {
  const engine = new MemoryEngine(database, nativeSteps);
  const encryption = createFieldEncryption(ENCRYPTION_KEY);
  return assembleStore({
    engine,
    shortLived: engine,
    encryption,
    deferredMail: { least: 5, most: 200, turnMs: TURN_MS, aTransaction: 200 },
    sweeping: { least: 20, most: 500 },
    native: {
      accountsAtClients: createAccountAtClientStore(engine),
      turnMs: TURN_MS,
      grantsATurn: 5,
      schemaVersion: () => engine.run(readVersion),
      writeFault: async () => undefined,
      close: async () => engine.close(),
    },
  });
}

/** There is only ever the one of this process. */
// biome-ignore lint/correctness/useYield: it asks for nothing, but whether the store is open
function* readVersion() {
  return { found: 1, needed: 1 };
}
