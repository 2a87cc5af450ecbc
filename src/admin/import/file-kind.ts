/**
 * What a file is, by its first bytes: CSV, with marks before it and a delimiter, or something else that
 * programs write and people take for CSV. Reading the records is csv.ts's.
 */

import { LiaisonError } from "../../errors.ts";
import { COLUMNS } from "./columns.ts";
import { SAVE_AS_CSV } from "./spreadsheets.ts";

export type Delimiter = "," | ";";

export interface Beginning {
  delimiter: Delimiter;
  /** How many bytes come before the first record. */
  bytes: number;
}

/** First bytes, in hexadecimal, of what is no text in UTF-8. */
const OTHER_BYTES: readonly [first: RegExp, what: string][] = [
  [/^(?:fffe|feff)/, `in UTF-16; save it as UTF-8 (${SAVE_AS_CSV})`],
  // Without a mark: letters with a zero behind, or before, each.
  [/^(?:[2-7].00[2-7].00|00[2-7].00[2-7].)/, `in UTF-16; save it as UTF-8 (${SAVE_AS_CSV})`],
  [/^504b0304/, `a workbook, or another zip file; save it as CSV (${SAVE_AS_CSV})`],
  [/^d0cf11e0/, `a workbook of an older Excel; save it as CSV (${SAVE_AS_CSV})`],
  [/^1f8b/, "compressed; unpack it"],
  [/^25504446/, "a PDF; export CSV instead"],
];

/** What texts begin with that are no CSV. */
const OTHER_TEXTS: readonly [first: RegExp, what: string][] = [
  [
    /^\s*<(?:!DOCTYPE|html|table|\?xml)/i,
    `a page or XML, whatever its name says; open it and save it as CSV (${SAVE_AS_CSV})`,
  ],
  [/^\s*[[{]\s*["{[]/, "JSON; export CSV instead"],
];

/** How far a header is looked for: titles are short. */
const LOOKED_AT_BYTES = 8 * 1024;

/** Reads the first bytes of a file. Throws `usage` for what is no CSV in UTF-8. */
export function beginningOf(start: Buffer): Beginning {
  const first = start.subarray(0, LOOKED_AT_BYTES);
  refuse(OTHER_BYTES, first.toString("hex", 0, 8));
  const latin = first.toString("latin1");
  const marks = /^(?:\xef\xbb\xbf)*/.exec(latin)?.[0].length ?? 0;
  const text = latin.slice(marks);
  refuse(OTHER_TEXTS, text);
  return { delimiter: delimiterOf(text), bytes: marks };
}

function refuse(others: typeof OTHER_BYTES, first: string): void {
  const found = others.find(([pattern]) => pattern.test(first));
  if (found !== undefined) throw LiaisonError.usage(`line 1: the file is ${found[1]}.`);
}

/**
 * No column is named with either character, so the header's has to be the one between them, whatever stands
 * above it.
 */
function delimiterOf(text: string): Delimiter {
  const lines = text.split(/[\r\n]+/).filter((line) => line !== "");
  const header = lines.find(
    (line) => COLUMNS.filter((column) => line.includes(column)).length > COLUMNS.length / 2,
  );
  return (header ?? lines[0] ?? "").includes(";") ? ";" : ",";
}
