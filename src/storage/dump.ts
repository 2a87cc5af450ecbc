/** What one back end reads out and another takes in: all of a store, record by record, whatever keeps it. */

/** A record, by the names of storage/records.ts, sealed values sealed, instants as numbers; its place in the order of its kind. */
export interface DumpedRecord {
  fields: Record<string, unknown>;
  position: number;
}

export interface Dump {
  /** The kinds of records, in an order in which they can be written. */
  kinds: readonly string[];
  count(kind: string): number;
  /** The records of a kind behind a position, in their order. */
  read(kind: string, after: number): Iterable<DumpedRecord>;
  /** A text that no other store has. */
  source: string;
}

export interface Load {
  /** How far an earlier load from this source came; the beginning of the first kind if there was none. */
  begun: { kind: string; position: number } | undefined;
  /** Takes records in, and remembers how far that is. */
  write(kind: string, records: readonly DumpedRecord[]): Promise<void>;
  /** How many records of a kind there are, and a hash over all of them that doesn't depend on their order. */
  fingerprint(kind: string): Promise<Fingerprint>;
  /** The same of records that are to be there. */
  expected(kind: string, records: Iterable<DumpedRecord>): Fingerprint;
  /** All is there: the store may be opened from now on. */
  finish(): Promise<void>;
}

export interface Fingerprint {
  count: number;
  hash: string;
}
