/**
 * The background's thread of a broker in a process of its own: the shipped one, on a store and a transport
 * under watch.
 */

import { flushCompileCache } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import { runBackground } from "../../src/background/port.ts";
import { systemClock } from "../../src/clock.ts";
import { createSmtpTransport } from "../../src/mail/transport.ts";
import { openStore } from "../../src/storage/open.ts";
import { type Around, countLife } from "./process-kill.ts";
import {
  aroundOf,
  type BackgroundOrders,
  brokerLogger,
  report,
  watchedStore,
  watchedTransport,
} from "./process-parts.ts";

const orders = workerData as BackgroundOrders;
const { config, threadDiesAfter } = orders;
if (parentPort === null) throw new TypeError("process-background.ts runs in a thread");
const store = await openStore({
  ...config.storage,
  encryptionKey: config.encryption_key,
  appName: "liaison background",
});
// What a dead one leased, ahead of the clock as it was, is free for each that comes after it.
const claimsAheadMs = (orders.claimsAheadMs ?? 0) * (1 + countLife(orders.counts));
flushCompileCache();
const around = threadDiesAfter === undefined ? aroundOf(orders) : dyingAfter(threadDiesAfter);
await runBackground(parentPort, {
  config,
  store: watchedStore(store, { ...orders, claimsAheadMs }, around),
  transport: watchedTransport(createSmtpTransport(config.mail), around),
  clock: systemClock,
  logger: brokerLogger(),
});

/**
 * Ends this thread, as a fault would, once so many calls were made: what the last one did is done, and nobody
 * hears of it.
 */
function dyingAfter(calls: number): Around {
  let left = calls;
  return (call, proceed) =>
    Promise.resolve(proceed()).then((result) => {
      left -= 1;
      if (left > 0) return result;
      report({ threadDies: call });
      return process.exit(1);
    });
}
