/** The columns of an import, and the header that names them. What may stand in one is row.ts's. */

import { LiaisonError } from "../../errors.ts";

export const COLUMNS = [
  "organization_id",
  "organization_name",
  "account_number",
  "kind",
  "organization_status",
  "plan_status",
  "plan_expires",
  "profile_id",
  "email",
  "name",
  "roles",
  "profile_status",
] as const;

export type Column = (typeof COLUMNS)[number];

/** The header asked for a column that would give administrator rights (case A8). Exits as any wrong header does. */
export class AdminColumnError extends LiaisonError {
  constructor() {
    super(
      "usage",
      "line 1: there is no column admin_role: administrators are never made by an import. Remove the column.",
    );
    this.name = "AdminColumnError";
  }
}

/**
 * Reads a header: the columns in the order of the file. All are needed, in any order, and no others.
 * Throws `usage` naming every column that is missing, unknown or there twice.
 */
export function readHeader(names: readonly string[]): Column[] {
  const columns = names.map((name) => name.trim());
  if (columns.some((name) => /^admin_?role$/i.test(name))) throw new AdminColumnError();
  const known = columns.filter(isColumn);
  const faults = [
    ["lacks", COLUMNS.filter((column) => !known.includes(column))],
    ["has the unknown", columns.filter((name) => !isColumn(name)).map(printable)],
    ["has twice", known.filter((column, index) => known.indexOf(column) !== index)],
  ] as const;
  const texts = faults.filter(([, found]) => found.length > 0).map(([what, found]) => `${what} ${found.join(", ")}`);
  if (texts.length === 0) return known;
  throw new LiaisonError(
    "usage",
    `line 1: the header ${texts.join("; it ")}. It must be, in any order: ${COLUMNS.join(",")}`,
  );
}

function isColumn(name: string): name is Column {
  return (COLUMNS as readonly string[]).includes(name);
}

/** What a file holds, as it can be shown on a terminal: short, in quotation marks, without anything that moves a cursor. */
export function printable(value: string): string {
  const short = value.length > 60 ? `${value.slice(0, 60).toWellFormed()}…` : value;
  const safe = short.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
  return `"${safe}"`;
}
