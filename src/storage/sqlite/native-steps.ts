/** Native steps (../native-steps.ts) in SQLite: statements of their own, in whatever transaction there is. */

import type { NativeSteps } from "../native-steps.ts";
import { createArtifactSteps } from "./artifacts.ts";
import type { Database } from "./database.ts";
import { createSessionSteps } from "./sessions.ts";
import { createThrottleSteps } from "./throttles.ts";

export function createNativeSteps(database: Database): NativeSteps {
  return {
    ...createArtifactSteps(database),
    ...createSessionSteps(database),
    ...createThrottleSteps(database),
    // Whoever is in a transaction has the write lock.
    excludeOwners: () => {},
    holdProfile: () => {},
  };
}
