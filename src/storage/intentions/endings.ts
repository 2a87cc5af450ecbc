/**
 * Endings of many grants (domain/endings.ts): counted in the transaction of whatever ends them, so that every
 * read of a selection sees that it stands no more.
 */

import type { Instant } from "../../clock.ts";
import { type Ending, endingKey, endingKeysOf } from "../../domain/endings.ts";
import { add, getAll, insert, type Steps, update } from "../steps.ts";
import { endings, type SelectionRow } from "../tables.ts";

/** Counts it: all that was selected under it before stands no more. */
export function* countEnding(ending: Ending, now: Instant): Steps<void> {
  yield* note(ending, { endedAt: now, dueAt: null }, { endedAt: now });
}

/** Counts it, and has the rows removed in the background, from the first on. */
export function* beginEnding(ending: Ending, now: Instant): Steps<void> {
  const again = { endedAt: now, dueAt: now, place: "", leaseWorker: null };
  yield* note(ending, again, again);
}

function* note(
  ending: Ending,
  made: { endedAt: Instant; dueAt: Instant | null },
  again: object,
): Steps<void> {
  const key = endingKey(ending);
  if ((yield* update(endings, { key }, { ...again, count: add(1) })) > 0) return;
  yield* insert(endings, { key, count: 1, place: "", leaseWorker: null, ...made });
}

/** A selection, and whether nothing has ended it since it was made. */
export type Stood = SelectionRow & { stands: boolean };

/** How many endings each of these selections is under, made or about to be. */
export function* endingsUnder(of: readonly Parameters<typeof endingKeysOf>[0][]): Steps<number[]> {
  const keys = new Set(of.flatMap(endingKeysOf));
  const found = yield* getAll(endings, [...keys]);
  const counts = new Map(found.map(({ key, count }) => [key, count]));
  return of.map((one) => endingKeysOf(one).reduce((sum, key) => sum + (counts.get(key) ?? 0), 0));
}

/** Says of selections whether they stand. Whatever reads some for somebody asks this. */
export function* withStanding(rows: readonly SelectionRow[]): Steps<Stood[]> {
  const ended = yield* endingsUnder(rows);
  return rows.map((row, index) => ({ ...row, stands: row.endings === ended[index] }));
}

/** Those that stand. */
export function* standing(rows: readonly SelectionRow[]): Steps<SelectionRow[]> {
  return (yield* withStanding(rows)).filter(({ stands }) => stands).map(({ stands: _stands, ...row }) => row);
}
