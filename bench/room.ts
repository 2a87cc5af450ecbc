/**
 * What room profiles and their links take in MongoDB, and how many connections brokers open: on a replica set
 * of three members of this machine.
 *
 *   node bench/room.ts [PROFILES] [LINKS] [BROKERS]        needs a mongod on the PATH, or MONGOD_BINARY
 *
 * The profiles are imported as `liaison import` does it. A link is all that it leaves behind: account,
 * identity, inquiry, request, mails, audit events. Bytes are those on disk, compressed, with their indexes.
 * Connections are what each member counts itself, beyond those that were there before: with all brokers at
 * rest, and at most while very many visitors come at once.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Db, MongoClient } from "mongodb";
import { importDirectory } from "../src/admin/import/import.ts";
import { systemClock } from "../src/clock.ts";
import { migrateStore, openStore } from "../src/storage/open.ts";
import { bindIdentity } from "../test/support/attack-fixture.ts";
import { freePort } from "../test/support/free-port.ts";
import { writeRows } from "../test/support/import-fixture.ts";
import { testConfig } from "../test/support/liaison.ts";
import { anIdentity } from "../test/support/records.ts";
import { startReplicaSet } from "../test/support/replica-set.ts";

const [profiles = 100_000, links = 2000, brokers = 2] = process.argv.slice(2).map(Number);
const VISITORS = 400;
const database = "room";
const bin = fileURLToPath(new URL("../bin/liaison.js", import.meta.url));
const set = await startReplicaSet({ noTableScan: false });
const client = new MongoClient(set.url);
const folder = await mkdtemp(join(tmpdir(), "liaison-bench-room-"));
const serving: ChildProcess[] = [];
try {
  const encryptionKey = Buffer.alloc(32, 7).toString("base64");
  const storage = { mongodb: { url: set.url, database } };
  await migrateStore({ ...storage, encryptionKey, clock: systemClock });
  await fill({ ...storage, encryptionKey });
  const filled = await roomIn(client.db(database));
  tellRoom(`${profiles} profiles`, profiles, filled);
  await link({ ...storage, encryptionKey });
  const linked = await roomIn(client.db(database));
  const added = [...linked].map(([name, bytes]): [string, number] => [name, bytes - (filled.get(name) ?? 0)]);
  tellRoom(`${links} links`, links, new Map(added));
  await client.close();
  if (brokers > 0) await tellConnections(storage, encryptionKey);
} finally {
  for (const child of serving) child.kill("SIGKILL");
  await client.close();
  await set.close();
  await rm(folder, { recursive: true, force: true });
}

async function fill(place: Parameters<typeof openStore>[0]): Promise<void> {
  const file = join(folder, "rows.csv");
  await writeRows(file, profiles);
  const store = await openStore(place);
  const parts = {
    store,
    clock: systemClock,
    timeZone: "UTC",
    actor: "command:import",
    mailDomain: "bench.example",
  };
  const summary = await importDirectory(parts, {
    source: createReadStream(file),
    dryRun: false,
    signal: new AbortController().signal,
    onRow: async () => undefined,
    onProgress: () => undefined,
  });
  await store.close();
  if (summary.profiles.added !== profiles) throw new Error(`${summary.profiles.added} profiles were added`);
}

async function link(place: Parameters<typeof openStore>[0]): Promise<void> {
  const store = await openStore(place);
  for (let index = 0; index < links; index += 1) {
    const identity = anIdentity({ subject: randomUUID() });
    // Of twenty rows one is disabled, and of fifty organizations one: none of these.
    await bindIdentity({ store, clock: systemClock }, identity, `profile-${index * 20}`);
  }
  await store.close();
}

/** Bytes by collection, once everything is on the disk. */
async function roomIn(db: Db): Promise<Map<string, number>> {
  await client.db("admin").command({ fsync: 1 });
  const room = new Map<string, number>();
  for (const { name } of await db.listCollections().toArray()) {
    const { storageSize, totalIndexSize } = await db.command({ collStats: name });
    room.set(name, storageSize + totalIndexSize);
  }
  return room;
}

function tellRoom(title: string, of: number, room: ReadonlyMap<string, number>): void {
  const each = [...room].map(([name, bytes]) => ({ name, bytes: Math.round(bytes / of) }));
  console.log(`${title}: ${each.reduce((sum, { bytes }) => sum + bytes, 0)} bytes each`);
  for (const { name, bytes } of each) if (bytes > 10) console.log(`  ${name} ${bytes}`);
}

async function tellConnections(storage: object, encryptionKey: string): Promise<void> {
  const watchers = set.members.map(
    ({ port }) => new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`),
  );
  const current = () =>
    Promise.all(
      watchers.map(async (watcher) => {
        const { connections } = await watcher.db("admin").command({ serverStatus: 1 });
        return Number(connections.current);
      }),
    );
  const before = await current();
  const since = async () => (await current()).map((now, member) => now - (before[member] ?? 0));
  const issuers: string[] = [];
  for (let broker = 1; broker <= brokers; broker += 1) {
    issuers.push(await serve(storage, encryptionKey));
    await pause(15_000);
    console.log(`${broker} at rest, by member: ${(await since()).join(", ")}`);
  }
  let most = before.map(() => 0);
  const watching = setInterval(async () => {
    const now = await since();
    most = most.map((known, member) => Math.max(known, now[member] ?? 0));
  }, 100);
  const until = Date.now() + 10_000;
  await Promise.all(
    Array.from({ length: VISITORS }, async (_, visitor) => {
      const issuer = issuers[visitor % issuers.length] ?? "";
      while (Date.now() < until)
        await (await fetch(authorization(issuer), { redirect: "manual" })).arrayBuffer();
    }),
  );
  clearInterval(watching);
  console.log(`${brokers} with ${VISITORS} visitors, at most, by member: ${most.join(", ")}`);
  for (const watcher of watchers) await watcher.close();
}

async function serve(storage: object, encryptionKey: string): Promise<string> {
  const ports = { broker: await freePort(), upstream: 9, smtp: 9 };
  const config = {
    ...testConfig(ports, "unused.db"),
    encryption_key: encryptionKey,
    storage,
  };
  const file = join(folder, `${ports.broker}.yaml`);
  await writeFile(file, JSON.stringify(config));
  const env = { ...process.env, LIAISON_LOG__LEVEL: "fatal" };
  const child = spawn(process.execPath, [bin, "serve", "--config", file], {
    stdio: ["ignore", "ignore", "inherit"],
    env,
  });
  serving.push(child);
  const issuer = `http://localhost:${ports.broker}`;
  const ended = once(child, "exit").then(() => true);
  while (!(await isUp(issuer))) {
    if (await Promise.race([ended, pause(200).then(() => false)])) throw new Error("a broker ended");
  }
  return issuer;
}

async function isUp(issuer: string): Promise<boolean> {
  const answer = await fetch(`${issuer}/livez`).catch(() => undefined);
  await answer?.arrayBuffer();
  return answer?.ok === true;
}

function authorization(issuer: string): string {
  const parameters = new URLSearchParams({
    client_id: "customersource",
    response_type: "code",
    scope: "openid",
    redirect_uri: "http://localhost:9/customersource/callback",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
  });
  return `${issuer}/authorize?${parameters}`;
}
