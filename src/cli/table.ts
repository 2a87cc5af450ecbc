/** Rows as a table for terminals: a line each where there is room, instants in the deployment's time zone. */

import stringWidth from "string-width";
import type { Instant } from "../clock.ts";
import { instantFormat, printable } from "./output.ts";

type Cell = string | number;
type Row = Readonly<Record<string, Cell>>;

/**
 * Columns that tell people something and are copied nowhere: where there is no room they are cut. All else is
 * whole.
 */
const CUTTABLE: ReadonlySet<string> = new Set([
  "name",
  "detail",
  "problem",
  "why",
  "identities",
  "scopes",
  "roles",
  "admits",
  "issuer",
  "browser",
  "by",
]);
/** No column is cut below it. */
const LEAST_WIDTH = 12;
const GAP = "  ";

/**
 * `number` cells are instants; those of the past and of the future are written the same. Where a terminal is
 * narrower than the table, instants lose their seconds, then texts are cut; if that isn't enough, each row
 * becomes a block of lines, with all of it.
 * @param width of the terminal in columns; undefined for what is no terminal
 */
export function table(
  rows: readonly Row[],
  { timeZone, empty, width }: { timeZone: string; empty: string; width?: number | undefined },
): string {
  const [first] = rows;
  if (first === undefined) return `${empty}\n`;
  const names = Object.keys(first);
  const whole = cellsOf(rows, names, instantFormat(timeZone));
  if (width === undefined || fits(names, whole, width)) return lines(names, whole);
  const short = cellsOf(rows, names, minuteFormat(timeZone));
  if (fits(names, short, width)) return lines(names, short);
  const cut = cutTo(names, short, width);
  return cut === undefined ? blocks(names, whole) : lines(names, cut);
}

function cellsOf(
  rows: readonly Row[],
  names: readonly string[],
  format: (at: Instant) => string,
): string[][] {
  return rows.map((row) =>
    names.map((name) => {
      const cell = row[name] ?? "";
      return typeof cell === "number" ? format(cell) : printable(cell);
    }),
  );
}

function widthsOf(names: readonly string[], cells: readonly string[][]): number[] {
  return names.map((name, column) =>
    Math.max(...[name, ...cells.map((row) => row[column] ?? "")].map((text) => stringWidth(text))),
  );
}

const totalOf = (widths: readonly number[]) =>
  widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);

const fits = (names: readonly string[], cells: readonly string[][], width: number) =>
  totalOf(widthsOf(names, cells)) <= width;

/** The cells with their texts cut until the table fits, the widest first; undefined if it can't. */
function cutTo(names: readonly string[], cells: readonly string[][], width: number): string[][] | undefined {
  const widths = widthsOf(names, cells);
  const canBeCut = (column: number) =>
    CUTTABLE.has(names[column] ?? "") && (widths[column] ?? 0) > LEAST_WIDTH;
  for (let excess = totalOf(widths) - width; excess > 0; excess -= 1) {
    const widest = widths
      .map((_, column) => column)
      .filter(canBeCut)
      .toSorted((one, other) => (widths[other] ?? 0) - (widths[one] ?? 0))[0];
    if (widest === undefined) return undefined;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return cells.map((row) => row.map((cell, column) => shortened(cell, widths[column] ?? 0)));
}

function shortened(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let start = "";
  for (const { segment } of graphemes.segment(text)) {
    if (stringWidth(start + segment) >= width) break;
    start += segment;
  }
  return `${start}…`;
}

function lines(names: readonly string[], cells: readonly string[][]): string {
  const widths = widthsOf(names, cells);
  const write = (row: readonly string[]) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - stringWidth(cell)))
      .join(GAP)
      .trimEnd();
  return `${[names.map((name) => name.toUpperCase()), ...cells].map(write).join("\n")}\n`;
}

/** A line for each value that is there. */
function blocks(names: readonly string[], cells: readonly string[][]): string {
  const width = Math.max(...names.map((text) => stringWidth(text)));
  const write = (row: readonly string[]) =>
    names
      .map((name, column) => [name, row[column] ?? ""] as const)
      .filter(([, value]) => value !== "")
      .map(([name, value]) => `${name.padEnd(width)}${GAP}${value}\n`)
      .join("");
  return cells.map(write).join("\n");
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
/** Writes instants without seconds. */
function minuteFormat(timeZone: string): (at: Instant) => string {
  const form = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" });
  return (at) => form.format(at);
}
