/** Threads that behave as a background's shouldn't, by the `fate` they are given as data. */

import { parentPort, workerData } from "node:worker_threads";
import type { FromBackground, ToBackground } from "../../src/background/thread.ts";

export type Fate = "dies at start" | "dies when told to stop" | "hangs once" | "does as it is told";

const { fate, log } = workerData as { fate: Fate; log: Int32Array };
const tell = (message: FromBackground) => parentPort?.postMessage(message);

const isFirst = Atomics.add(log, 0, 1) === 0;
if (fate === "dies at start") throw new Error("the store can't be opened");
parentPort?.on("message", (message: ToBackground) => {
  if (message.kind === "count") {
    Atomics.add(log, 1, message.one.count);
    Atomics.add(log, 2, 1);
  }
  if (message.kind === "close") parentPort?.close();
  if (message.kind !== "stop") return;
  if (fate === "dies when told to stop") process.exit(1);
  tell({ kind: "stopped" });
});
tell({ kind: "found", findings: { mail: { status: "degraded", reason: "the last delivery failed" } } });
tell({ kind: "running" });
if (fate === "hangs once" && isFirst) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
