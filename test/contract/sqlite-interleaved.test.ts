/**
 * Intentions of one process, and of two, over one file: what one has written is never acknowledged and
 * undone by another, and none of them sleeps on the event loop.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { withDeadline } from "../../src/deadline.ts";
import { LiaisonError } from "../../src/errors.ts";
import { insert, type Steps } from "../../src/storage/steps.ts";
import { searchTerms } from "../../src/storage/tables.ts";
import { assertCounted, begin, countAll } from "./counting.ts";
import { type FileEngine, openEngine } from "./sqlite-engine.ts";
import { temporaryFile } from "./sqlite-support.ts";

const COUNTING = fileURLToPath(new URL("counting.ts", import.meta.url));
const TIMES = 60;
/** SQLite sleeps for longer by itself; a busy machine doesn't keep a process from its turn for so long. */
const LONGEST_TURN_MS = 2500;

interface Fixture {
  file: string;
  open(): FileEngine;
}

function withEngines(name: string, body: (fixture: Fixture) => Promise<void>): void {
  test(`sqlite interleaved: ${name}`, async () => {
    const file = temporaryFile();
    await (await file.open()).close();
    const opened: FileEngine[] = [];
    const open = () => {
      const one = openEngine(file.file);
      opened.push(one);
      return one;
    };
    const turns = monitorEventLoopDelay({ resolution: 10 });
    turns.enable();
    try {
      await body({ file: file.file, open });
    } finally {
      turns.disable();
      for (const { close } of opened) close();
      await file.destroy();
    }
    assert.ok(turns.max / 1e6 < LONGEST_TURN_MS, `the loop stood still for ${turns.max / 1e6} ms`);
  });
}

withEngines("intentions on one connection come one after the other", async ({ open }) => {
  const { engine } = open();
  await begin(engine);
  await countAll([engine, engine, engine], "one", TIMES);
  await assertCounted(engine, 3 * TIMES);
});

withEngines("so do those on two connections of one process", async ({ open }) => {
  const engines = [open().engine, open().engine];
  const [engine = open().engine] = engines;
  await begin(engine);
  await countAll(engines, "two", TIMES);
  await assertCounted(engine, 2 * TIMES);
});

withEngines("and those of two processes", async ({ open, file }) => {
  const { engine } = open();
  await begin(engine);
  let isOver = false;
  const run = promisify(execFile)(process.execPath, [COUNTING, file, "other", String(TIMES)]);
  const other = run.finally(() => {
    isOver = true;
  });
  let turns = 0;
  for (; !isOver; turns += 1) {
    await countAll([engine], `own-${turns}`, 1);
    // An await on SQLite lets nobody in.
    await setTimeout(1);
  }
  await other;
  await assertCounted(engine, TIMES + turns);
});

withEngines(
  "none begins before it has the lock, and one that can't get it says so",
  async ({ open, file }) => {
    const { engine } = open();
    let begun = 0;
    const intention = function* (): Steps<void> {
      begun += 1;
      yield* insert(searchTerms, { entry: `entry-${begun}`, record: "r" });
    };
    const intruder = new DatabaseSync(file);
    intruder.exec("BEGIN IMMEDIATE");
    await assert.rejects(
      withDeadline(300, () => engine.transaction(intention)),
      (error) => error instanceof LiaisonError && error.code === "store_unavailable",
    );
    assert.equal(begun, 0);
    const waiting = engine.transaction(intention);
    await setTimeout(100);
    assert.equal(begun, 0);
    intruder.exec("COMMIT");
    intruder.close();
    await waiting;
    assert.equal(begun, 1);
  },
);
