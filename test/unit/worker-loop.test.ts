/** When workers run. Time is node:test's. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { createWorkerLoop } from "../../src/worker-loop.ts";

/** Lets everything that waits for promises alone go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("worker loop", () => {
  let runs: number;
  let lines: string[];
  let behave: () => unknown;
  const logger = {
    info: (_fields: object, message: string) => void lines.push(`info: ${message}`),
    error: (_fields: object, message: string) => void lines.push(`error: ${message}`),
  };
  const loop = () =>
    createWorkerLoop({
      name: "test",
      logger,
      runOnce: async () => {
        runs += 1;
        await behave();
      },
    });

  beforeEach(() => {
    runs = 0;
    lines = [];
    behave = () => undefined;
    mock.timers.enable({ apis: ["setTimeout"] });
  });
  afterEach(() => mock.timers.reset());

  async function pass(milliseconds: number): Promise<void> {
    mock.timers.tick(milliseconds);
    await settle();
  }

  it("runs at start and then every second, until stopped", async () => {
    const worker = loop();
    worker.nudge();
    await pass(5000);
    assert.equal(runs, 0);
    worker.start();
    worker.start();
    await settle();
    assert.equal(runs, 1);
    await pass(999);
    assert.equal(runs, 1);
    await pass(1);
    assert.equal(runs, 2);
    await worker.stop();
    await pass(60_000);
    worker.nudge();
    assert.equal(runs, 2);
  });

  it("a nudge runs it at once; during a run, once more after it", async () => {
    const worker = loop();
    worker.start();
    await settle();
    worker.nudge();
    await settle();
    assert.equal(runs, 2);

    const { promise, resolve } = Promise.withResolvers<void>();
    behave = () => promise;
    worker.nudge();
    worker.nudge();
    worker.nudge();
    assert.equal(runs, 3);
    behave = () => undefined;
    resolve();
    await settle();
    await pass(0);
    assert.equal(runs, 4);
    await pass(1000);
    assert.equal(runs, 5);
    await worker.stop();
  });

  it("failures are logged once a streak and pause longer and longer, up to 30 seconds", async () => {
    const worker = loop();
    behave = () => Promise.reject(new Error("no store"));
    worker.start();
    await settle();
    for (const seconds of [2, 4, 8, 16, 30, 30]) {
      const before = runs;
      await pass(seconds * 1000 - 1);
      assert.equal(runs, before);
      await pass(1);
      assert.equal(runs, before + 1);
    }
    assert.deepEqual(lines, ["error: the worker failed and will be tried again"]);
    behave = () => undefined;
    worker.nudge();
    await settle();
    await pass(1000);
    assert.equal(lines.at(-1), "info: the worker runs again");
    assert.equal(lines.length, 2);
    await worker.stop();
  });

  it("stop waits for the run under way", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    behave = () => promise;
    const worker = loop();
    worker.start();
    let hasStopped = false;
    const stopped = worker.stop().then(() => {
      hasStopped = true;
    });
    await settle();
    assert.equal(hasStopped, false);
    resolve();
    await stopped;
    await pass(60_000);
    assert.equal(runs, 1);
  });
});
