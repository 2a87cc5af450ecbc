/**
 * The columns of an import, the header that names them, and rows laid under it. What may stand in one is
 * row.ts's.
 */

import {
  ORGANIZATION_FIELDS,
  type OrganizationColumn,
  PROFILE_FIELDS,
  type ProfileColumn,
} from "../../domain/record-fields.ts";
import { LiaisonError } from "../../errors.ts";
import { SAVE_AS_CSV } from "./spreadsheets.ts";

export type Column = "organization_id" | OrganizationColumn | "profile_id" | ProfileColumn;

/** The columns of what a row says of its organization, its id apart. */
export const ORGANIZATION_COLUMNS: readonly OrganizationColumn[] = Object.values(ORGANIZATION_FIELDS).map(
  ({ column }) => column,
);

export const COLUMNS: readonly Column[] = [
  "organization_id",
  ...ORGANIZATION_COLUMNS,
  "profile_id",
  ...Object.values(PROFILE_FIELDS).map(({ column }) => column),
];

/**
 * What a header says of each place of a row: null where it says nothing. It ends with the last that it says
 * something of.
 */
export type Header = readonly (Column | "ignored" | null)[];

/**
 * The header asked for a column that would give administrator rights (case A8). Exits as any wrong header
 * does.
 */
export class AdminColumnError extends LiaisonError {
  constructor(line: number) {
    super(
      "usage",
      `line ${line}: there is no column admin_role: administrators are never made by an import. Remove ` +
        "the column.",
    );
    this.name = "AdminColumnError";
  }
}

/**
 * Dynamics 365 hides three columns in what it exports, to know its records by: `(Do Not Modify) Row Checksum`
 * is one.
 */
const BOOKKEEPING = /^\(Do Not Modify\)/i;

const ADMIN_ROLE = /^admin_?role$/i;

/** Whether these values are a header, right or wrong: they name a column, one that isn't to be had, too. */
export function namesColumns(values: readonly string[]): boolean {
  const names = values.map((value) => value.trim());
  return names.some((name) => isColumn(name) || ADMIN_ROLE.test(name)) || inOneCell(names) !== undefined;
}

/**
 * Reads a header: the columns in the order of the file. All are needed, in any order, and no others; places
 * without a name are passed over, as is what Dynamics adds. Throws `usage` naming every column that is
 * missing, unknown or there twice.
 */
export function readHeader(names: readonly string[], line = 1): Header {
  const columns = names.map((name) => name.trim());
  if (columns.some((name) => ADMIN_ROLE.test(name))) throw new AdminColumnError(line);
  const together = inOneCell(columns);
  if (together !== undefined)
    throw new LiaisonError("usage", `line ${line}: the header ${together} (${SAVE_AS_CSV}).`);
  const known = columns.filter(isColumn);
  const unknown = columns.filter((name) => name !== "" && !isColumn(name) && !BOOKKEEPING.test(name));
  const faults = [
    ["lacks", COLUMNS.filter((column) => !known.includes(column))],
    ["has the unknown", unknown.map(printable)],
    ["has twice", known.filter((column, index) => known.indexOf(column) !== index)],
  ] as const;
  const texts = faults
    .filter(([, found]) => found.length > 0)
    .map(([what, found]) => `${what} ${found.join(", ")}`);
  if (texts.length === 0) return placesOf(columns);
  throw new LiaisonError(
    "usage",
    `line ${line}: the header ${texts.join("; it ")}. It must be, in any order: ${COLUMNS.join(",")}` +
      unknown
        .map((name) => `\nline ${line}, ${placeName(columns.indexOf(name))}: ${adviceOn(name)}`)
        .join(""),
  );
}

function adviceOn(name: string): string {
  const meant = name.toLowerCase().replace(/[\s-]+/g, "_");
  const advice = isColumn(meant) ? `write it ${meant}` : "give it one of these names, or delete the column";
  return `${printable(name)} is no column; ${advice}, and save the file again`;
}

function placesOf(names: readonly string[]): Header {
  const places = names.map((name) => (isColumn(name) ? name : name === "" ? null : "ignored"));
  return places.slice(0, places.findLastIndex((place) => place !== null) + 1);
}

const DIVIDE_IT = `divide the column into ${COLUMNS.length} (Data, Text to Columns) and save again`;

