/**
 * What drives intentions (../steps.ts) in SQLite: each general step is one statement, made of a table's
 * fields and prepared when it is first asked for. A whole intention runs without a turn of the event loop,
 * so that nothing else of this process comes between its statements.
 */

import type { SQLInputValue } from "node:sqlite";
import { type Column, integer, nullable, type RowOf, text } from "../../sql-columns.ts";
import { columnOf, type Field, identityOf as identityColumns, type Table, underscored } from "../fields.ts";
import type { NativeSteps } from "../native-steps.ts";
import { hasShape } from "../shapes.ts";
import {
  Add,
  AlreadyThere,
  type Engine,
  type Listing,
  type Step,
  type Steps,
  type WriteStep,
} from "../steps.ts";
import { SMALL_TABLES, TABLES } from "../tables.ts";
import type { Database, Parameters, Query, Statement } from "./database.ts";
import { extendedCode } from "./failures.ts";

type AnyRow = Record<string, unknown>;
type AnyTable = Table<never>;
type AnyField = Field<unknown>;

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

function toSql({ kind }: AnyField, value: unknown): SQLInputValue {
  if (value === null) return null;
  if (kind === "json") return JSON.stringify(value);
  if (kind === "flag") return value === true ? 1 : 0;
  if (typeof value === "string" || typeof value === "number") return value;
  throw new TypeError("a value of no field's kind is to be stored");
}

/** What reads a field: its column, or what computes it. */
const expressionOf = (name: string, field: AnyField): string =>
  typeof field.computed === "string" ? field.computed : columnOf(name, field);

const isAmong = (condition: unknown) =>
  typeof condition === "object" && condition !== null && "in" in condition && condition.in !== undefined;

const OPERATORS = { lt: "<", lte: "<=", gt: ">", gte: ">=" } as const;

/** A statement in the making: its text, and the values of its parameters. */
class Draft {
  readonly parameters: Parameters = {};
  readonly #table: AnyTable;

  constructor(table: AnyTable) {
    this.#table = table;
  }

