/**
 * From bytes to the values of rows. Finds where each record begins and ends, and on which line, so that one broken record
 * costs that line alone and not the rest of the file; csv-parse reads the values of those that are whole. Which columns there
 * are, and what may stand in them, is columns.ts's and row.ts's.
 */

import { isUtf8 } from "node:buffer";
import { parse } from "csv-parse/sync";
import { LiaisonError } from "../../errors.ts";

/** One record. `line` is the line it begins on, counted from 1; `end` the number of bytes read with it. */
export type CsvRecord = { line: number; end: number } & (
  | { kind: "values"; values: string[] }
  /** The values at these places, counted from 0, aren't UTF-8. */
  | { kind: "not_utf8"; places: number[] }
  | { kind: "malformed"; problem: string }
);

type Whole = { line: number; end: number; bytes: Buffer };
type Broken = Extract<CsvRecord, { kind: "malformed" }>;

/** How much is read before it is looked at: many records, and not much memory. */
const BLOCK_BYTES = 16 * 1024;

/** A record longer than this is a quotation mark that nobody closed. */
const MAX_RECORD_BYTES = 64 * 1024;

const QUOTE = 0x22;
const CR = 0x0d;
const LF = 0x0a;

/**
 * Reads a file block by block, the header as its first record. Comma or semicolon, as the first line has it; values may stand
 * in quotation marks and then hold line ends (RFC 4180); lines end in LF, CR LF or CR; empty lines are passed over.
 * Throws `usage` for what is no UTF-8 text from its first bytes on.
 */
export async function* readCsv(source: AsyncIterable<Uint8Array>): AsyncGenerator<CsvRecord[]> {
  let rest: Buffer = Buffer.alloc(0);
  let scanner: Scanner | undefined;
  for await (const block of blocksOf(source)) {
    rest = rest.length === 0 ? block : Buffer.concat([rest, block]);
    if (scanner === undefined) {
      const skipped = byteOrderMark(rest);
      rest = rest.subarray(skipped);
      scanner = new Scanner(delimiterOf(rest), skipped);
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

function byteOrderMark(start: Buffer): number {
  const mark = start.subarray(0, 2).toString("hex");
  if (mark === "fffe" || mark === "feff") {
    throw new LiaisonError("usage", "line 1: the file is in UTF-16; save it as UTF-8.");
  }
  return start.subarray(0, 3).toString("hex") === "efbbbf" ? 3 : 0;
}

/** No column is named with either character, so the first line's has to be the one between them. */
function delimiterOf(start: Buffer): "," | ";" {
  const end = start.findIndex((byte) => byte === LF || byte === CR);
  return start.subarray(0, end === -1 ? start.length : end).includes(";") ? ";" : ",";
}

/** Cuts bytes into records, and goes on where the last piece ended. */
class Scanner {
  readonly delimiter: "," | ";";
  readonly #separator: number;
  #line = 1;
  #end: number;

  constructor(delimiter: "," | ";", skippedBytes: number) {
    this.delimiter = delimiter;
    this.#separator = delimiter.charCodeAt(0);
    this.#end = skippedBytes;
  }

  /** All records that `bytes` holds to their end, and how many bytes those take. `isLast`: nothing follows these bytes. */
  scan(bytes: Buffer, isLast: boolean): { records: (Whole | Broken)[]; taken: number } {
    const records: (Whole | Broken)[] = [];
    let at = 0;
    while (at < bytes.length) {
      const found = this.#record(bytes, at, isLast);
      if (found === "incomplete") break;
      const line = this.#line;
      this.#end += found.next - at;
      this.#line += found.lines;
      if (found.problem !== undefined) {
        records.push({ kind: "malformed", line, end: this.#end, problem: found.problem });
      } else if (found.stop > at) {
        records.push({ line, end: this.#end, bytes: bytes.subarray(at, found.stop) });
      }
      at = found.next;
    }
    return { records, taken: at };
  }

  /** The record that begins at `start`: where its last value stops, where the next begins, how many lines it takes. */
  #record(bytes: Buffer, start: number, isLast: boolean): Found | "incomplete" {
    let isQuoted = false;
    let isFresh = true; // nothing of the value was read yet
    let lines = 1;
    for (let at = start; ; at += 1) {
      if (at - start > MAX_RECORD_BYTES) {
        return broken(bytes, start, isQuoted ? UNCLOSED : `the row is longer than ${MAX_RECORD_BYTES / 1024} KB`);
      }
      if (at >= bytes.length) {
        if (!isLast) return "incomplete";
        return isQuoted ? broken(bytes, start, UNCLOSED) : { stop: at, next: at, lines };
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
        if (!isFresh) return broken(bytes, start, STRAY);
        isQuoted = true;
      } else if (byte === QUOTE) {
        const next = bytes[at + 1];
        if (next === QUOTE) at += 1;
        else if (next === undefined || next === this.#separator || next === LF || next === CR) isQuoted = false;
        else return broken(bytes, start, STRAY);
      }
      isFresh = !isQuoted && byte === this.#separator;
    }
  }
}

interface Found {
  stop: number;
  next: number;
  lines: number;
  problem?: string;
}

const UNCLOSED = 'a quotation mark is opened and never closed; write a " inside a value as "", the value in "…"';
const STRAY = 'a quotation mark stands inside a value; write it as "", and the whole value in "…"';

/** What is broken ends with its first line: the lines after it may be good. */
function broken(bytes: Buffer, start: number, problem: string): Found {
  let stop = start;
  while (stop < bytes.length && bytes[stop] !== LF && bytes[stop] !== CR) stop += 1;
  return { stop, next: afterLineEnd(bytes, stop), lines: 1, problem };
}

function afterLineEnd(bytes: Buffer, at: number): number {
  return Math.min(bytes.length, bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : at + 1);
}

/** Reads the values of the whole records among these, all at once. */
function readValues(found: (Whole | Broken)[], delimiter: string): CsvRecord[] {
  const readable = found.filter((record): record is Whole => "bytes" in record && isUtf8(record.bytes));
  const rows = split(Buffer.concat(readable.flatMap(({ bytes }) => [bytes, NEXT_RECORD])).toString("utf8"), delimiter);
  let row = 0;
  return found.map((record): CsvRecord => {
    if ("kind" in record) return record;
    const { line, end, bytes } = record;
    if (!isUtf8(bytes)) {
      const values = split(bytes.toString("latin1"), delimiter)[0] ?? [];
      const places = [...values.keys()].filter((place) => !isUtf8(Buffer.from(values[place] ?? "", "latin1")));
      return { kind: "not_utf8", line, end, places };
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
