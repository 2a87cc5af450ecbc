/**
 * The thread of process-kill.ts: waits for its signal, then some microseconds, then kills the whole process.
 */

import { workerData } from "node:worker_threads";

const { signal, delayMicros } = workerData as { signal: Int32Array; delayMicros: number };

Atomics.wait(signal, 0, 0);
const until = process.hrtime.bigint() + BigInt(delayMicros) * 1000n;
while (process.hrtime.bigint() < until);
process.kill(process.pid, "SIGKILL");
