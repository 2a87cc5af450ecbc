/** What migrations fill in of documents that were written before them, or by older brokers. */

import { searchEntries, searchRecord } from "../../domain/search.ts";
import type { Searched } from "../intentions/search.ts";
import type { Documents } from "./documents.ts";
import type { Operation, TypedCollection } from "./typed-collection.ts";

/**
 * Gives waiting inquiries that have none the instant at which they are due, and returns how many there were.
 * Brokers of the version before go on making them; where there are none nothing is examined, for they stand
 * at the beginning of an index.
 */
export async function fillDueAt(inquiries: TypedCollection<Documents["inquiries"]>): Promise<number> {
  const hasNone = { state: "waiting", dueAt: { $exists: false } } as const;
  let filled = 0;
  for (;;) {
    const found = await inquiries
      .find(hasNone, { projection: { _id: 1 }, limit: FILLED_AT_A_TIME })
      .toArray();
    if (found.length === 0) return filled;
    const { modifiedCount } = await inquiries.updateMany(
      { _id: { $in: found.map(({ _id }) => _id) }, ...hasNone },
      [{ $set: { dueAt: { $max: ["$notBefore", "$leaseUntil"] } } }],
    );
    filled += modifiedCount;
  }
}

const FILLED_AT_A_TIME = 1000;

/** Finds the entries that records have now. */
export const termsOf = (records: readonly Searched[]) => ({
  record: { $in: records.map(({ kind, id }) => searchRecord(kind, id)) },
});

/** What turns the entries found into those of the records' texts. */
export function termWrites(
  found: readonly Documents["searchTerms"][],
  records: readonly Searched[],
): Operation<Documents["searchTerms"]>[] {
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
