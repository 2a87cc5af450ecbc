/**
 * Tells numbers that a spreadsheet rounded from those that merely end in zeros: by what else the file has in that column. Excel
 * knows fifteen digits of a number, so that a file in which one has more wasn't rounded.
 */

import { type Column, printable } from "./columns.ts";
import type { RowFault } from "./row.ts";
import { looksRounded, ROUNDED_PROBLEM } from "./spreadsheets.ts";

/** The columns in which a long number tells one record from another. */
const NUMBERED: readonly Column[] = ["organization_id", "account_number", "profile_id"];

export interface RoundingWatch {
  /** Looks at a row; returns what will be wrong with it if the file was rounded. */
  note(values: Readonly<Record<Column, string>>): readonly RowFault[];
  /** Which of these doubts stand, by all that was seen of the file so far. */
  standing(doubts: readonly RowFault[]): RowFault[];
}

export function createRoundingWatch(): RoundingWatch {
  const exact = new Set<RowFault["column"]>();
  const none: readonly RowFault[] = [];
  return {
    note(values) {
      let doubts = none;
      for (const column of NUMBERED) {
        const looks = looksRounded(values[column]);
        if (looks === false) exact.add(column);
        else if (looks) doubts = [...doubts, { column, problem: `${printable(values[column])} ${ROUNDED_PROBLEM}` }];
      }
      return doubts;
    },
    standing: (doubts) => doubts.filter(({ column }) => !exact.has(column)),
  };
}