  field(name: string): AnyField {
    const field = (this.#table.fields as Record<string, AnyField>)[name];
    if (field === undefined) throw new TypeError(`${this.#table.name} has no field ${name}`);
    return field;
  }

  column(name: string): string {
    return expressionOf(name, this.field(name));
  }

  /** A parameter, or the value itself where there are few: partial indexes are found by those alone. */
  value(field: AnyField, value: unknown, parameter: string): string {
    if (field.kind === "flag") return value === true ? "1" : "0";
    if (field.values !== undefined && typeof value === "string" && field.values.includes(value))
      return `'${value}'`;
    this.parameters[parameter] = toSql(field, value);
    return `:${parameter}`;
  }

  where(conditions: Readonly<AnyRow>, listing: Listing<AnyRow> = {}): string {
    // What is found by its keys is looked at by nothing else: a sign before a column keeps its indexes out.
    const isByKeys = isAmong(conditions[this.#table.key]);
    const all = Object.entries(conditions).flatMap(([name, condition]) => {
      const found = condition === undefined ? [] : this.#conditions(name, condition);
      return isByKeys && name !== this.#table.key ? found.map((one) => `+${one}`) : found;
    });
    const { order = [], behind, isDescending } = listing;
    if (behind !== undefined) {
      const places = order.map((name, index) =>
        this.value(this.field(name), behind[index], `behind${index}`),
      );
      const columns = order.map((name) => this.column(name));
      all.push(`(${columns.join(", ")}) ${isDescending ? "<" : ">"} (${places.join(", ")})`);
    }
    return all.length === 0 ? "" : ` WHERE ${all.join(" AND ")}`;
  }

  #conditions(name: string, condition: unknown): string[] {
    const field = this.field(name);
    const column = this.column(name);
    if (condition === null) return [`${column} IS NULL`];
    if (typeof condition !== "object") return [this.#equals(name, field, condition)];
    return Object.entries(condition).flatMap(([operator, value]) => {
      if (value === undefined) return [];
      if (operator === "not") return [`${column} IS NOT NULL`];
      if (operator === "in") {
        if (!Array.isArray(value)) throw new TypeError(`${name} must be in a list`);
        if (field.values !== undefined)
          return [`${column} IN (${value.map((one) => this.value(field, one, "")).join(", ")})`];
        this.parameters[`${name}_in`] = JSON.stringify(value.filter((one) => one !== null));
        const isIn = `${column} IN (SELECT value FROM json_each(:${name}_in))`;
        return [value.includes(null) ? `(${column} IS NULL OR ${isIn})` : isIn];
      }
      const sign = OPERATORS[operator as keyof typeof OPERATORS];
      return [`${column} ${sign} ${this.value(field, value, `${name}_${operator}`)}`];
    });
  }

  #equals(name: string, field: AnyField, value: unknown): string {
    // What is computed of another column being there is asked of that, by which its index is found.
    const computed =
      typeof field.computed === "string" && /^iif\((\w+) IS NULL, '(\w+)', '(\w+)'\)$/.exec(field.computed);
    if (computed) return `${computed[1]} IS ${value === computed[2] ? "" : "NOT "}NULL`;
    return `${this.column(name)} = ${this.value(field, value, name)}`;
  }

  order({ order = [], isDescending, limit, skip }: Listing<AnyRow>): string {
    const columns = order.map((name) => `${this.column(name)}${isDescending ? " DESC" : ""}`);
    if (limit !== undefined) this.parameters["limit"] = limit;
    if (skip !== undefined) this.parameters["skip"] = skip;
    const most = limit === undefined ? "" : ` LIMIT :limit${skip === undefined ? "" : " OFFSET :skip"}`;
    return `${columns.length === 0 ? "" : ` ORDER BY ${columns.join(", ")}`}${most}`;
  }

  set(values: Readonly<AnyRow>): string {
    const all = Object.entries(values).flatMap(([name, value]) => {
      const field = this.field(name);
      if (value === undefined || field.computed !== undefined) return [];
      const column = columnOf(name, field);
      if (value instanceof Add) {
        this.parameters[`set_${name}`] = value.amount;
        return [`${column} = ${field.isNullable ? `ifnull(${column}, 0)` : column} + :set_${name}`];
      }
      return [`${column} = ${this.value(field, value, `set_${name}`)}`];
    });
    return all.join(", ");
  }

  /** The columns that are written, with their values. */
  row(values: Readonly<AnyRow>): { columns: string[]; values: string[] } {
    const written = Object.entries(values).filter(
      ([name, value]) => this.field(name).computed === undefined && value !== undefined,
    );
    return {
      columns: written.map(([name]) => columnOf(name, this.field(name))),
      values: written.map(([name, value]) => {
        this.parameters[name] = toSql(this.field(name), value);
        return `:${name}`;
      }),
    };
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

export class SqliteEngine implements Engine {
  readonly lastPlace = Number.MAX_SAFE_INTEGER;
  readonly #database: Database;
  readonly #natives: NativeSteps;
  readonly #readings = new Map<string, Reading>();
  readonly #queries = new Map<string, Rows>();
  readonly #statements = new Map<string, Statement>();

  constructor(database: Database, natives: NativeSteps) {
    this.#database = database;
    this.#natives = natives;
  }

  /** Comes by every column of every table, while a store is opened. */
  prepare(): void {
    for (const table of [...TABLES, ...SMALL_TABLES] as readonly unknown[] as readonly AnyTable[]) {
      const key = table.identity.includes("rowid") ? [this.#keyOf(table)] : identityColumns(table);
      const isIt = key.map((column) => `${column} = :key`).join(" AND ");
      this.#rows(table, `${this.#selected(table)} WHERE ${isIt}`);
      this.#statement(`DELETE FROM ${table.table} WHERE ${isIt}`);
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
        const { table, keys } = step;
        const sql = `${this.#selected(table)} WHERE ${this.#keyOf(table)}`;
        const [only = ""] = keys;
        if (keys.length === 1) return this.#rows(table, `${sql} = :key`).all({ key: only });
        const parameters = { keys: JSON.stringify(keys) };
        return this.#rows(table, `${sql} IN (SELECT value FROM json_each(:keys))`).all(parameters);
      }
      case "list": {
        const draft = new Draft(step.table);
        const sql = `${this.#selected(step.table, step.listing.by)}${draft.where(step.where, step.listing)}`;
        return this.#rows(step.table, sql + draft.order(step.listing)).all(draft.parameters);
      }
      case "take": {
        const { table, where, set, listing } = step;
        const draft = new Draft(table);
        const found = draft.where(where);
        const first = `SELECT ${identityOf(table)} FROM ${from(table, listing.by)}${found}`;
        // Of one that is named there are no others to choose from.
        const its =
          typeof where[table.key] === "string"
            ? found
            : ` WHERE ${identityOf(table)} = (${first}${draft.order({ ...listing, limit: 1 })})`;
        const sql = `UPDATE ${table.table} SET ${draft.set(set)}${its}`;
        return this.#rows(table, `${sql} RETURNING ${this.#reading(table).select}`).get(draft.parameters);
      }
      case "takeOut": {
        const { table, where } = step;
        const draft = new Draft(table);
        const sql = `DELETE FROM ${table.table}${draft.where(where)} RETURNING ${this.#reading(table).select}`;
        return this.#rows(table, sql).get(draft.parameters);
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
    const draft = new Draft(step.table);
    const { table } = step.table;
    switch (step.op) {
      case "insert": {
        const { columns, values } = draft.row(step.row);
        const sql = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${values.join(", ")})`;
        return once(() => this.#statement(sql).run(draft.parameters));
      }
      case "put": {
        const { columns, values } = draft.row(step.row);
        const key = this.#keyOf(step.table);
        const others = columns.filter((column) => column !== key);
        const set = others.map((column) => `${column} = excluded.${column}`).join(", ");
        const sql = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${values.join(", ")})
          ON CONFLICT (${key}) DO UPDATE SET ${set}`;
        return this.#statement(sql).run(draft.parameters);
      }
      case "update": {
        const set = draft.set(step.set);
        return this.#statement(`UPDATE ${table} SET ${set}${draft.where(step.where)}`).run(draft.parameters);
      }
      case "remove": {
        const where = draft.where(step.where);
        if (step.limit === undefined)
          return this.#statement(`DELETE FROM ${table}${where}`).run(draft.parameters);
        const identity = identityOf(step.table);
        const some = `SELECT ${identity} FROM ${table}${where} LIMIT :limit`;
        const parameters = { ...draft.parameters, limit: step.limit };
        return this.#statement(`DELETE FROM ${table} WHERE (${identity}) IN (${some})`).run(parameters);
      }
    }
  }

  #reading(table: AnyTable): Reading {
    const known = this.#readings.get(table.name);
    if (known !== undefined) return known;
    const reading = readingOf(table);
    this.#readings.set(table.name, reading);
    return reading;
  }

  #keyOf(table: AnyTable): string {
    const fields: Record<string, AnyField> = table.fields;
    const field = fields[table.key];
    if (field === undefined) throw new TypeError(`${table.name} has no key`);
    return expressionOf(table.key, field);
  }

  #selected(table: AnyTable, by?: string): string {
    return `SELECT ${this.#reading(table).select} FROM ${from(table, by)}`;
  }

  #rows(table: AnyTable, sql: string): Rows {
    const known = this.#queries.get(sql);
    if (known !== undefined) return known;
    const prepared = this.#database.prepare(sql, this.#reading(table).columns);
    this.#queries.set(sql, prepared);
    return prepared;
  }

  #statement(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const prepared = this.#database.prepare(sql);
    this.#statements.set(sql, prepared);
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

const identityOf = (table: AnyTable) => identityColumns(table).join(", ");
