/**
 * What a visitor notices of those who write beside the service: a broker process on a SQLite file; then another process that
 * holds the write lock for ten seconds, then an import. All the while a static page of the broker is pinged, and a bare Node
 * server on the same machine, in turn; and somebody comes to sign in again and again, which writes.
 *
 *   npx node bench/beside.ts [ROWS]        an import of 100,000 rows unless given
 *
 * Takes some minutes, speaks to loopback alone. Prints percentiles of both pings by phase, and ends with 1 if the service's
 * p99.9 is above 100 ms, its longest above the greater of 250 ms and twice the bare server's, or any request failed but those
 * that waited for the held lock as long as they wait (503).
 */

import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { writeRows } from "../test/support/import-kit.ts";
import type { Page } from "../test/support/user-agent.ts";
import { quantile, startDeployment } from "./deployment.ts";

const heldMs = 10_000;
const everyMs = 10;
const goals = { p999: 100, longest: 250 };

const phases = ["quiet", "lock held", "import", "chain", "quiet again"] as const;
type Phase = (typeof phases)[number];

const [first = "100000", operand = ""] = process.argv.slice(2);
if (first === "hold") await hold(operand);
else if (first === "bare") serveBare();
else process.exitCode = (await run(Number(first))) ? 0 : 1;

/** Another process: holds the write lock. */
async function hold(file: string): Promise<void> {
  const database = new DatabaseSync(file, { timeout: 30_000 });
  database.exec("BEGIN IMMEDIATE");
  await pause(heldMs);
  database.exec("COMMIT");
  database.close();
}

/** Another process: a server that does nothing else. */
function serveBare(): void {
  const server = createServer((_request, response) => response.end("ok"));
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
}

interface Visits {
  done: number;
  unavailable: number;
  failed: number;
  longestMs: number;
}

async function run(rows: number): Promise<boolean> {
  let base: Record<string, unknown> = {};
  const deployment = await startDeployment({
    config: (given, upstreams) => {
      base = { ...given, upstreams };
      return base;
    },
  });
  const folder = await mkdtemp(join(tmpdir(), "liaison-bench-beside-"));
  const bare = child("bare");
  try {
    const [port] = (await once(bare, "message")) as [number];
    const file = (base["storage"] as { sqlite: { file: string } }).sqlite.file;
    const csv = join(folder, "rows.csv");
    await writeRows(csv, rows);
    await writeFile(join(folder, "liaison.yaml"), JSON.stringify(base));
    const asset = await staticPage(new URL("/help", deployment.issuer));
    const pings = startPings({ service: asset, bare: `http://127.0.0.1:${port}/` });
    const visits = startVisits(deployment.visit);

    const begin = (phase: Phase) => {
      pings.phase = phase;
      visits.phase = phase;
      process.stderr.write(`${phase}\n`);
    };
    begin("quiet");
    await pause(5000);
    begin("lock held");
    await once(child("hold", file), "exit");
    begin("import");
    const began = performance.now();
    await once(spawnImport(csv, folder), "exit");
    const importedIn = (performance.now() - began) / 1000;
    begin("chain");
    const chainedIn = await chained(file);
    begin("quiet again");
    await pause(5000);
    await Promise.all([pings.stop(), visits.stop()]);
    console.log(`${rows} rows imported in ${importedIn.toFixed(1)} s, chained ${chainedIn.toFixed(1)} s later`);
    return report(pings, visits);
  } finally {
    bare.kill();
    await deployment.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function child(...words: string[]) {
  return fork(fileURLToPath(import.meta.url), words);
}

function spawnImport(csv: string, folder: string) {
  const bin = fileURLToPath(new URL("../bin/liaison.js", import.meta.url));
  const words = ["import", csv, "--json", "--config", join(folder, "liaison.yaml")];
  return spawn(process.execPath, [bin, ...words], { stdio: ["ignore", "ignore", "inherit"] });
}

/** Waits until every audit event has its place; returns for how many seconds. */
async function chained(file: string): Promise<number> {
  const began = performance.now();
  const database = new DatabaseSync(file, { readOnly: true });
  const some = database.prepare("SELECT count(*) AS n FROM audit_events WHERE chain_seq IS NULL");
  while (Number(some.get()?.["n"]) > 100) await pause(500);
  database.close();
  return (performance.now() - began) / 1000;
}

/** The first asset that a page names. */
async function staticPage(page: URL): Promise<string> {
  const found = /"([^"]*\/assets\/[^"]+)"/.exec(await (await fetch(page)).text())?.[1];
  if (found === undefined) throw new Error(`no asset on ${page}`);
  return new URL(found, page).href;
}

/** Pings each address at a steady rate; a ping's time counts from when it was due. */
function startPings(addresses: Record<"service" | "bare", string>) {
  const agent = new Agent({ keepAlive: true, maxSockets: 500 });
  const took = new Map<string, number[]>();
  const under: Promise<void>[] = [];
  const state = { phase: "quiet" as Phase, failed: 0, took, stop };
  let isOver = false;
  const ping = async (name: string, address: string, due: number) => {
    const { phase } = state;
    try {
      await answered(address, agent);
    } catch {
      state.failed += 1;
    }
    const key = `${phase}, ${name}`;
    const all = took.get(key);
    if (all === undefined) took.set(key, [performance.now() - due]);
    else all.push(performance.now() - due);
  };
  const loop = (async () => {
    for (let due = performance.now(); !isOver; due += everyMs) {
      await pause(Math.max(0, due - performance.now()));
      for (const [name, address] of Object.entries(addresses)) under.push(ping(name, address, performance.now()));
    }
  })();
  async function stop(): Promise<void> {
    isOver = true;
    await loop;
    await Promise.all(under);
    agent.destroy();
  }
  return state;
}

function answered(address: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get(address, { agent }, (response) => {
      response.resume().on("end", resolve).on("error", reject);
      if (response.statusCode !== 200) reject(new Error(String(response.statusCode)));
    }).on("error", reject);
  });
}

