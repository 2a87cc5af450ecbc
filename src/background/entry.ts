/**
 * What runs in the background's thread: opens a store of its own, makes a logger, and runs the background on
 * them.
 */

import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../clock.ts";
import { createLogger } from "../logger.ts";
import { openStore } from "../storage/open.ts";
import { runBackground } from "./port.ts";
import type { BackgroundThreadData } from "./thread.ts";

if (parentPort === null) throw new TypeError("entry.ts runs in a thread");
const { config } = workerData as BackgroundThreadData;
const store = await openStore({
  ...config.storage,
  encryptionKey: config.encryption_key,
  appName: "liaison background",
});
await runBackground(parentPort, { config, store, clock: systemClock, logger: createLogger(config.log) });
