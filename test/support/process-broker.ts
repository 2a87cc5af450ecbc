/**
 * A broker as a process of its own, in the shape that `serve` ships: the real application on a real store
 * file, its background in a thread (process-background.ts). It is told by one line of JSON on its standard
 * input where it listens and, if at all, at which call it dies. What it has to say are lines of JSON on its
 * standard output. SIGTERM has it drain, as `serve` does. It ends with its input, so that it never outlives
 * the test that started it.
 */

import { flushCompileCache } from "node:module";
import { createInterface } from "node:readline";
import { createApp } from "../../src/app.ts";
import { createBackgroundThread } from "../../src/background/thread.ts";
import { systemClock } from "../../src/clock.ts";
import { configSchema } from "../../src/config/schema.ts";
import { openStore } from "../../src/storage/open.ts";
import { sharedCounts } from "./process-kill.ts";
import {
  type BackgroundOrders,
  type BrokerOrders,
  brokerLogger,
  report,
  watchedStore,
} from "./process-parts.ts";

const input = createInterface({ input: process.stdin });
input.once("line", (line) => void serve(JSON.parse(line) as BrokerOrders));
input.once("close", () => process.exit());

async function serve({ config: given, ...orders }: BrokerOrders): Promise<void> {
  const config = configSchema.parse(given);
  const store = await openStore({ ...config.storage, encryptionKey: config.encryption_key });
  const logger = brokerLogger();
  const data: BackgroundOrders = { ...orders, config, counts: sharedCounts() };
  const app = await createApp({
    config,
    store: watchedStore(store, data),
    background: createBackgroundThread({
      data,
      logger,
      entry: new URL("./process-background.ts", import.meta.url),
      restartMs: { first: 100, longest: 200 },
    }),
    clock: systemClock,
    logger,
  });
  process.once("SIGTERM", async () => {
    await app.drain();
    await app.close();
    await store.close();
    process.exit(0);
  });
  const { port } = await app.listen();
  // A process that is killed keeps nothing at its end.
  flushCompileCache();
  report({ listening: port });
}
