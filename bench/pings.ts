/**
 * Pings addresses at a steady rate, from a process of its own, so that nothing but the machine stands between
 * two pings. A ping's time counts from when it was due.
 *
 *   node bench/pings.ts EVERY_MS NAME=URL …      told phases, and then to report, by messages of its parent
 */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { Agent, createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export interface Pinged {
  /** In milliseconds, by `name: phase`. */
  took: Record<string, number[]>;
  /** How many failed, by `name: phase: what was wrong`. */
  failed: Record<string, number>;
}

export interface Pinger {
  phase(name: string): void;
  /** Ends it. */
  report(): Promise<Pinged>;
  kill(): void;
}

const own = fileURLToPath(import.meta.url);

/** Starts pinging each of the addresses so often. */
export function startPinger(everyMs: number, addresses: Record<string, string>): Pinger {
  const child = fork(
    own,
    [String(everyMs), ...Object.entries(addresses).map(([name, url]) => `${name}=${url}`)],
    {
      serialization: "advanced",
    },
  );
  return {
    phase: (name) => void child.send({ phase: name }),
    report: async () => {
      const answer = once(child, "message");
      child.send({ report: true });
      const [pinged] = (await answer) as [Pinged];
      child.kill();
      return pinged;
    },
    kill: () => void child.kill(),
  };
}

/** Another process: a server that does nothing else. */
export async function startBare(): Promise<{ url: string; kill(): void }> {
  const child: ChildProcess = fork(own, ["bare"]);
  const [port] = (await once(child, "message")) as [number];
  return { url: `http://127.0.0.1:${port}/`, kill: () => void child.kill() };
}

if (process.argv[1] === own) {
  if (process.argv[2] === "bare") serveBare();
  else await pingAll(Number(process.argv[2]), process.argv.slice(3));
}

function serveBare(): void {
  const server = createServer((_request, response) => response.end("ok"));
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
}

async function pingAll(everyMs: number, words: readonly string[]): Promise<void> {
  const addresses = words.map(
    (word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)] as const,
  );
  const agent = new Agent({ keepAlive: true, maxSockets: 500 });
  const pinged: Pinged = { took: {}, failed: {} };
  const under = new Set<Promise<void>>();
  let phase = "";
  let isOver = false;
  process.on("message", (said: { phase?: string; report?: true }) => {
    if (said.phase !== undefined) phase = said.phase;
    if (said.report) isOver = true;
  });
  const ping = async (name: string, url: string, due: number) => {
    const key = `${name}: ${phase}`;
    const problem = await answered(url, agent).catch(
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    );
    if (problem !== undefined)
      pinged.failed[`${key}: ${problem}`] = (pinged.failed[`${key}: ${problem}`] ?? 0) + 1;
    const took = pinged.took[key] ?? [];
    took.push(performance.now() - due);
    pinged.took[key] = took;
  };
  for (let due = performance.now(); !isOver; due += everyMs) {
    await pause(Math.max(0, due - performance.now()));
    for (const [name, url] of addresses) {
      const one = ping(name, url, due).finally(() => under.delete(one));
      under.add(one);
    }
  }
  await Promise.all(under);
  agent.destroy();
  process.send?.(pinged);
}

/** What was wrong with the answer, if anything was. */
function answered(url: string, agent: Agent): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      const problem = response.statusCode === 200 ? undefined : String(response.statusCode);
      response
        .resume()
        .on("end", () => resolve(problem))
        .on("error", reject);
    }).on("error", reject);
  });
}
