/**
 * The dump of an SQLite file: it is read out record by record for another back end. Encrypted values stay
 * encrypted, instants are numbers, names are those of tables.ts. It is read page by page: no
 * transaction stays open, for the log couldn't be reset meanwhile
 * (https://www.sqlite.org/wal.html#avoiding_excessively_large_wal_files). That nobody writes is seen, not
 * enforced.
 */

import { LiaisonError } from "../../errors.ts";
import { type Column, integer, text } from "../../sql-columns.ts";
import type { Dump, DumpedKind, DumpedRecord, Place } from "../dump.ts";
import { DUMPED } from "../dumped-records.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { identityOf } from "../fields.ts";
import type { Database, Query } from "./database.ts";
import { readingOf } from "./engine.ts";
import { SQLITE_MIGRATIONS } from "./migrations.ts";
import { checkSchema } from "./prepare-schema.ts";

/** How many records are counted in one statement. */
const COUNTED = 20_000;

/** Runs work on all that the file holds. The schema must be this version's. */
export async function withDump<T>(
  { database, encryption, file }: { database: Database; encryption: FieldEncryption; file: string },
  work: (dump: Dump) => Promise<T>,
): Promise<T> {
  checkSchema({ database, encryption, file, now: 0, migrations: SQLITE_MIGRATIONS });
  const kinds = Object.keys(DUMPED) as DumpedKind[];
  // Every statement is prepared before the first is run.
  const readers = new Map(kinds.map((kind) => [kind, prepareReader(database, kind)]));
  const reader = (kind: DumpedKind) => {
    const found = readers.get(kind);
    if (found === undefined) throw new TypeError(`there are no ${kind}`);
    return found;
  };
  // It changes with every commit of another connection:
  // https://www.sqlite.org/pragma.html#pragma_data_version
  const version = () => database.query("PRAGMA data_version", { data_version: integer })[0]?.data_version;
  const before = version();
  return await work({
    kinds,
    count: (kind) => countRecords(reader(kind)),
    read: (kind, after, limit) => reader(kind).read({ after, limit }),
    refuseChanged: () => {
      if (version() === before) return;
      const fix = "Stop every broker on it, drop the database that was begun, and copy again.";
      throw LiaisonError.storeRefused(`${file} was written to while it was copied. ${fix}`);
    },
    source: String(database.query("SELECT value FROM meta WHERE name = 'canary'", { value: text })[0]?.value),
  });
}

/** The part of a list that is read: so many records behind a place, or from the first. */
interface Part {
  after: Place | undefined;
  limit: number;
  offset?: number;
}

interface Reader {
  read(part: Part): DumpedRecord[];
  places(part: Part): Place[];
}

/** Which of a table's rows a kind is made of, where it isn't each of them. */
const WHICH: { readonly [Kind in DumpedKind]?: { where: string; groupBy?: string } } = {
  artifacts: { where: "session_uid IS NULL" },
  sessions: { where: "session_uid IS NOT NULL", groupBy: " GROUP BY session_uid" },
};

const anyPlace: Column<string | number> = {
  read: (value) => (typeof value === "string" ? value : integer.read(value)),
};

/** An index begins with what identifies a table's rows, so that reading can begin anywhere. */
function prepareReader(database: Database, kind: DumpedKind): Reader {
  const { table } = DUMPED[kind];
  const { select, columns } = readingOf(DUMPED[kind]);
  const { where, groupBy = "" } = WHICH[kind] ?? {};
  const order = identityOf(DUMPED[kind]);
  const names = order.map((_, index) => `at${index}`);
  const places = Object.fromEntries(names.map((name) => [name, anyPlace]));
  const selected = order.map((column, index) => `${column} AS at${index}`).join(", ");
  const behind = `(${order.join(", ")}) > (${names.map((name) => `:${name}`).join(", ")})`;
  const prepare = (after?: string) => {
    const conditions = [where, after].filter((one) => one !== undefined);
    const from = `FROM ${table}${conditions.length > 0 ? ` WHERE ${conditions.join(" AND ")}` : ""}${groupBy}
      ORDER BY ${order.join(", ")} LIMIT :limit + 0 OFFSET :offset`;
    return {
      records: database.prepare(`SELECT ${select}, ${selected} ${from}`, { ...columns, ...places }),
      places: database.prepare(`SELECT ${selected} ${from}`, places),
    };
  };
  const fromFirst = prepare();
  const fromPlace = prepare(behind);
  const all = <Row>(first: Query<Row>, next: Query<Row>, { after, limit, offset = 0 }: Part): Row[] => {
    if (after === undefined) return first.all({ limit, offset });
    const place = Object.fromEntries(after.map((value, index) => [`at${index}`, value]));
    return next.all({ ...place, limit, offset });
  };
  const placeOf = (row: Record<string, unknown>) => names.map((name) => row[name] as string | number);
  return {
    read: (part) =>
      all(fromFirst.records, fromPlace.records, part).map((row) => ({ fields: row, place: placeOf(row) })),
    places: (part) => all(fromFirst.places, fromPlace.places, part).map(placeOf),
  };
}

/** Counts in steps, so that no statement reads for long. */
function countRecords({ places }: Reader): number {
  let count = 0;
  for (let after: Place | undefined; ; ) {
    const [last] = places({ after, limit: 1, offset: COUNTED - 1 });
    if (last === undefined) return count + places({ after, limit: COUNTED }).length;
    count += COUNTED;
    after = last;
  }
}
