/**
 * JSON that SQLite builds of a row: each key is one of the type that the text is read as, so that the
 * compiler finds a key that is misspelt or left out. The columns behind them are checked when a statement is
 * prepared.
 */

import type { SQLOutputValue } from "node:sqlite";
import { type Column, text } from "../../sql-columns.ts";

declare const value: unique symbol;

/** An SQL expression whose value is the JSON text of a T; in a template it is the expression. */
export interface Json<T> extends Column<T> {
  readonly [value]?: T;
  toString(): string;
}

/** What gives a field's value: a column or another expression where JSON has its type, or else JSON. */
type Source<T> = [T] extends [string | number | null] ? string : Json<T>;

/** An expression for each key of T; optional ones may be left out. */
export type Fields<T> = { readonly [Key in keyof T]: Source<Exclude<T[Key], undefined>> };

/** The one place where JSON of this back end's own making becomes a type. */
function parse<T>(column: SQLOutputValue | undefined): T {
  return JSON.parse(text.read(column)) as T;
}

function expression<T>(sql: string): Json<T> {
  return { read: parse<T>, source: sql, toString: () => sql };
}

/** A JSON object of these fields. */
export function object<T extends object>(fields: Fields<T>): Json<T> {
  return expression(`json_object(${pairs(fields).join(", ")})`);
}

/** The fields of another object, and more behind them. */
export function extended<T extends object, U extends object>(base: Json<T>, more: Fields<U>): Json<T & U> {
  return expression(`json_set(${base}, ${pairs(more, "$.").join(", ")})`);
}

function pairs(fields: object, path = ""): string[] {
  return Object.entries(fields).map(([key, source]) => `'${path}${key}', ${source}`);
}

/** A JSON array of a value for each row, in this order. */
export function arrayOf<T>(item: Json<T> | string, orderBy = ""): Json<T[]> {
  return expression(`json_group_array(${item}${orderBy === "" ? "" : ` ORDER BY ${orderBy}`})`);
}

/** A boolean of an INTEGER that is one. */
export function boolean(column: string): Json<boolean> {
  return expression(`json(iif(${column}, 'true', 'false'))`);
}

/** What this back end wrote as JSON of a T. */
export function stored<T>(column: string): Json<T> {
  return expression(`json(${column})`);
}

/** Another expression of JSON, or of NULL. */
export function raw<T>(sql: string): Json<T> {
  return expression(sql);
}

/** Reads a column that this back end wrote as JSON of a T. */
export function parsed<T>(): Column<T> {
  return { read: parse<T> };
}
