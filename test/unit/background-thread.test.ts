/**
 * What becomes of a background's thread that dies, hangs, or is told to end: it is started again, or ended,
 * and said.
 */

import assert from "node:assert/strict";
import { afterEach, describe, it, mock } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type Background, backgroundCheckNames } from "../../src/background/background.ts";
import { createBackgroundThread } from "../../src/background/thread.ts";
import type { Fate } from "../support/background-entries.ts";

const entry = new URL("../support/background-entries.ts", import.meta.url);
const starts = 0;
const counts = 1;
const messages = 2;

describe("the background's thread", () => {
  const opened: Background[] = [];
  afterEach(async () => {
    mock.timers.reset();
    for (const one of opened.splice(0)) await one.close();
  });

  function background(fate: Fate) {
    const log = new Int32Array(new SharedArrayBuffer(12));
    const lines: string[] = [];
    const write = (_fields: object, message: string) => void lines.push(message);
    const made = createBackgroundThread({
      data: { fate, log },
      logger: { error: write, warn: write, info: write },
      entry,
      restartMs: { first: 10, longest: 40 },
    });
    opened.push(made);
    const found = () => made.checks.find(({ name }) => name === "background")?.look();
    return { made, log, lines, found };
  }

  it("runs when it is started, says what its checks find, and ends when it is told to", async () => {
    const { made, log, lines, found } = background("does as it is told");
    assert.deepEqual(found(), { status: "failing", reason: "not running" });
    await made.start();
    assert.deepEqual(found(), { status: "ok" });
    assert.deepEqual(
      made.checks.map(({ name }) => name),
      ["background", ...backgroundCheckNames],
    );
    const mail = made.checks.find(({ name }) => name === "mail");
    assert.deepEqual(mail?.look(), { status: "degraded", reason: "the last delivery failed" });
    await made.stop();
    // A request that was still answered is counted.
    made.count({ name: "sign_ins", hour: 0, count: 1 });
    await made.close();
    assert.equal(Atomics.load(log, counts), 1);
    assert.deepEqual(lines, []);
  });

  it("one that can't start is started again and later each time; who waits for it isn't kept", async () => {
    const { made, log, lines, found } = background("dies at start");
    let changes = 0;
    made.onChange(() => {
      changes += 1;
    });
    void made.start();
    while (Atomics.load(log, starts) < 4) await pause(5);
    assert.equal((await found())?.status, "failing");
    assert.ok(changes >= 3, "each death is told at once");
    const ended = performance.now();
    await made.close();
    assert.ok(performance.now() - ended < 5000);
    const begun = Atomics.load(log, starts);
    await pause(100);
    assert.equal(Atomics.load(log, starts), begun, "none is started once it was ended");
    // The one that was starting when it was ended is said, too.
    assert.deepEqual([...new Set(lines.slice(0, 3))], ["the background died and is started again"]);
  });

  it("what it is told before it runs it hears when it does, summed up", async () => {
    const { made, log } = background("does as it is told");
    const started = made.start();
    for (let times = 0; times < 1000; times += 1) made.count({ name: "sign_ins", hour: 0, count: 1 });
    made.count({ name: "mails_bounced", hour: 0, count: 1 });
    await started;
    await made.close();
    assert.equal(Atomics.load(log, counts), 1001);
    assert.equal(Atomics.load(log, messages), 2);
  });

  it("what is counted while it runs it hears once a second, summed up", async () => {
    mock.timers.enable({ apis: ["setInterval"] });
    const { made, log } = background("does as it is told");
    await made.start();
    for (let times = 0; times < 1000; times += 1) made.count({ name: "sign_ins", hour: 0, count: 1 });
    await pause(50);
    assert.equal(Atomics.load(log, messages), 0);
    mock.timers.tick(1000);
    for (let turn = 0; turn < 100 && Atomics.load(log, messages) === 0; turn += 1) await pause(20);
    assert.deepEqual([Atomics.load(log, messages), Atomics.load(log, counts)], [1, 1000]);
  });

  it("one that dies while it is stopped keeps nobody waiting, and is said", async () => {
    const { made, lines } = background("dies when told to stop");
    await made.start();
    await made.close();
    assert.deepEqual(lines, ["the background died while it was stopped"]);
  });

  it("one that hangs fails after ten seconds, and is ended and started again after a minute", async () => {
    mock.timers.enable({ apis: ["setInterval"] });
    const { made, log, lines, found } = background("hangs once");
    await made.start();
    mock.timers.tick(10_000);
    assert.deepEqual(found(), { status: "ok" });
    mock.timers.tick(1000);
    assert.deepEqual(found(), { status: "failing", reason: "hangs" });
    mock.timers.tick(49_000);
    while (Atomics.load(log, starts) < 2) await pause(5);
    assert.deepEqual(lines.slice(0, 2), [
      "the background hangs and is ended",
      "the background died and is started again",
    ]);
    mock.timers.reset();
  });
});