/** People who come to sign in: each leaves rows behind. */
function startVisits(visit: () => Promise<Page>) {
  const counts = new Map<Phase, Visits>(
    phases.map((phase) => [phase, { done: 0, unavailable: 0, failed: 0, longestMs: 0 }]),
  );
  const state = { phase: "quiet" as Phase, counts, stop };
  let isOver = false;
  const visitor = async () => {
    while (!isOver) {
      const found = counts.get(state.phase);
      if (found === undefined) return;
      const begun = performance.now();
      const page = await visit().catch(() => undefined);
      found.longestMs = Math.max(found.longestMs, performance.now() - begun);
      if (page?.url.searchParams.has("code")) found.done += 1;
      else if (page?.status === 503) found.unavailable += 1;
      else found.failed += 1;
      await pause(100);
    }
  };
  const visitors = [visitor(), visitor()];
  async function stop(): Promise<void> {
    isOver = true;
    await Promise.all(visitors);
  }
  return state;
}

function report(pings: ReturnType<typeof startPings>, visits: ReturnType<typeof startVisits>): boolean {
  const all = new Map<string, number[]>();
  const line = (title: string, took: readonly number[]) => {
    const shown = [0.5, 0.99, 0.999].map((share) => quantile(took, share).toFixed(1).padStart(7));
    const longest = took.reduce((most, ms) => Math.max(most, ms), 0);
    console.log(`${title.padEnd(22)} ${shown.join(" ")} ${longest.toFixed(1).padStart(7)}   ${took.length} pings`);
  };
  console.log(`${"ms".padEnd(22)}     p50     p99   p99.9     max`);
  for (const name of ["service", "bare"]) {
    for (const phase of phases) {
      const took = pings.took.get(`${phase}, ${name}`) ?? [];
      line(`${name}: ${phase}`, took);
      all.set(name, [...(all.get(name) ?? []), ...took]);
    }
    line(`${name}: all`, all.get(name) ?? []);
  }
  let hasFailed = pings.failed > 0;
  for (const [phase, { done, unavailable, failed, longestMs }] of visits.counts) {
    console.log(
      `visits, ${phase}: ${done} done, ${unavailable} told 503, ${failed} failed; longest ${Math.round(longestMs)} ms`,
    );
    if (failed > 0 || (phase !== "lock held" && unavailable > 0)) hasFailed = true;
  }
  const service = all.get("service") ?? [];
  const most = (took: readonly number[] = []) => took.reduce((longest, ms) => Math.max(longest, ms), 0);
  const isQuick = quantile(service, 0.999) <= goals.p999;
  const isSteady = most(service) <= Math.max(goals.longest, 2 * most(all.get("bare")));
  console.log(`p99.9 ${isQuick ? "kept" : "NOT KEPT"}, longest ${isSteady ? "kept" : "NOT KEPT"}`);
  if (hasFailed) console.log(`requests FAILED (${pings.failed} pings)`);
  return isQuick && isSteady && !hasFailed;
}
