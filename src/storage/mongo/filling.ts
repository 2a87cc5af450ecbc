/** What is filled in of documents that were written before a migration, or by older brokers. */

import type { Documents } from "./documents.ts";
import type { TypedCollection } from "./typed-collection.ts";

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
