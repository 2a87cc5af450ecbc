/**
 * A SQLite file that can't be written to: what is thrown, what is known of it meanwhile, and that all goes on
 * by itself. A bound of pages makes SQLite say FULL as a full disk does; a broker process on a disk that
 * takes no more is test/crash/disk-full.test.ts.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { LiaisonError } from "../../src/errors.ts";
import { integer, text } from "../../src/sql-columns.ts";
import { storeChecks } from "../../src/storage/readiness-checks.ts";
import { Database } from "../../src/storage/sqlite/database.ts";
import { LockQueue } from "../../src/storage/sqlite/lock-queue.ts";
import { createWriteProbe } from "../../src/storage/sqlite/write-probe.ts";
import { temporaryFile } from "./sqlite-support.ts";

interface Fixture {
  connections: Database[];
  /** Runs a pragma on each connection, as their file system would change under them. */
  pragma(text: string): void;
  /** Stores a text of so many characters. */
  put(name: string, characters: number): Promise<unknown>;
  writeFault: ReturnType<typeof createWriteProbe>;
  names(): unknown[];
}

function withConnections(name: string, body: (fixture: Fixture) => Promise<void>): void {
  test(`sqlite full: ${name}`, async () => {
    const temporary = temporaryFile();
    await (await temporary.open()).close();
    const queue = new LockQueue();
    const durable = new Database(temporary.file, "full", queue);
    const fast = new Database(temporary.file, "normal", queue);
    const connections = [durable, fast];
    const insert = durable.prepare("INSERT INTO meta (name, value) VALUES (:name, hex(zeroblob(:bytes)))");
    try {
      await body({
        connections,
        pragma: (setting) => {
          for (const connection of connections) connection.exec(`PRAGMA ${setting}`);
        },
        put: (name, characters) =>
          durable.transaction(() => insert.run({ name, bytes: Math.floor(characters / 2) })),
        writeFault: createWriteProbe(fast, connections),
        names: () =>
          fast.query("SELECT name FROM meta ORDER BY name", { name: text }).map(({ name }) => name),
      });
    } finally {
      for (const connection of connections) connection.close();
      await temporary.destroy();
    }
  });
}

const refusedFor = (words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof LiaisonError);
  assert.equal(error.code, "store_unavailable");
  assert.match(error.message, words);
  return true;
};

withConnections(
  "no room: it says what to do, and goes on once there is",
  async ({ pragma, put, writeFault, names }) => {
    assert.equal(await writeFault(), undefined);
    pragma("max_page_count = 1");
    await assert.rejects(put("large", 200_000), refusedFor(/disk is full: make room/));
    assert.deepEqual(names(), ["canary"], "it can be read, and nothing of it was stored");
    await put("small", 2);
    assert.equal(await writeFault(), "full", "room for something small isn't room for a sign-in");
    pragma("max_page_count = 100000");
    assert.equal(await writeFault(), undefined);
    await put("large", 200_000);
    assert.deepEqual(names(), ["canary", "large", "small"], "and what was tried is gone");
  },
);

withConnections(
  "read-only, as after a disk's fault: the same",
  async ({ pragma, put, writeFault, names }) => {
    pragma("query_only = ON");
    await assert.rejects(put("any", 2), refusedFor(/rights on its file and folder.*read-only/));
    assert.equal(await writeFault(), "read_only");
    pragma("query_only = OFF");
    assert.equal(await writeFault(), undefined);
    await put("any", 2);
    assert.deepEqual(names(), ["any", "canary"]);
  },
);

withConnections(
  "nothing is written to find out while writes succeed",
  async ({ connections, put, writeFault }) => {
    await put("any", 2);
    const version = () => connections[0]?.query("PRAGMA data_version", { data_version: integer })[0];
    const before = version();
    for (let look = 0; look < 3; look += 1) assert.equal(await writeFault(), undefined);
    assert.deepEqual(version(), before);
  },
);

test("sqlite full: readiness sends requests elsewhere, by fixed words", async () => {
  const schemaVersion = async () => ({ found: 1, needed: 1 });
  const faults = {
    full: "its disk is full",
    read_only: "it is read-only",
    failing: "its disk refuses what is written",
  };
  for (const [fault, reason] of Object.entries(faults)) {
    const [check] = storeChecks({ schemaVersion, writeFault: async () => fault as keyof typeof faults });
    assert.deepEqual(await check?.look(), { status: "failing", reason });
  }
});
