/**
 * The search index in MongoDB: entries of records (domain/search.ts), written in the transaction of their
 * record and read in ranges.
 */

import type { ClientSession } from "mongodb";
import { readEntry, type SearchKind, searchEntries, searchRange, searchRecord } from "../../domain/search.ts";
import type { MongoDatabase } from "./database.ts";
import type { SearchTermDocument } from "./documents.ts";
import type { Operation } from "./typed-collection.ts";

/** A record with the texts that it is to be found by. */
export interface Searched {
  kind: SearchKind;
  id: string;
  texts: readonly string[];
}

/** An entry that a search found. */
export interface Found {
  id: string;
  /** The place behind it. */
  after: string;
}

export interface SearchWriter {
  /** Makes the entries of records those of their texts; writes nothing where they are. */
  put(session: ClientSession, records: readonly Searched[]): Promise<void>;
}

export interface SearchReader {
  /** The next records that a typed text finds, in the order of the entries. */
  find(kind: SearchKind, typed: string, after: string | null, limit: number): Promise<Found[]>;
}

export function createSearch({ collections }: MongoDatabase): SearchWriter & SearchReader {
  const { searchTerms } = collections;

  return {
    async put(session, records) {
      const found = await searchTerms.find(termsOf(records), { session }).toArray();
      const writes = termWrites(found, records);
      if (writes.length > 0) await searchTerms.bulkWrite(writes, { session });
    },
    async find(kind, typed, after, limit) {
      const bounds = searchRange(kind, typed, after);
      if (bounds === undefined) return [];
      const { from, to } = bounds;
      const found = await searchTerms
        .find({ _id: { $gt: from, $lt: to } })
        .sort({ _id: 1 })
        .limit(limit)
        .toArray();
      return found.map(({ _id }) => readEntry(_id));
    },
  };
}

/** Finds the entries that records have now. */
export const termsOf = (records: readonly Searched[]) => ({
  record: { $in: records.map(({ kind, id }) => searchRecord(kind, id)) },
});

/** What turns the entries found into those of the records' texts. */
export function termWrites(
  found: readonly SearchTermDocument[],
  records: readonly Searched[],
): Operation<SearchTermDocument>[] {
  const before = new Set(found.map(({ _id }) => _id));
  const after = new Map(
    records.flatMap(({ kind, id, texts }) =>
      searchEntries(kind, id, texts).map((entry) => [entry, searchRecord(kind, id)] as const),
    ),
  );
  // Removed first: an entry that ends within a character is stored as another text, which is then removed and
  // written anew.
  const removed = [...before].filter((entry) => !after.has(entry));
  const added = [...after].filter(([entry]) => !before.has(entry));
  return [
    ...removed.map((entry) => ({ deleteOne: { filter: { _id: entry } } })),
    ...added.map(([entry, record]) => ({
      updateOne: { filter: { _id: entry }, update: { $setOnInsert: { record } }, upsert: true },
    })),
  ];
}
