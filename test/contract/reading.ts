/** Reading a list of the store as whoever pages through it. */

import assert from "node:assert/strict";
import type { Page, PageRequest } from "../../src/storage/contract.ts";

/** Reads a list to its end, so many at a time. */
export async function readAll<T>(list: (page: PageRequest) => Promise<Page<T>>, limit: number): Promise<T[]> {
  const all: T[] = [];
  for (let after: string | null = null, turn = 0; ; turn += 1) {
    const { items, next }: Page<T> = await list({ after, limit });
    assert.ok(items.length <= limit, "a page is too long");
    all.push(...items);
    if (next === null) return all;
    assert.notEqual(next, after, "a cursor leads nowhere");
    assert.ok(turn < 500, "a list has no end");
    after = next;
  }
}

/** The same list in pages of several sizes. */
export async function readEach<T>(list: (page: PageRequest) => Promise<Page<T>>): Promise<T[]> {
  const [all, ...others] = [await readAll(list, 50), await readAll(list, 1), await readAll(list, 3)];
  for (const other of others) assert.deepEqual(other, all, "it depends on the size of the pages");
  return all;
}
