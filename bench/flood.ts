/**
 * What a flood of new sign-ins from one address costs other people: ten thousand authorization requests arrive from another
 * address of this machine, while somebody signs in again and again. Timed in one run: alone, alone again (the control), and
 * during the flood.
 *
 *   npx node bench/flood.ts [REQUESTS]        10000 unless given
 *
 * Takes a minute or two, speaks to loopback alone, and ends with 1 if the median sign-in more than doubles.
 */

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { quantile, startDeployment } from "./deployment.ts";

const flood = Number(process.argv[2] ?? 10_000);
/** Requests of the flood at once. */
const parallel = 16;
const rounds = 40;
const goal = 2;

const deployment = await startDeployment({
  // The cap that a deployment has unless it says otherwise.
  config: (base) => ({
    ...base,
    limits: { ...(base["limits"] as object), sign_ins_per_client_address: { limit: 1000, window_seconds: 300 } },
  }),
});
try {
  process.exitCode = (await run()) <= goal ? 0 : 1;
} finally {
  await deployment.close();
}

async function run(): Promise<number> {
  for (let turn = 0; turn < 20; turn += 1) await timed();
  const alone: number[] = [];
  const again: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    alone.push(await timed());
    again.push(await timed());
  }
  const url = (await deployment.portal.start()).url.href.replace("//localhost", "//127.0.0.1");
  const begun = performance.now();
  const worker = new Worker(new URL("flood-worker.ts", import.meta.url), { workerData: { url, flood, parallel } });
  const flooding = once(worker, "message");
  let isOver = false;
  void flooding.then(() => {
    isOver = true;
  });
  const during: number[] = [];
  while (!isOver) during.push(await timed());
  const seconds = (performance.now() - begun) / 1000;
  const [statuses] = (await flooding) as [Record<string, number>];
  const counts = Object.entries(statuses)
    .map(([status, count]) => `${count} × ${status}`)
    .join(", ");
  console.log(`${flood} requests in ${seconds.toFixed(1)} s (${Math.round(flood / seconds)} a second): ${counts}`);
  for (const [name, values] of Object.entries({ alone, "alone again": again, "during the flood": during })) {
    const [p50, p95] = [quantile(values, 0.5), quantile(values, 0.95)].map((ms) => ms.toFixed(1).padStart(7));
    console.log(`${name.padEnd(17)} ${String(values.length).padStart(4)} sign-ins  p50 ${p50} ms  p95 ${p95} ms`);
  }
  const ratio = (values: number[]) => quantile(values, 0.5) / quantile(alone, 0.5);
  console.log(
    `p50: alone again × ${ratio(again).toFixed(2)}, during the flood × ${ratio(during).toFixed(2)}. Goal: × ${goal}.`,
  );
  return ratio(during);
}

async function timed(): Promise<number> {
  const begun = performance.now();
  await deployment.signIn();
  return performance.now() - begun;
}
