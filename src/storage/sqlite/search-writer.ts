/**
 * The search index in SQLite: entries of records (domain/search.ts), written in the transaction of their
 * record and read in ranges.
 */

import { readEntry, type SearchKind, searchEntries, searchRange, searchRecord } from "../../domain/search.ts";
import { text } from "../../sql-columns.ts";
import type { Database } from "./database.ts";

export interface SearchWriter {
  /** Makes the entries of a record those of its texts. */
  put(kind: SearchKind, id: string, texts: readonly string[]): void;
}

export interface SearchReader {
  /** The next records that a typed text finds, in the order of the entries, each with the place behind it. */
  find(kind: SearchKind, typed: string, after: string | null, limit: number): { id: string; after: string }[];
}

export function createSearch(database: Database): SearchWriter & SearchReader {
  const select = database.prepare("SELECT entry FROM search_terms WHERE record = :record ORDER BY entry", {
    entry: text,
  });
  const insert = database.prepare("INSERT INTO search_terms (entry, record) VALUES (:entry, :record)");
  const remove = database.prepare("DELETE FROM search_terms WHERE entry = :entry");
  const range = database.prepare(
    "SELECT entry FROM search_terms WHERE entry > :from AND entry < :to ORDER BY entry LIMIT :limit",
    { entry: text },
  );

  return {
    put(kind, id, texts) {
      const record = searchRecord(kind, id);
      const before = new Set(select.all({ record }).map(({ entry }) => entry));
      const after = new Set(searchEntries(kind, id, texts));
      for (const entry of before) if (!after.has(entry)) remove.run({ entry });
      for (const entry of after) if (!before.has(entry)) insert.run({ entry, record });
    },
    find(kind, typed, after, limit) {
      const bounds = searchRange(kind, typed, after);
      if (bounds === undefined) return [];
      return range.all({ ...bounds, limit }).map(({ entry }) => readEntry(entry));
    },
  };
}
