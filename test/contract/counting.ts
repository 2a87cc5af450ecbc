/**
 * Intentions that get in each other's way: each reads a count and writes the next one, with a row of its own;
 * every other one throws what it has written away; and between them single steps write.
 *
 * Run by itself (`node counting.ts FILE NAME TIMES`) it is another process on a database file.
 */

import assert from "node:assert/strict";
import { asAccountId, asClientId } from "../../src/domain/ids.ts";
import { add, type Engine, get, insert, list, type Steps, take, update } from "../../src/storage/steps.ts";
import { endings, searchTerms, signOuts } from "../../src/storage/tables.ts";
import { NOW } from "../support/records.ts";
import { present } from "./back-end.ts";
import { openEngine } from "./sqlite-engine.ts";

class Undone extends Error {}

export const begin = (engine: Engine) =>
  engine.run(() =>
    insert(endings, { key: "k", count: 0, endedAt: NOW, dueAt: null, place: "", leaseWorker: null }),
  );

function* countUp(id: string): Steps<number> {
  const { count } = present(yield* get(endings, "k"));
  const of = { clientId: asClientId("portal"), accountId: asAccountId("account"), sid: null };
  yield* insert(signOuts, { id, ...of, createdAt: NOW, dueAt: NOW, attempts: 0, leaseWorker: null });
  yield* update(endings, { key: "k" }, { count: count + 1 });
  return count + 1;
}

function* inVain(id: string): Steps<never> {
  yield* countUp(id);
  yield* take(signOuts, { dueAt: { lte: NOW } }, { attempts: add(1) }, { order: ["dueAt", "seq"] });
  throw new Undone(id);
}

/** Starts three at once, so often: one that comes true, one in vain, and a single step. */
export async function countAll(engines: readonly Engine[], name: string, times: number): Promise<void> {
  for (let turn = 0; turn < times; turn += 1) {
    const racers = engines.flatMap((engine, index) => {
      const id = `${name}-${turn}-${index}`;
      return [
        assert.rejects(
          engine.transaction(() => inVain(`vain-${id}`)),
          Undone,
        ),
        engine.transaction(() => countUp(id)),
        engine.run(() => insert(searchTerms, { entry: id, record: name })),
      ];
    });
    await Promise.all(racers);
  }
}

/** Asserts that so many came true, in all that they wrote, and nothing of those in vain. */
export async function assertCounted(engine: Engine, expected: number): Promise<void> {
  const { count } = present(await engine.run(() => get(endings, "k")));
  const rows = await engine.run(() => list(signOuts, { dueAt: { gte: 0 } }));
  const terms = await engine.run(() => list(searchTerms, { entry: { gt: "" } }));
  assert.deepEqual([count, rows.length, terms.length], [expected, expected, expected]);
  assert.ok(rows.every(({ id, attempts }) => !id.startsWith("vain") && attempts === 0));
}

const [script, file = "", name = "", times = "0"] = process.argv.slice(1);
if (script === import.meta.filename) {
  const { engine, close } = openEngine(file);
  await countAll([engine], name, Number(times));
  close();
}
