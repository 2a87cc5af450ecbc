/**
 * The other side of flood.ts, in a thread of its own: targets at full speed from one address, and how they
 * were answered.
 */

import { Agent, request } from "node:http";
import { connect } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import type { Target } from "./flood-targets.ts";

const { port, targets, seconds, from } = workerData as {
  port: number;
  targets: Target[];
  seconds: number;
  from: string;
};
/**
 * Requests of the flood at once, more than are made to wait, so that some are refused at full speed; and slow
 * connections.
 */
const parallel = 400;
const slowAtOnce = 200;

const endsAt = performance.now() + seconds * 1000;
const agent = new Agent({ keepAlive: true, maxSockets: parallel });
const statuses: Record<string, number> = {};
const count = (status: string | number) => {
  statuses[status] = (statuses[status] ?? 0) + 1;
};
const quick = targets.filter(({ slow }) => slow === undefined);
const slow = targets.filter((target) => target.slow !== undefined);
await Promise.all([
  ...(quick.length > 0 ? Array.from({ length: parallel }, (_, index) => atFullSpeed(index)) : []),
  ...(slow.length > 0 ? Array.from({ length: slowAtOnce }, (_, index) => slowly(index)) : []),
]);
agent.destroy();
parentPort?.postMessage(statuses);

async function atFullSpeed(index: number): Promise<void> {
  for (let turn = index; performance.now() < endsAt; turn += 1) {
    const target = quick[turn % quick.length];
    if (target !== undefined) count(await ask(target));
  }
}

function ask({ method, path, body = "", headers = {} }: Target): Promise<number | string> {
  return new Promise((resolve) => {
    const options = { agent, localAddress: from, host: "127.0.0.1", port, method, path, headers };
    const asked = request(options, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
      response.on("error", () => resolve("cut"));
    });
    asked.on("error", () => resolve("cut"));
    asked.end(body);
  });
}

/** One connection after the other, on each of which a byte comes now and then. */
async function slowly(index: number): Promise<void> {
  while (performance.now() < endsAt) {
    const target = slow[index % slow.length];
    if (target !== undefined) await drip(target);
    count("slow");
  }
}

function drip({ method, path, headers = {}, slow: sort }: Target): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", localAddress: from });
    const lines = [
      `${method} ${path} HTTP/1.1`,
      "host: x",
      ...Object.entries(headers).map((pair) => pair.join(": ")),
    ];
    socket.on("error", () => {});
    socket.on("data", () => {});
    const drop = setInterval(() => {
      if (performance.now() >= endsAt) socket.destroy();
      else socket.write("a");
    }, 500);
    socket.once("close", () => {
      clearInterval(drop);
      resolve();
    });
    socket.write(
      sort === "head"
        ? `${lines.join("\r\n")}\r\nx-slow: `
        : `${lines.join("\r\n")}\r\ncontent-length: 1000\r\n\r\n`,
    );
  });
}
