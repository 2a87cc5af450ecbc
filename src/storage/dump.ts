/** What one back end reads out and another takes in: all of a store, record by record, whatever keeps it. */

import type { DumpedKind } from "./dumped-records.ts";

export type { DumpedKind } from "./dumped-records.ts";

/** Where a record stands among those of its kind: the values that order them. */
export type Place = readonly (string | number)[];

/** A record with its place among those of its kind. */
export interface DumpedRecord {
  fields: Readonly<Record<string, unknown>>;
  place: Place;
}

export interface Dump {
  /** The kinds of records, in an order in which they can be written. */
  kinds: readonly DumpedKind[];
  count(kind: DumpedKind): number;
  /** The next records of a kind behind a place, or the first, in their order; none behind the last. */
  read(kind: DumpedKind, after: Place | undefined, limit: number): DumpedRecord[];
  /** Throws `store_refused` once anybody has written to the store since it was opened. */
  refuseChanged(): void;
  /** A text that no other store has. */
  source: string;
}

export interface Load {
  /**
   * How far an earlier load from this source came, if there was one; without a place, to the beginning of the
   * kind.
   */
  begun: { kind: DumpedKind; after: Place | undefined } | undefined;
  /** Takes records in, and remembers how far that is. */
  write(kind: DumpedKind, records: readonly DumpedRecord[]): Promise<void>;
  /** How many records of a kind there are, and a hash over all of them that doesn't depend on their order. */
  fingerprint(kind: DumpedKind): Promise<Fingerprint>;
  /** The same of records that are to be there. */
  expected(kind: DumpedKind, pages: AsyncIterable<readonly DumpedRecord[]>): Promise<Fingerprint>;
  /** All is there: the store may be opened from now on. */
  finish(): Promise<void>;
}

export interface Fingerprint {
  count: number;
  hash: string;
}
