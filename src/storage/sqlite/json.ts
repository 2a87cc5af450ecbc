/**
 * JSON that SQLite builds of rows, where one statement gives several: each value in it is named with the
 * column that reads it, so that both the SQL and its reading are made of one list.
 */

import type { SQLOutputValue } from "node:sqlite";
import { type Column, text } from "../../sql-columns.ts";
import { columnOf, type Field, type Table } from "../fields.ts";
import { readerOf } from "./engine.ts";

/** An SQL expression of JSON; in a template it is the expression, as a column it reads the text. */
export interface Json<T> extends Column<T> {
  toString(): string;
  /** Reads what is within other JSON. */
  within(value: unknown): T;
}

function expression<T>(sql: string, within: (value: unknown) => T): Json<T> {
  const read = (stored: SQLOutputValue | undefined) => {
    const held: unknown = JSON.parse(text.read(stored));
    return within(held);
  };
  return { read, source: sql, toString: () => sql, within };
}

/** A column's value within JSON, or another expression's. */
export function value<T>(sql: string, column: Column<T>): Json<T> {
  return expression(sql, (held) =>
    column.read(held === null || typeof held === "string" || typeof held === "number" ? held : undefined),
  );
}

export function object<T extends object>(parts: { readonly [Key in keyof T]: Json<T[Key]> }): Json<T> {
  const all = Object.entries<Json<unknown>>(parts);
  const sql = `json_object(${all.map(([key, part]) => `'${key}', ${part}`).join(", ")})`;
  return expression(sql, (held) => {
    if (!isObject(held)) throw new TypeError("JSON of a row is no object");
    const read: Record<string, unknown> = {};
    for (const [key, part] of all) read[key] = part.within(held[key]);
    return read as T;
  });
}

const isObject = (held: unknown): held is Record<string, unknown> =>
  typeof held === "object" && held !== null;

/** A JSON array of a value for each row, in this order. */
export function arrayOf<T>(item: Json<T>, orderBy = ""): Json<T[]> {
  const sql = `json_group_array(${item}${orderBy === "" ? "" : ` ORDER BY ${orderBy}`})`;
  return expression(sql, (held) => {
    if (Array.isArray(held)) return held.map(item.within);
    throw new TypeError("JSON of rows is no array");
  });
}

/** A whole row of a table, under its alias. */
export function rowOf<Row extends object>(table: Table<Row>, alias: string): Json<Row> {
  const fields = Object.entries<Field<unknown>>(table.fields);
  const parts = fields.map(([name, field]) => [
    name,
    value(`${alias}.${columnOf(name, field)}`, readerOf(field)),
  ]);
  return object(Object.fromEntries(parts));
}

/** JSON that is read further. */
export function asJson<T, U>(json: Json<T>, further: (value: T) => U): Json<U> {
  return expression(`${json}`, (held) => further(json.within(held)));
}
