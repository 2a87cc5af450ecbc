/**
 * From bytes to the values of rows. Finds where each record begins and ends, and on which line, so that one
 * broken record costs that line alone and not the rest of the file; csv-parse reads the values of those that
 * are whole. What a file is otherwise is file-kind.ts's; which columns there are, and what may stand in them,
 * is columns.ts's and row.ts's.
 */

import { isUtf8 } from "node:buffer";
import { parse } from "csv-parse/sync";
import { printable } from "./columns.ts";
import { type Beginning, beginningOf, type Delimiter } from "./file-kind.ts";

/** One record. `line` is the line it begins on, counted from 1; `end` the number of bytes read with it. */
export type CsvRecord = { line: number; end: number } & (
  | { kind: "values"; values: string[] }
  /** The values at these places, counted from 0, aren't UTF-8: `found`, read as one byte a character. */
  | { kind: "not_utf8"; places: number[]; found: string[] }
  /** `place` is the one, counted from 0, at which it can't be read further. */
  | { kind: "malformed"; place: number; problem: string }
);

type Whole = { line: number; end: number; bytes: Buffer };
type Broken = Extract<CsvRecord, { kind: "malformed" }>;

/** How much is read before it is looked at: many records, and not much memory. */
const BLOCK_BYTES = 16 * 1024;

/** A record longer than this is a quotation mark that nobody closed. */
const MAX_RECORD_BYTES = 64 * 1024;

const QUOTE = 0x22;
const EQUALS = 0x3d;
const CR = 0x0d;
const LF = 0x0a;

/**
 * Reads a file block by block, whatever stands above its header as records, too. Comma or semicolon, as the
 * header has it; values may stand in quotation marks and then hold line ends (RFC 4180); lines end in LF, CR
 * LF or CR; empty lines are passed over. Throws `usage` for what is no UTF-8 text from its first bytes on.
 */
export async function* readCsv(source: AsyncIterable<Uint8Array>): AsyncGenerator<CsvRecord[]> {
  let rest: Buffer = Buffer.alloc(0);
  let scanner: Scanner | undefined;
  for await (const block of blocksOf(source)) {
    rest = rest.length === 0 ? block : Buffer.concat([rest, block]);
    if (scanner === undefined) {
      const beginning = beginningOf(rest);
      rest = rest.subarray(beginning.bytes);
      scanner = new Scanner(beginning);
    }
    const found = scanner.scan(rest, false);
    rest = rest.subarray(found.taken);
    yield readValues(found.records, scanner.delimiter);
  }
  if (scanner !== undefined) yield readValues(scanner.scan(rest, true).records, scanner.delimiter);
}

/** The same bytes in pieces of a useful size, whatever the source's are. */
async function* blocksOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of source) {
    pieces.push(piece);
    size += piece.length;
    if (size < BLOCK_BYTES) continue;
    yield Buffer.concat(pieces);
    pieces = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(pieces);
}

/** Cuts bytes into records, and goes on where the last piece ended. */
class Scanner {
  readonly delimiter: Delimiter;
  readonly #separator: number;
  #line = 1;
  #end: number;

  constructor({ delimiter, bytes }: Beginning) {
    this.delimiter = delimiter;
    this.#separator = delimiter.charCodeAt(0);
    this.#end = bytes;
  }

