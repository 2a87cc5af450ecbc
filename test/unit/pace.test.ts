/**
 * The pace of long work: how many rows a turn takes after how long the last one took, and how long it rests.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "../../src/pace.ts";

/**
 * A turn that takes so many milliseconds of this thread; returns how many rows it was given and how long the
 * rest was.
 */
async function turn(pace: Pace, ms: number): Promise<{ size: number; rested: number }> {
  let ended = 0;
  const size = await pace.turn(async (rows) => {
    const until = performance.now() + ms;
    while (performance.now() < until);
    ended = performance.now();
    return rows;
  });
  return { size, rested: performance.now() - ended };
}

test("a pace begins with the least, grows while turns are short, and not beyond the most", async () => {
  const pace = new Pace({ least: 10, most: 1000 });
  assert.equal((await turn(pace, 0)).size, 10);
  const grown = [];
  for (let count = 0; count < 12; count += 1) grown.push((await turn(pace, 0)).size);
  assert.deepEqual(
    grown.toSorted((one, other) => one - other),
    grown,
  );
  assert.equal(pace.size, 1000);
});

test(
  "a turn that was too long makes the next ones smaller, down to the least, and is followed by a rest as " +
    "long",
  async () => {
    const pace = new Pace({ least: 10, most: 1000 });
    while (pace.size < 1000) await turn(pace, 0);
    const { rested } = await turn(pace, 60);
    assert.ok(rested >= 59, `${rested} ms of rest after 60 ms`);
    assert.ok(pace.size <= 250, String(pace.size));
    for (let count = 0; count < 5; count += 1) await turn(pace, 30);
    assert.equal(pace.size, 10);
  },
);

test("a turn that fails makes the next one smaller, down to one, until one succeeds", async () => {
  const pace = new Pace({ least: 10, most: 1000 });
  const sizes: number[] = [];
  for (let count = 0; count < 3; count += 1) {
    await assert.rejects(
      pace.turn(async (size) => {
        sizes.push(size);
        throw new Error("too slow");
      }),
    );
  }
  assert.deepEqual(sizes, [10, 2, 1]);
  assert.equal((await turn(pace, 0)).size, 1);
  assert.equal(pace.size, 2);
});

test("a pace is given longer turns where nobody waits behind them: it takes more rows in one", async () => {
  const short = new Pace({ least: 10, most: 1000 });
  const long = new Pace({ least: 10, most: 1000, turnMs: 4000 });
  for (const pace of [short, long]) for (let count = 0; count < 3; count += 1) await turn(pace, 30);
  assert.equal(short.size, 10);
  assert.equal(long.size, 80);
});
