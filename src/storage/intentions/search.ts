/** The search entries of records (domain/search.ts): kept with each write of their record, read in ranges. */

import {
  isListedAt,
  readEntry,
  type SearchKind,
  searchEntries,
  searchRange,
  searchRecord,
} from "../../domain/search.ts";
import type { Page, PageRequest } from "../contract.ts";
import { readPage } from "../paging.ts";
import { type Engine, list, removed, replaced, type Steps, write } from "../steps.ts";
import { searchTerms } from "../tables.ts";

/** A record with the texts that it is to be found by. */
export interface Searched {
  kind: SearchKind;
  id: string;
  texts: readonly string[];
}

/** Makes the entries of records those of their texts; writes nothing where they are. */
export function* putSearched(records: readonly Searched[]): Steps<void> {
  if (records.length === 0) return;
  const names = [...new Set(records.map(({ kind, id }) => searchRecord(kind, id)))];
  const before = new Set((yield* list(searchTerms, { record: { in: names } })).map(({ entry }) => entry));
  const after = new Map(
    records.flatMap(({ kind, id, texts }) =>
      searchEntries(kind, id, texts).map((entry) => [entry, searchRecord(kind, id)] as const),
    ),
  );
  const gone = [...before].filter((entry) => !after.has(entry));
  const added = [...after].filter(([entry]) => !before.has(entry));
  // Removed first: an entry that ends within a character is stored as another text, which is then removed and
  // written anew.
  yield* write([
    ...gone.map((entry) => removed(searchTerms, { entry })),
    ...added.map(([entry, record]) => replaced(searchTerms, { entry, record })),
  ]);
}

export interface Searching<T> {
  kind: SearchKind;
  typed: string;
  page: PageRequest;
  /** Reads records, in any order. */
  find(ids: readonly string[]): Steps<T[]>;
  idOf(record: T): string;
  textsOf(record: T): string[];
  /** Whether a record that was found is part of the list. */
  fits(record: T): boolean;
}

interface Found<T> {
  id: string;
  /** The place behind its entry. */
  after: string;
  record: T | undefined;
}

/**
 * Reads one page of what a typed text finds. A record that an edit has taken away from under its entry isn't
 * listed.
 */
export function readFound<T>(
  engine: Engine,
  { kind, typed, page, find, idOf, textsOf, fits }: Searching<T>,
): Promise<Page<T>> {
  return readPage<Found<T>, T>({
    page,
    begin: [""],
    placeOf: ({ after }) => [after],
    fetch: ([after = ""], limit) =>
      engine.run(function* () {
        const bounds = searchRange(kind, typed, String(after) || null);
        if (bounds === undefined) return [];
        const between = { entry: { gt: bounds.from, lt: bounds.to } };
        const rows = yield* list(searchTerms, between, { order: ["entry"], limit });
        const entries = rows.map(({ entry }) => readEntry(entry));
        const records = yield* find([...new Set(entries.map(({ id }) => id))]);
        const byId = new Map(records.map((record) => [idOf(record), record]));
        return entries.map((entry) => ({ ...entry, record: byId.get(entry.id) }));
      }),
    item: ({ id, after, record }) =>
      record !== undefined && fits(record) && isListedAt(after, kind, typed, id, textsOf(record))
        ? record
        : undefined,
  });
}