  /**
   * All records that `bytes` holds to their end, and how many bytes those take. `isLast`: nothing follows
   * these bytes.
   */
  scan(bytes: Buffer, isLast: boolean): { records: (Whole | Broken)[]; taken: number } {
    const records: (Whole | Broken)[] = [];
    let at = 0;
    while (at < bytes.length) {
      const found = this.#record(bytes, at, isLast);
      if (found === "incomplete") break;
      const line = this.#line;
      this.#end += found.next - at;
      this.#line += found.lines;
      if (found.broken !== undefined) {
        records.push({ kind: "malformed", line, end: this.#end, ...found.broken });
      } else if (found.stop > at) {
        records.push({ line, end: this.#end, bytes: bytes.subarray(at, found.stop) });
      }
      at = found.next;
    }
    return { records, taken: at };
  }

  /**
   * The record that begins at `start`: where its last value stops, where the next begins, how many lines it
   * takes.
   */
  #record(bytes: Buffer, start: number, isLast: boolean): Found | "incomplete" {
    let isQuoted = false;
    let place = 0;
    let from = start; // where the value at this place begins
    let lines = 1;
    for (let at = start; ; at += 1) {
      if (at - start > MAX_RECORD_BYTES)
        return brokenAt(bytes, { start, from, place }, isQuoted ? UNCLOSED : TOO_LONG);
      if (at >= bytes.length) {
        if (!isLast) return "incomplete";
        return isQuoted ? brokenAt(bytes, { start, from, place }, UNCLOSED) : { stop: at, next: at, lines };
      }
      const byte = bytes[at];
      const isLineEnd = byte === LF || byte === CR;
      // Whether a LF follows is still to be read.
      if (byte === CR && at + 1 === bytes.length && !isLast) return "incomplete";
      if (isLineEnd && !isQuoted) return { stop: at, next: afterLineEnd(bytes, at), lines };
      if (isLineEnd) {
        lines += 1;
        at = afterLineEnd(bytes, at) - 1;
      } else if (byte === QUOTE && !isQuoted) {
        if (at !== from)
          return brokenAt(bytes, { start, from, place }, bytes[from] === EQUALS ? FORMULA : STRAY);
        isQuoted = true;
      } else if (byte === QUOTE) {
        const next = bytes[at + 1];
        if (next === QUOTE) at += 1;
        else if (next === undefined || next === this.#separator || next === LF || next === CR)
          isQuoted = false;
        else return brokenAt(bytes, { start, from, place }, STRAY);
      } else if (byte === this.#separator && !isQuoted) {
        place += 1;
        from = at + 1;
      }
    }
  }
}

interface Found {
  stop: number;
  next: number;
  lines: number;
  broken?: { place: number; problem: string };
}

const REMEDY =
  'write a " inside a value as "", and the whole value in "…", as spreadsheets do when they save as CSV';
const UNCLOSED = `a quotation mark is opened and never closed; ${REMEDY}`;
const STRAY = `a quotation mark stands inside a value; ${REMEDY}`;
const FORMULA = '="…" isn\'t text but a formula; export the values without it, or write "=""…"""';
const TOO_LONG = `the row is longer than ${MAX_RECORD_BYTES / 1024} KB; look for a line end that was lost`;

/** How much of a broken value is shown, in bytes. */
const SHOWN_BYTES = 40;

/** What is broken ends with its first line: the lines after it may be good. */
function brokenAt(
  bytes: Buffer,
  { start, from, place }: { start: number; from: number; place: number },
  problem: string,
): Found {
  let stop = start;
  while (stop < bytes.length && bytes[stop] !== LF && bytes[stop] !== CR) stop += 1;
  const shown = bytes.subarray(from, Math.min(Math.max(stop, from), from + SHOWN_BYTES)).toString("utf8");
  const broken = { place, problem: `${problem}; it begins with ${printable(shown.replace(/\ufffd+$/, ""))}` };
  return { stop, next: afterLineEnd(bytes, stop), lines: 1, broken };
}

function afterLineEnd(bytes: Buffer, at: number): number {
  return Math.min(bytes.length, bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : at + 1);
}

/** Reads the values of the whole records among these, all at once. */
function readValues(found: (Whole | Broken)[], delimiter: string): CsvRecord[] {
  const readable = found.filter((record): record is Whole => "bytes" in record && isUtf8(record.bytes));
  const rows = split(
    Buffer.concat(readable.flatMap(({ bytes }) => [bytes, NEXT_RECORD])).toString("utf8"),
    delimiter,
  );
  let row = 0;
  return found.map((record): CsvRecord => {
    if ("kind" in record) return record;
    const { line, end, bytes } = record;
    if (!isUtf8(bytes)) {
      const values = split(bytes.toString("latin1"), delimiter)[0] ?? [];
      const places = [...values.keys()].filter(
        (place) => !isUtf8(Buffer.from(values[place] ?? "", "latin1")),
      );
      return { kind: "not_utf8", line, end, places, found: places.map((place) => values[place] ?? "") };
    }
    row += 1;
    return { kind: "values", line, end, values: rows[row - 1] ?? [] };
  });
}

const NEXT_RECORD = Buffer.from("\n");

function split(text: string, delimiter: string): string[][] {
  // Records end in LF here, whatever they ended in before; a CR may still stand inside a value.
  return parse(text, { delimiter, record_delimiter: "\n", relax_column_count: true });
}
