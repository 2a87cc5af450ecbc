/**
 * What drives intentions (../steps.ts) in SQLite: each general step is one statement, made of a table's
 * fields and prepared when it is first asked for. A whole intention runs without a turn of the event loop,
 * so that nothing else of this process comes between its statements.
 */

import { type Column, integer, nullable, type RowOf, text } from "../../sql-columns.ts";
import { type Field, identityOf as identityColumns, underscored } from "../fields.ts";
import type { NativeSteps } from "../native-steps.ts";
import { hasShape } from "../shapes.ts";
import { AlreadyThere, type Engine, type Step, type Steps, type WriteStep } from "../steps.ts";
import { SMALL_TABLES, TABLES } from "../tables.ts";
import type { Database, Query, Statement } from "./database.ts";
import { extendedCode } from "./failures.ts";
import { type AnyField, type AnyTable, expressionOf, StepText } from "./step-text.ts";

/** How the values of a field are read; a condition's are written the same way. */
export function readerOf<T>(field: Field<T>): Column<T> {
  const column: Column<unknown> = {
    text,
    number: integer,
    instant: integer,
    place: { read: (value) => value } satisfies Column<unknown>,
    flag: { read: (value) => integer.read(value) === 1 } satisfies Column<boolean>,
    json: { read: (value) => parse(text.read(value), field) } satisfies Column<unknown>,
  }[field.kind];
  const { ifNull } = field;
  if (ifNull !== undefined) return { read: (value) => (value === null ? ifNull : (column.read(value) as T)) };
  return (field.isNullable ? nullable(column) : column) as Column<T>;
}

function parse(stored: string, { shape = "anything", unreadable }: AnyField): unknown {
  try {
    const value: unknown = JSON.parse(stored);
    if (hasShape(value, shape)) return value;
    throw new TypeError("a JSON column of the database holds JSON of another shape");
  } catch (error) {
    if (unreadable === undefined) throw error;
    return unreadable === "text" ? stored : null;
  }
}

/** A table's rows as they are read: whole ones. */
export interface Reading {
  /** What a statement says that it gives. */
  select: string;
  columns: Record<string, Column<unknown>>;
}

export function readingOf(table: AnyTable): Reading {
  const fields = Object.entries(table.fields as Record<string, AnyField>);
  const select = fields.map(([name, field]) => {
    const expression = expressionOf(name, field);
    return expression === name ? name : `${expression} AS "${name}"`;
  });
  return {
    select: select.join(", "),
    columns: Object.fromEntries(fields.map(([name, field]) => [name, readerOf(field)])),
  };
}

type Rows = Query<RowOf<Record<string, Column<unknown>>>>;

/** What a table's statements are made of, and those prepared, by what tells them from each other. */
interface Texts {
  reading: Reading;
  /** The columns that tell rows from each other. */
  identity: string;
  /** Behind FROM: the row of a key, and those of several. */
  byKey: string;
  byKeys: string;
  queries: Map<string, Rows>;
  statements: Map<string, Statement>;
}

export class SqliteEngine implements Engine {
  readonly lastPlace = Number.MAX_SAFE_INTEGER;
  readonly #database: Database;
  readonly #natives: NativeSteps;
  readonly #tables = new Map<string, Texts>();

  constructor(database: Database, natives: NativeSteps) {
    this.#database = database;
    this.#natives = natives;
  }

  /** Comes by every column of every table, while a store is opened. */
  prepare(): void {
    for (const table of [...TABLES, ...SMALL_TABLES] as readonly unknown[] as readonly AnyTable[]) {
      const texts = this.#texts(table);
      const key = table.identity.includes("rowid") ? [keyOf(table)] : identityColumns(table);
      const isIt = key.map((column) => `${column} = ?`).join(" AND ");
      this.#rows(texts, `${table.table} WHERE ${isIt}`);
      this.#statement(texts, `DELETE FROM ${table.table} WHERE ${isIt}`);
    }
  }

  transaction<T>(intention: () => Steps<T>): Promise<T> {
    return this.#database.transaction(() => this.drive(intention()));
  }

  run<T>(intention: () => Steps<T>): Promise<T> {
    return this.#database.run(() => this.drive(intention()));
  }

  /** A transaction is flushed to the disk once. */
  series<T>(intention: () => Steps<T>): Promise<T> {
    return this.transaction(intention);
  }

