/**
 * Tells numbers that a spreadsheet rounded from those that merely end in zeros: by what else the file has in
 * that column. Excel knows fifteen digits of a number, so that a file in which one has more wasn't rounded;
 * and of the numbers that weren't, one in ten ends in a zero, so that a few say nothing.
 */

import { ORGANIZATION_FIELDS, type TextRule } from "../../domain/record-fields.ts";
import { type Column, printable } from "./columns.ts";
import type { RowFault } from "./row.ts";
import { looksRounded, ROUNDED_PROBLEM, zerosBehindExact } from "./spreadsheets.ts";

/** The columns in which a long number tells one record from another. */
const NUMBERED: readonly Column[] = [
  "organization_id",
  ...Object.values<{ column: Column; text?: TextRule }>(ORGANIZATION_FIELDS)
    .filter(({ text }) => text?.sense === "id")
    .map(({ column }) => column),
  "profile_id",
];

/**
 * So many zeros behind the fifteenth digit, of all different numbers of a column together, are no chance: one
 * in a thousand.
 */
const TELLING_ZEROS = 3;

export interface RoundingWatch {
  /** Looks at a row; returns what will be wrong with it if the file was rounded. */
  note(values: Readonly<Record<Column, string>>): readonly RowFault[];
  /** Whether more of the file may still dispel one of these doubts. */
  isOpen(doubts: readonly RowFault[]): boolean;
  /** Which of these doubts stand, by all that was seen of the file so far. */
  accountAtClient(doubts: readonly RowFault[]): RowFault[];
}

export function createRoundingWatch(): RoundingWatch {
  const exact = new Set<RowFault["column"]>();
  // Of each column no more numbers than it takes to tell.
  const inDoubt = new Map<RowFault["column"], Set<string>>(NUMBERED.map((column) => [column, new Set()]));
  const isTelling = (column: RowFault["column"]) => {
    const numbers = [...(inDoubt.get(column) ?? [])];
    return numbers.reduce((zeros, number) => zeros + zerosBehindExact(number), 0) >= TELLING_ZEROS;
  };
  const none: readonly RowFault[] = [];
  return {
    note(values) {
      let doubts = none;
      for (const column of NUMBERED) {
        const value = values[column].trim();
        const looks = looksRounded(value);
        if (looks === false) exact.add(column);
        if (looks !== true) continue;
        if (!isTelling(column)) inDoubt.get(column)?.add(value);
        doubts = [...doubts, { column, problem: `${printable(value)} ${ROUNDED_PROBLEM}` }];
      }
      return doubts;
    },
    isOpen: (doubts) => doubts.some(({ column }) => !exact.has(column)),
    accountAtClient: (doubts) => doubts.filter(({ column }) => !exact.has(column) && isTelling(column)),
  };
}
