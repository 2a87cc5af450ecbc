/**
 * Range reads of a list in MongoDB, behind a place of its order. An order is two fields of an index, the
 * second of which no two documents share; the equal and the greater values of the first are read one after
 * the other, each as one range of that index.
 */

import { type Document, ObjectId, type WithId } from "mongodb";
import { LiaisonError } from "../../errors.ts";
import type { Place } from "../paging.ts";
import type { Order, TypedCollection, Where } from "./typed-collection.ts";

export interface Range<T> {
  /** What the documents have in common: the fields before the order's in the index. */
  match?: Where<T>;
  order: readonly [keyof T & string, keyof T & string];
  direction: 1 | -1;
  /** The first field isn't less than that. */
  floor?: unknown;
}

/** The documents behind a place, at most so many, in order. */
export async function readBehind<T extends Document>(
  collection: Pick<TypedCollection<T>, "find">,
  { match = {}, order: [first, second], direction, floor }: Range<T>,
  [value, tie]: readonly [unknown, unknown],
  limit: number,
): Promise<WithId<T>[]> {
  const beyond = direction === 1 ? "$gt" : "$lt";
  const least = floor === undefined ? {} : { $gte: floor };
  const read = (filter: Document, most: number) =>
    collection
      .find({ ...match, ...filter } as Where<T>)
      .sort({ [first]: direction, [second]: direction } as Order<T>)
      .limit(most)
      .toArray();
  const equal = await read({ [first]: { $eq: value, ...least }, [second]: { [beyond]: tie } }, limit);
  if (equal.length === limit) return equal;
  return [...equal, ...(await read({ [first]: { ...least, [beyond]: value } }, limit - equal.length))];
}

/** The last instant of a date: behind it stand all, the newest first. */
export const LAST_INSTANT = 8_640_000_000_000_000;
const LAST_SEQ = "f".repeat(24);

/** Where lists begin that show the newest first, in the order in which they were written. */
export const NEWEST: Place = [LAST_INSTANT, LAST_SEQ];

/** The place of something that was written at an instant. */
export const writtenAt = (date: Date, seq: ObjectId): Place => [date.getTime(), seq.toHexString()];

/** An instant of a place. */
export const dateAt = (part: string | number | undefined) => new Date(Math.min(Number(part), LAST_INSTANT));

/** @throws LiaisonError `bad_request` for what `writtenAt` never gave */
export function seqAt(part: string | number | undefined): ObjectId {
  if (typeof part === "string" && ObjectId.isValid(part)) return new ObjectId(part);
  throw LiaisonError.badRequest("This is no cursor of this list: take the one that its last page gave.");
}