  /** Drives an intention to its end, inside whatever transaction there is. */
  drive<T>(steps: Steps<T>): T {
    let next = steps.next();
    while (next.done !== true) next = steps.next(this.#step(next.value));
    return next.value;
  }

  #step(step: Step): unknown {
    switch (step.op) {
      case "get": {
        const texts = this.#texts(step.table);
        const [key = ""] = step.keys;
        if (step.keys.length === 1) return this.#rows(texts, texts.byKey).all([key]);
        return this.#rows(texts, texts.byKeys).all([JSON.stringify(step.keys)]);
      }
      case "list": {
        const { table, where, listing } = step;
        const text = new StepText(table);
        const said = `${from(table, listing.by)}${text.where(where, listing)}${text.order(listing)}`;
        return this.#rows(this.#texts(table), said).all(text.parameters);
      }
      case "take": {
        const { table, where, set, listing } = step;
        const text = new StepText(table);
        const texts = this.#texts(table);
        const changed = `UPDATE ${table.table} SET ${text.set(set)}`;
        const found = text.where(where);
        // Of one that is named there are no others to choose from.
        if (typeof where[table.key] === "string")
          return this.#changed(texts, changed + found).get(text.parameters);
        const first = `${from(table, listing.by)}${found}${text.order({ ...listing, limit: 1 })}`;
        const sql = `${changed} WHERE ${texts.identity} = (SELECT ${texts.identity} FROM ${first})`;
        return this.#changed(texts, sql).get(text.parameters);
      }
      case "takeOut": {
        const { table, where } = step;
        const text = new StepText(table);
        const sql = `DELETE FROM ${table.table}${text.where(where)}`;
        return this.#changed(this.#texts(table), sql).get(text.parameters);
      }
      case "write":
        for (const one of step.steps) this.#write(one);
        return undefined;
      case "call":
        return (this.#natives[step.name] as (...values: readonly unknown[]) => unknown)(...step.values);
      default:
        return this.#write(step);
    }
  }

  #write(step: WriteStep): number {
    const text = new StepText(step.table);
    const texts = this.#texts(step.table);
    const { table } = step.table;
    switch (step.op) {
      case "insert": {
        const { columns, values } = text.row(step.row);
        const sql = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${values})`;
        return once(() => this.#statement(texts, sql).run(text.parameters));
      }
      case "put": {
        const { columns, values } = text.row(step.row);
        const key = keyOf(step.table);
        const others = columns.filter((column) => column !== key);
        const set = others.map((column) => `${column} = excluded.${column}`).join(", ");
        const sql = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${values})
          ON CONFLICT (${key}) DO UPDATE SET ${set}`;
        return this.#statement(texts, sql).run(text.parameters);
      }
      case "update": {
        const sql = `UPDATE ${table} SET ${text.set(step.set)}${text.where(step.where)}`;
        return this.#statement(texts, sql).run(text.parameters);
      }
      case "remove": {
        const where = text.where(step.where);
        if (step.limit === undefined)
          return this.#statement(texts, `DELETE FROM ${table}${where}`).run(text.parameters);
        const { identity } = texts;
        const some = `SELECT ${identity} FROM ${table}${where} LIMIT ?`;
        const parameters = [...text.parameters, step.limit];
        return this.#statement(texts, `DELETE FROM ${table} WHERE (${identity}) IN (${some})`).run(
          parameters,
        );
      }
    }
  }

  #texts(table: AnyTable): Texts {
    const known = this.#tables.get(table.name);
    if (known !== undefined) return known;
    const texts: Texts = {
      reading: readingOf(table),
      identity: identityColumns(table).join(", "),
      byKey: `${table.table} WHERE ${keyOf(table)} = ?`,
      byKeys: `${table.table} WHERE ${keyOf(table)} IN (SELECT value FROM json_each(?))`,
      queries: new Map(),
      statements: new Map(),
    };
    this.#tables.set(table.name, texts);
    return texts;
  }

  /** The rows of what is said behind FROM. */
  #rows({ reading, queries }: Texts, said: string): Rows {
    return this.#query(queries, reading, said, () => `SELECT ${reading.select} FROM ${said}`);
  }

  /** The rows that a statement changes. */
  #changed({ reading, queries }: Texts, sql: string): Rows {
    return this.#query(queries, reading, sql, () => `${sql} RETURNING ${reading.select}`);
  }

  #query(queries: Map<string, Rows>, { columns }: Reading, said: string, sql: () => string): Rows {
    const known = queries.get(said);
    if (known !== undefined) return known;
    const prepared = this.#database.prepare(sql(), columns);
    queries.set(said, prepared);
    return prepared;
  }

  #statement({ statements }: Texts, sql: string): Statement {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const prepared = this.#database.prepare(sql);
    statements.set(sql, prepared);
    return prepared;
  }
}

/** Codes of a row that is there already (https://www.sqlite.org/rescode.html). */
const TAKEN: readonly unknown[] = [2067, 1555];

function once<T>(insert: () => T): T {
  try {
    return insert();
  } catch (error) {
    if (TAKEN.includes(extendedCode(error))) throw new AlreadyThere("it is there already", { cause: error });
    throw error;
  }
}

/** What indexes are called whose name isn't that of ../steps.ts with underscores. */
const INDEXES: Readonly<Record<string, string>> = {
  ofClient: "by_client",
  heldOfMailboxDue: "held_of_mailbox",
  heldOfProfileDue: "held_of_profile",
};

/** By which index, where SQLite would take another. */
const from = ({ table }: AnyTable, by: string | undefined) =>
  by === undefined ? table : `${table} INDEXED BY ${table}_${INDEXES[by] ?? underscored(by)}`;

function keyOf(table: AnyTable): string {
  const fields: Record<string, AnyField> = table.fields;
  const field = fields[table.key];
  if (field === undefined) throw new TypeError(`${table.name} has no key`);
  return expressionOf(table.key, field);
}
