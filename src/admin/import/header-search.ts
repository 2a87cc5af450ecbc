/**
 * Finds the header of a file: its first record, but for what programs put above a table. Reading it is
 * columns.ts's.
 */

import { LiaisonError } from "../../errors.ts";
import { type Header, namesColumns, placeName, readHeader } from "./columns.ts";
import type { CsvRecord } from "./csv.ts";
import { SAVE_AS_CSV } from "./spreadsheets.ts";

/** How many records may stand above the header: a title, the name of a table, when it was exported. */
const MOST_TITLES = 10;
/**
 * What has more values than a title has is a row; above the header it is of a table that was sorted with it.
 */
const MOST_OF_A_TITLE = 2;

export interface HeaderSearch {
  /**
   * Takes the next record. The header if it is it, undefined if it stands above. Throws `usage` for a wrong
   * one, or none.
   */
  take(record: CsvRecord): Header | undefined;
  /** At the end of a file without one: throws `usage` with what stands in its place. */
  refuseWithout(): never;
}

export function createHeaderSearch(): HeaderSearch {
  let first: CsvRecord | undefined;
  let titles = 0;
  return {
    take(record) {
      if (record.kind === "values" && namesColumns(record.values))
        return readHeader(record.values, record.line);
      const filled =
        record.kind === "values" ? record.values.filter((value) => value.trim() !== "").length : 1;
      if (filled === 0 || isHint(record)) return undefined;
      first ??= record;
      titles += 1;
      if (filled > MOST_OF_A_TITLE || titles > MOST_TITLES) return readFirst(first);
      return undefined;
    },
    refuseWithout() {
      if (first !== undefined) readFirst(first);
      throw LiaisonError.usage("line 1: the file is empty; it needs a header.");
    },
  };
}

/** By which a program tells Excel the delimiter. Excel alone hides it; that of the header counts. */
function isHint(record: CsvRecord): boolean {
  return record.kind === "values" && /^sep=/i.test(record.values[0] ?? "");
}

/** Says what is wrong with what stands where the header should. */
function readFirst(record: CsvRecord): Header {
  const { line } = record;
  if (record.kind === "values") return readHeader(record.values, line);
  const problem =
    record.kind === "malformed"
      ? `${placeName(record.place)}: ${record.problem}`
      : `the header isn't UTF-8; save the file as UTF-8 (${SAVE_AS_CSV})`;
  throw LiaisonError.usage(`line ${line}: ${problem}.`);
}
