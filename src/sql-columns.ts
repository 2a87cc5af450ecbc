/**
 * The columns of an SQL statement's rows: what a statement says that it gives, held against what SQLite says
 * when it is prepared, and read by type. Whoever names a column that isn't there is told by the compiler.
 */

import type { SQLOutputValue, StatementSync } from "node:sqlite";

/** One column: reads its value, or throws a TypeError for one of another type. */
export interface Column<T> {
  read(value: SQLOutputValue | undefined): T;
  /** The only expression whose values it reads; any if left out. */
  readonly source?: string;
}

/** Each column of a row by its name. */
export type Columns = Readonly<Record<string, Column<unknown>>>;

/** A row as its columns read it. */
export type RowOf<C extends Columns> = { [Name in keyof C]: C[Name] extends Column<infer T> ? T : never };

/** TEXT NOT NULL. */
export const text: Column<string> = {
  read(value) {
    if (typeof value !== "string") throw new TypeError("a text column of the database holds no text");
    return value;
  },
};

/** INTEGER NOT NULL. */
export const integer: Column<number> = {
  read(value) {
    if (typeof value !== "number") throw new TypeError("an integer column of the database holds no integer");
    return value;
  },
};

/** BLOB NOT NULL. */
export const blob: Column<Uint8Array> = {
  read(value) {
    if (!(value instanceof Uint8Array)) throw new TypeError("a blob column of the database holds no blob");
    return value;
  },
};

/** What may be NULL. */
export function nullable<T>(column: Column<T>): Column<T | null> {
  return { ...column, read: (value) => (value === null ? null : column.read(value)) };
}

/** What is read further: an id, a list. */
export function as<T, U>(column: Column<T>, further: (value: T) => U): Column<U> {
  return { ...column, read: (value) => further(column.read(value)) };
}

/** Throws a TypeError unless the statement gives these columns and no others, each from where it says. */
export function checkColumns(statement: StatementSync, sql: string, columns: Columns): void {
  const given = statement.columns().map(({ name }) => name);
  const named = Object.keys(columns);
  if (given.toSorted().join() !== named.toSorted().join()) {
    throw new TypeError(`the statement gives (${given.join(", ")}), read are (${named.join(", ")})`);
  }
  for (const [name, { source }] of Object.entries(columns)) {
    if (source !== undefined && !sql.includes(source)) {
      throw new TypeError(`${name} is read as what another expression gives`);
    }
  }
}

/**
 * Makes the reader of a statement's rows. From then on the statement gives rows as arrays: objects would take
 * longer to make than most rows to find.
 */
export function rowReader<C extends Columns>(
  statement: StatementSync,
  columns: C,
): (row: Readonly<Record<number, SQLOutputValue>>) => RowOf<C> {
  statement.setReturnArrays(true);
  const names = statement.columns().map(({ name }) => name);
  const readers = Object.entries(columns).map(([name, column]) => {
    return { name, column, index: names.indexOf(name) };
  });
  return (row) => {
    const read: Record<string, unknown> = {};
    for (const { name, column, index } of readers) read[name] = column.read(row[index]);
    return read as RowOf<C>;
  };
}
