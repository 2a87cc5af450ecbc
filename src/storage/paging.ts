/** Paging of lists: what a cursor is, and how much is looked at for one page. */

import { setImmediate } from "node:timers/promises";
import { LiaisonError } from "../errors.ts";
import type { Page, PageRequest } from "./contract.ts";

/** How many records are looked at for one page, at most, and how many are read at a time. */
const MOST_LOOKED_AT = 1000;
const MOST_AT_A_TIME = 200;

/** Where a page begins, as its list's order has it. */
export type Place = (string | number)[];

function cursorOf(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** @throws LiaisonError `bad_request` for what `cursorOf` never gave for a place of this shape */
function placeOf(cursor: string, shape: readonly ("string" | "number")[]): Place {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    if (
      Array.isArray(place) &&
      place.length === shape.length &&
      place.every((part, at) => typeof part === shape[at])
    ) {
      return place as Place;
    }
  } catch {}
  throw LiaisonError.badRequest("This is no cursor of this list: take the one that its last page gave.");
}

export interface Paging<Row, T> {
  page: PageRequest;
  /** The place of a list's beginning; its parts are of the types of every place. */
  begin: Place;
  /** The next rows behind a place, in order, at most so many. */
  fetch(place: Place, limit: number): Promise<Row[]> | Row[];
  placeOf(row: Row): Place;
  /** What a row is in the list, or undefined if it isn't part of it. */
  item(row: Row): T | undefined;
}

/** Reads one page. */
export async function readPage<Row, T>({
  page,
  begin,
  fetch,
  placeOf: place,
  item,
}: Paging<Row, T>): Promise<Page<T>> {
  const shape = begin.map((part) => (typeof part === "number" ? "number" : "string"));
  let at = page.after === null ? begin : placeOf(page.after, shape);
  const items: T[] = [];
  let wanted = page.limit + 1;
  for (let looked = 0; looked < MOST_LOOKED_AT; ) {
    const rows = await fetch(at, wanted);
    for (const row of rows) {
      const found = item(row);
      if (found !== undefined && items.length === page.limit) return { items, next: cursorOf(at) };
      at = place(row);
      if (found !== undefined) items.push(found);
    }
    if (rows.length < wanted) return { items, next: null };
    looked += rows.length;
    // An await on SQLite lets nobody in.
    await setImmediate();
    // Of a list that little fits, more at a time: a page is a few reads, however small it is.
    wanted = Math.min(Math.max(wanted, Math.min(2 * wanted, MOST_AT_A_TIME)), MOST_LOOKED_AT - looked);
  }
  return { items, next: cursorOf(at) };
}
