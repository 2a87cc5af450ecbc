/** One deadline for all calls of a request, and none for what only begins in one. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { callWithinDeadline, withDeadline, withoutDeadline } from "../../src/deadline.ts";
import { createWorkerLoop } from "../../src/worker-loop.ts";

const longest = 60_000;
const measure = 30_000;

/** How long a call that takes `ms` was told that it is waited for. */
const told = (ms = 0) => callWithinDeadline(longest, (milliseconds) => pause(ms).then(() => milliseconds));

/** What work has cost of a request's measure, and how long it took in truth. */
async function spentOn(work: () => Promise<unknown>): Promise<{ spent: number; took: number }> {
  return await withDeadline(measure, async () => {
    const began = performance.now();
    await work();
    const took = performance.now() - began;
    return { spent: measure - (await told()), took };
  });
}

test("without a caller who said so, a call has its own measure", async () => {
  assert.equal(await told(), longest);
});

test("each call of a request is told what is left of it, and 0 when nothing is", async () => {
  const { spent, took } = await spentOn(async () => {
    assert.equal(await told(50), measure);
    assert.ok((await told(50)) < measure);
  });
  assert.ok(spent > 95 && spent <= took + 1, `${spent} of ${took}`);
  await withDeadline(20, async () => {
    await told(60);
    assert.equal(await told(), 0);
  });
});

test("calls at once cost what they take together, from the first's begin to the last's end", async () => {
  const { spent, took } = await spentOn(async () => {
    const first = told(150);
    await pause(80);
    await Promise.all([first, told(100)]);
  });
  assert.ok(spent > 170 && spent <= took + 1, `${spent} of ${took}`);
});

test("time in which nothing is waited for costs nothing, a call that fails costs what it took", async () => {
  const idle = await spentOn(() => pause(100));
  assert.ok(idle.spent < 1, `${idle.spent}`);
  const failed = await spentOn(() =>
    assert.rejects(
      callWithinDeadline(longest, () => pause(60).then(() => Promise.reject(new Error("no")))),
      /no/,
    ),
  );
  assert.ok(failed.spent > 55, `${failed.spent}`);
});

test("what a request sets off has its own measure: work of its own, a worker that it nudges", async () => {
  const measures: number[] = [];
  let ran = () => {};
  const nextRun = () => new Promise<void>((resolve) => (ran = resolve));
  const runOnce = async () => {
    measures.push(await told());
    ran();
  };
  const logger = { error: () => {}, info: () => {} };
  const loop = createWorkerLoop({ name: "test", runOnce, pollMs: 600_000, logger });
  const first = nextRun();
  loop.start();
  await first;
  await pause(1); // The loop rests.
  await withDeadline(measure, async () => {
    assert.equal(await withoutDeadline(() => told()), longest);
    const second = nextRun();
    loop.nudge();
    await second;
  });
  await loop.stop();
  assert.deepEqual(measures, [longest, longest]);
});
