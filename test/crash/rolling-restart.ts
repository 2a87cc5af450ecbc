/**
 * Brokers that are replaced one after the other by SIGTERM, behind a load balancer that keeps its
 * connections, while clients that keep theirs go on asking.
 */

import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { startAlternatingProxy } from "../support/alternating-proxy.ts";
import { type BrokerProcess, until } from "./broker-process.ts";
import { startDeployment } from "./deployment.ts";

export interface RollingOptions {
  /** How often each of two brokers is replaced. */
  rounds: number;
  clients: number;
  drainSeconds: number;
}

export interface Tally {
  requests: number;
  /** What went wrong, as far as it did. */
  failures: string[];
  /** Of the brokers that were told to end, how they did. */
  ends: (string | undefined)[];
  /** The longest that one took to end, in milliseconds. */
  longestEndMs: number;
}

const form = { "content-type": "application/x-www-form-urlencoded" };
const authorize = new URLSearchParams({
  client_id: "customersource",
  redirect_uri: "http://localhost:9/customersource/callback",
  response_type: "code",
  scope: "openid",
  code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  code_challenge_method: "S256",
});

/**
 * Each with the status that it has to be answered with: reads, a write, and posts that no proxy may send
 * twice.
 */
const asked: { method: string; path: string; body?: string; status: number }[] = [
  { method: "GET", path: "/.well-known/openid-configuration", status: 200 },
  { method: "GET", path: `/authorize?${authorize}`, status: 303 },
  { method: "POST", path: "/token", body: "grant_type=authorization_code&code=x", status: 400 },
  { method: "GET", path: "/help", status: 200 },
];

/** Replaces each broker in turn, under load, and tells what came of it. */
export async function rollBrokers({ rounds, clients, drainSeconds }: RollingOptions): Promise<Tally> {
  const deployment = await startDeployment();
  const folder = await deployment.data.copy();
  const tally: Tally = { requests: 0, failures: [], ends: [], longestEndMs: 0 };
  const starts = async (): Promise<BrokerProcess> => {
    const broker = deployment.broker();
    const config = deployment.config(folder, 0);
    const listen = { ...(config["listen"] as object), drain_seconds: drainSeconds };
    await broker.start({ config: { ...config, listen } });
    return broker;
  };
  const brokers = await Promise.all([starts(), starts()]);
  const backends = brokers.map(({ port }) => port);
  const proxy = await startAlternatingProxy(deployment.port, backends, { lookEveryMs: 100 });
  try {
    let isOver = false;
    const load = Array.from({ length: clients }, (_none, index) =>
      client(deployment.port, index, tally, () => isOver),
    );
    await pause(500);
    for (let turn = 0; turn < rounds * 2; turn += 1) {
      const index = turn % 2;
      const old = brokers[index];
      assert.ok(old);
      const began = performance.now();
      await old.terminate();
      tally.longestEndMs = Math.max(tally.longestEndMs, performance.now() - began);
      tally.ends.push(old.end);
      const next = await starts();
      brokers[index] = next;
      backends[index] = next.port;
      const before = proxy.counts[index] ?? 0;
      await until(() => (proxy.counts[index] ?? 0) > before + clients, "the new one is asked", 5000);
    }
    isOver = true;
    await Promise.all(load);
    return tally;
  } finally {
    await proxy.close();
    await deployment.close();
  }
}

/** Asks one thing after the other over a connection that is kept, until it is over. */
async function client(port: number, first: number, tally: Tally, isOver: () => boolean): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let turn = first; !isOver(); turn += 1) {
    const { status: wanted, ...what } = asked[turn % asked.length] ?? assert.fail();
    const outcome = await once(agent, port, what).catch(
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    );
    tally.requests += 1;
    if (outcome !== wanted) tally.failures.push(`${what.method} ${what.path.slice(0, 20)}: ${outcome}`);
    await pause(5);
  }
  agent.destroy();
}

function once(agent: Agent, port: number, { method, path, body }: Omit<(typeof asked)[number], "status">) {
  return new Promise<number>((resolve, reject) => {
    const headers = body === undefined ? {} : { ...form, "content-length": body.length };
    const sent = request({ agent, host: "127.0.0.1", port, method, path, headers }, (response) => {
      response.on("error", reject).on("end", () => resolve(response.statusCode ?? 0));
      response.resume();
    });
    sent.on("error", reject).end(body);
  });
}