/** How a header looks that no comma and no semicolon divides. */
const SEPARATORS: readonly [separator: string, found: string][] = [
  ["\t", "is separated by tabs; save it with commas or semicolons"],
  ["|", "is separated by |; save it with commas or semicolons"],
  [";", `stands in one cell, with semicolons in it; ${DIVIDE_IT}`],
  [",", `stands in one cell, with commas in it; ${DIVIDE_IT}`],
  [" ", "is separated by blanks; save it with commas or semicolons"],
];

function inOneCell(names: readonly string[]): string | undefined {
  const [first = "", ...others] = names.filter((name) => name !== "");
  if (others.length > 0) return undefined;
  const namesIn = (separator: string) => first.split(separator).filter((name) => isColumn(name.trim()));
  return SEPARATORS.find(([separator]) => namesIn(separator).length > 1)?.[1];
}

/** Whether a place is one of our columns. */
export function isNamed(place: Header[number]): place is Column {
  return place !== null && place !== "ignored";
}

function isColumn(name: string): name is Column {
  return (COLUMNS as readonly string[]).includes(name);
}

/** What stands in a row, or what keeps it from being told apart into columns. */
export type LaidOut = { values: Record<Column, string> } | { problem: string };

const NOTHING = Object.fromEntries(COLUMNS.map((column) => [column, ""])) as Record<Column, string>;

/**
 * With no more values than this a line is a remark, a sum or a program's mark, but no row: eight values are
 * required.
 */
const MOST_OF_A_REMARK = 2;

/** Lays the values of a row under its header. What stands at places without a column must be empty. */
export function layOut(values: readonly string[], header: Header): LaidOut {
  const columns = { ...NOTHING };
  let stray: number | undefined;
  for (let place = 0; place < values.length; place += 1) {
    const value = values[place] ?? "";
    const column = header[place] ?? null;
    if (column === null) stray ??= value.trim() === "" ? undefined : place;
    else if (column !== "ignored") columns[column] = value;
  }
  const isOdd = isShort(values, header) || stray !== undefined;
  if (!isOdd && columns.profile_id !== "" && columns.profile_id !== "profile_id") return { values: columns };
  const problem = problemOf(values, header, stray);
  return problem === undefined ? { values: columns } : { problem };
}

/** Whether one of our columns has no value: what is ignored behind the last of them may be left out. */
function isShort(values: readonly string[], header: Header): boolean {
  return values.length < header.length && values.length <= header.findLastIndex(isNamed);
}

function problemOf(values: readonly string[], header: Header, stray: number | undefined): string | undefined {
  const filled = values.map((value) => value.trim()).filter((value) => value !== "");
  if (filled.length <= MOST_OF_A_REMARK) {
    const found = filled.map(printable).join(" and ");
    return (
      `holds ${found} alone: a remark or a sum, and no row; delete the line in the program that the file ` +
      "comes from"
    );
  }
  if (filled.length === COLUMNS.length && filled.every(isColumn))
    return "is the header once more; delete the line";
  const named = header.filter(isNamed).length;
  const count = stray === undefined ? values.length : Math.max(values.length, stray + 1);
  const counts = `the row has ${count} values, the header names ${named}`;
  const written = "write as many, in quotation marks where one holds the separator";
  if (isShort(values, header)) {
    const lacking = header.slice(values.length).filter(isNamed);
    return (
      `${counts}; ${written}: nothing stands for ${lacking[0]} (Excel leaves empty last columns out: put ` +
      "one last that is never empty)"
    );
  }
  if (stray === undefined) return undefined;
  const found = `${placeName(stray)} holds ${printable(values[stray] ?? "")}`;
  return stray < header.length
    ? `${found} and has no name in the header; name the column there, or empty it`
    : `${counts}; ${written}: ${found}`;
}

/**
 * How a place, counted from 0, is found in a spreadsheet: `column 28 (AB)`, with the name that the header
 * gives it.
 */
export function placeName(place: number, header: Header = []): string {
  let letters = "";
  for (let left = place + 1; left > 0; left = Math.floor((left - 1) / 26)) {
    letters = String.fromCharCode(65 + ((left - 1) % 26)) + letters;
  }
  const name = header[place] ?? null;
  return `column ${place + 1} (${letters}${isNamed(name) ? `, ${name}` : ""})`;
}

/**
 * What a file holds, as it can be shown on a terminal: short, in quotation marks, without anything that moves
 * a cursor.
 */
export function printable(value: string): string {
  const short = value.length > 60 ? `${value.slice(0, 60).toWellFormed()}…` : value;
  const safe = short.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
  return `"${safe}"`;
}
