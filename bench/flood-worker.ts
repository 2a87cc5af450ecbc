/** The other side of flood.ts, in a thread of its own: so many requests from another address, and how they were answered. */

import { Agent, request } from "node:http";
import { parentPort, workerData } from "node:worker_threads";

const { url, flood, parallel } = workerData as { url: string; flood: number; parallel: number };
const agent = new Agent({ keepAlive: true, maxSockets: parallel });
const statuses: Record<number, number> = {};
let sent = 0;
await Promise.all(
  Array.from({ length: parallel }, async () => {
    while (sent < flood) {
      sent += 1;
      const status = await get();
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  }),
);
agent.destroy();
parentPort?.postMessage(statuses);

function get(): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, localAddress: "127.0.0.6" }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    asked.on("error", reject).end();
  });
}
