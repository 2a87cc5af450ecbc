/**
 * The in-memory back end, wired: what the contract asks of a store, by general steps over rows (database.ts)
 * alone. For tests of what isn't storage; nobody can configure it, and nothing of it outlives its process.
 */

import { TURN_MS } from "../../../src/pace.ts";
import { assembleStore } from "../../../src/storage/assemble.ts";
import type { Store } from "../../../src/storage/contract.ts";
import { keyHashOf } from "../../../src/storage/encrypted-fields.ts";
import { createFieldEncryption } from "../../../src/storage/field-encryption.ts";
import { createAccountAtClientStore } from "./accounts-at-clients.ts";
import { createArtifactStore } from "./artifacts.ts";
import { MemoryDatabase } from "./database.ts";
import { MemoryEngine } from "./engine.ts";
import { nativeSteps } from "./native-steps.ts";
import { createKeyStore, createSignInStore, createThrottleStore } from "./sign-ins.ts";
import { createAdministration, createSweep } from "./work.ts";

const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString("base64");

/** Opens a store over data of its own, or over what others have, too. */
export function openMemoryStore(database: MemoryDatabase = new MemoryDatabase()): Store {
  const engine = new MemoryEngine(database, nativeSteps);
  const encryption = createFieldEncryption(ENCRYPTION_KEY);
  const hash = keyHashOf(encryption);
  return assembleStore({
    engine,
    encryption,
    deferredMail: { least: 5, most: 200, turnMs: TURN_MS, aTransaction: 200 },
    native: {
      signIns: createSignInStore(engine),
      accountsAtClients: createAccountAtClientStore(engine),
      artifacts: createArtifactStore(engine),
      keys: createKeyStore(engine),
      throttles: createThrottleStore(engine, hash),
      administration: createAdministration(engine, hash),
      turnMs: TURN_MS,
      grantsATurn: 5,
      sweep: createSweep(engine),
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
