/**
 * What a file has said so far, so that its rows can be held against each other: on disk, in a database of its
 * own that SQLite puts among the temporary files and deletes with the process
 * (https://www.sqlite.org/inmemorydb.html), so that a file's length costs no memory. It holds digests alone.
 */

import { hash } from "node:crypto";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { fieldValues, ORGANIZATION_FIELDS } from "../../domain/record-fields.ts";
import type { ImportRow } from "../../domain/records.ts";
import {
  blob,
  type Columns,
  checkColumns,
  integer,
  nullable,
  type RowOf,
  rowReader,
} from "../../sql-columns.ts";
import { ORGANIZATION_COLUMNS, printable } from "./columns.ts";
import type { RowFault } from "./row.ts";

export interface Ledger {
  /** Enters a row, or says where an earlier one contradicts it; then nothing of it is entered. */
  enter(row: ImportRow, line: number): RowFault[];
  /** Whether this organization is written for the first time in this file. */
  settle(organizationId: string): boolean;
  /** Notes that a row of this organization was bad. */
  fail(organizationId: string): void;
  /** How many organizations had bad rows, and no other. */
  failedOrganizations(): number;
  close(): void;
}

const TABLES = `
  PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
  CREATE TABLE organizations (
    id BLOB PRIMARY KEY, content BLOB, line INTEGER, settled INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT
      NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE profiles (id BLOB PRIMARY KEY, line INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE numbers (number BLOB PRIMARY KEY, id BLOB NOT NULL, line INTEGER NOT NULL) STRICT, WITHOUT
    ROWID;
  BEGIN;
`;

export function createLedger(): Ledger {
  const database = new DatabaseSync("");
  database.exec(TABLES);
  const statements = prepareStatements(database);

  return {
    enter(row, line) {
      const { organization, profile } = row;
      const numbers = numbersOf(row);
      const ids = { organization: digest(organization.id), profile: digest(profile.id) };
      const said = fingerprint(organization);
      const earlier = statements.findOrganization(ids.organization);
      const faults = [
        ...contradictions(earlier, said),
        ...profileTwice(statements.findProfile(ids.profile)),
        ...numbers.flatMap((one) => zerosLost(statements.findNumber(one.number), one)),
      ];
      if (faults.length > 0) return faults;
      if ((earlier?.content ?? null) === null) statements.enterOrganization(ids.organization, said, line);
      statements.enterProfile(ids.profile, line);
      for (const { number, written } of numbers) statements.enterNumber(number, written, line);
      return [];
    },
    settle: (organizationId) => statements.settle(digest(organizationId)).changes === 1,
    fail: (organizationId) => void statements.fail(digest(organizationId)),
    failedOrganizations: () => statements.countFailed()?.count ?? 0,
    close: () => database.close(),
  };
}

function prepareStatements(database: DatabaseSync) {
  const query = <C extends Columns>(sql: string, columns: C) => {
    const statement = database.prepare(sql);
    checkColumns(statement, sql, columns);
    const read = rowReader(statement, columns);
    return (...values: SQLInputValue[]): RowOf<C> | undefined => {
      const row = statement.get(...values);
      return row && read(row);
    };
  };
  const write = (sql: string) => {
    const statement = database.prepare(sql);
    return (...values: SQLInputValue[]) => statement.run(...values);
  };
  return {
    findOrganization: query("SELECT content, line FROM organizations WHERE id = ?", {
      content: nullable(blob),
      line: nullable(integer),
    }),
    enterOrganization: write(`
      INSERT INTO organizations (id, content, line) VALUES (?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET content = excluded.content, line = excluded.line WHERE content IS NULL`),
    findProfile: query("SELECT line FROM profiles WHERE id = ?", { line: integer }),
    enterProfile: write("INSERT INTO profiles (id, line) VALUES (?, ?)"),
    findNumber: query("SELECT id, line FROM numbers WHERE number = ?", { id: blob, line: integer }),
    enterNumber: write("INSERT INTO numbers (number, id, line) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"),
    settle: write("UPDATE organizations SET settled = 1 WHERE id = ? AND settled = 0"),
    fail: write(
      "INSERT INTO organizations (id, failed) VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET failed = 1",
    ),
    countFailed: query("SELECT count(*) AS count FROM organizations WHERE failed = 1 AND settled = 0", {
      count: integer,
    }),
  };
}

type Statements = ReturnType<typeof prepareStatements>;

/** Where a row says something else of its organization than an earlier one did. */
function contradictions(earlier: ReturnType<Statements["findOrganization"]>, said: Buffer): RowFault[] {
  if (earlier === undefined || earlier.content === null) return [];
  const { content, line } = earlier;
  const problem = `line ${line} says something else of this organization; write the same on all its rows`;
  return ORGANIZATION_COLUMNS.filter((_, place) => !share(said, place).equals(share(content, place))).map(
    (column) => ({ column, problem }),
  );
}

function profileTwice(twin: ReturnType<Statements["findProfile"]>): RowFault[] {
  if (twin === undefined) return [];
  const problem = `stands on line ${twin.line} already; write each profile once, with an id of its own`;
  return [{ column: "profile_id", problem }];
}

/** An id that is a number. */
interface NumberedId {
  column: "organization_id" | "profile_id";
  id: string;
  /** A digest of its value: a spreadsheet takes the zeros before a number away. */
  number: Buffer;
  /** A digest of the id as it is written. */
  written: Buffer;
}

function numbersOf({ organization, profile }: ImportRow): NumberedId[] {
  return [
    { column: "organization_id" as const, id: organization.id },
    { column: "profile_id" as const, id: profile.id },
  ]
    .filter(({ id }) => /^\d+$/.test(id))
    .map(({ column, id }) => ({
      column,
      id,
      number: digest(`${column} ${id.replace(/^0+/, "")}`),
      written: digest(id),
    }));
}

function zerosLost(
  earlier: ReturnType<Statements["findNumber"]>,
  { column, id, written }: NumberedId,
): RowFault[] {
  if (earlier === undefined || written.equals(earlier.id)) return [];
  const problem =
    `${printable(id)} is the id on line ${earlier.line} but for zeros before it, which a ` +
    "spreadsheet takes away; give the column the format Text, fill the ids in again, and export again";
  return [{ column, problem }];
}

/** As much of a digest as tells two values of one column apart. */
const SHARE_BYTES = 16;

/** What a row says of its organization: a share for each of ORGANIZATION_COLUMNS. */
function fingerprint(organization: ImportRow["organization"]): Buffer {
  const values = Object.values(fieldValues(ORGANIZATION_FIELDS, organization));
  return Buffer.concat(values.map((value) => digest(String(value)).subarray(0, SHARE_BYTES)));
}

function share(content: Uint8Array, place: number): Buffer {
  return Buffer.from(content.subarray(place * SHARE_BYTES, (place + 1) * SHARE_BYTES));
}

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
