/** What one back end reads out and another takes in: all of a store, record by record, whatever keeps it. */

/** Where a record stands among those of its kind: the values that order them. */
export type Place = readonly (string | number)[];

/** A record, by the names of domain/records.ts, sealed values sealed, instants as numbers. */
export interface DumpedRecord {
  fields: Record<string, unknown>;
  place: Place;
}

export interface Dump {
  /** The kinds of records, in an order in which they can be written. */
  kinds: readonly string[];
  count(kind: string): number;
  /** The next records of a kind behind a place, or the first, in their order; none behind the last. */
  read(kind: string, after: Place | undefined, limit: number): DumpedRecord[];
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
  begun: { kind: string; after: Place | undefined } | undefined;
  /** Takes records in, and remembers how far that is. */
  write(kind: string, records: readonly DumpedRecord[]): Promise<void>;
  /** How many records of a kind there are, and a hash over all of them that doesn't depend on their order. */
  fingerprint(kind: string): Promise<Fingerprint>;
  /** The same of records that are to be there. */
  expected(kind: string, pages: AsyncIterable<readonly DumpedRecord[]>): Promise<Fingerprint>;
  /** All is there: the store may be opened from now on. */
  finish(): Promise<void>;
}

export interface Fingerprint {
  count: number;
  hash: string;
}
