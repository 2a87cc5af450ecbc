/**
 * Search results in MongoDB as a list: entries of the search index, each with the record that it stands for.
 */

import { isListedAt, type SearchKind } from "../../domain/search.ts";
import type { Page, PageRequest } from "../contract.ts";
import { readPage } from "../paging.ts";
import type { Found, SearchReader } from "./search-writer.ts";

export interface Searching<T> {
  kind: SearchKind;
  typed: string;
  page: PageRequest;
  /** Reads records, in any order. */
  find(ids: readonly string[]): Promise<T[]>;
  idOf(record: T): string;
  textsOf(record: T): string[];
  /** Whether a record that was found is part of the list. */
  fits(record: T): boolean;
}

/** Reads one page. A record that an edit has taken away from under its entry isn't listed. */
export function readFound<T>(
  search: SearchReader,
  { kind, typed, page, find, idOf, textsOf, fits }: Searching<T>,
): Promise<Page<T>> {
  return readPage<Found & { record: T | undefined }, T>({
    page,
    begin: [""],
    placeOf: ({ after }) => [after],
    fetch: async ([after = ""], limit) => {
      const entries = await search.find(kind, typed, String(after) || null, limit);
      const records = await find([...new Set(entries.map(({ id }) => id))]);
      const byId = new Map(records.map((record) => [idOf(record), record]));
      return entries.map((entry) => ({ ...entry, record: byId.get(entry.id) }));
    },
    item: ({ id, after, record }) =>
      record !== undefined && fits(record) && isListedAt(after, kind, typed, id, textsOf(record))
        ? record
        : undefined,
  });
}
