/**
 * What drives intentions (../steps.ts) in SQLite: each general step is one statement, made of a table's
 * fields and prepared when it is first asked for. A whole intention runs without a turn of the event loop,
 * so that nothing else of this process comes between its statements.
 */

import { type Column, integer, nullable, type RowOf, text } from "../../sql-columns.ts";
import { type Field, identityOf, underscored } from "../fields.ts";
import type { NativeSteps } from "../native-steps.ts";
import { hasShape } from "../shapes.ts";
import { AlreadyThere, type Engine, type Step, type Steps, type WriteStep } from "../steps.ts";
import { SMALL_TABLES, TABLES } from "../tables.ts";
import type { Database, Query, Statement } from "./database.ts";
import { extendedCode } from "./failures.ts";
import { type AnyField, type AnyTable, piecesOf, Said, StepText } from "./step-text.ts";

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
  const columns = Object.fromEntries(fields.map(([name, field]) => [name, readerOf(field)]));
  return { select: piecesOf(table).select, columns };
}

type Row = RowOf<Record<string, Column<unknown>>>;

export class SqliteEngine implements Engine {
  readonly lastPlace = Number.MAX_SAFE_INTEGER;
  readonly #database: Database;
  readonly #natives: NativeSteps;
  readonly #readings = new Map<AnyTable, Reading>();
  readonly #nothing = new Said<Row>("");

  constructor(database: Database, natives: NativeSteps) {
    this.#database = database;
    this.#natives = natives;
  }

  /** Comes by every column of every table, while a store is opened. */
  prepare(): void {
    for (const table of [...TABLES, ...SMALL_TABLES] as readonly unknown[] as readonly AnyTable[]) {
      const key = table.identity.includes("rowid") ? [piecesOf(table).key] : identityOf(table);
      const isIt = key.map((column) => `${column} = ?`).join(" AND ");
      this.#query(this.#selecting(table).say(` WHERE ${isIt}`), table);
      this.#statement(this.#begin(table, "DELETE FROM ").say(` WHERE ${isIt}`));
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
        const text = this.#selecting(table).say(" WHERE ").say(piecesOf(table).key);
        const [key = ""] = keys;
        if (keys.length === 1) text.say(" = ").parameter(key);
        else text.say(" IN (SELECT value FROM json_each(").parameter(JSON.stringify(keys)).say("))");
        return this.#query(text, table).all(text.parameters);
      }
      case "list": {
        const { table, fields, where, listing } = step;
        const text = this.#selecting(table, listing.by, fields).where(where, listing).order(listing);
        return this.#query(text, table, fields).all(text.parameters);
      }
      case "take": {
        const { table, where, set, listing } = step;
        const { identity } = piecesOf(table);
        const text = this.#begin(table, "UPDATE ").set(set);
        // Of one that is named there are no others to choose from.
        if (typeof where[table.key] === "string") text.where(where);
        else {
          text.say(" WHERE ").say(identity).say(" = (SELECT ").say(identity).say(" FROM ");
          text
            .say(from(table, listing.by))
            .where(where)
            .order({ ...listing, limit: 1 })
            .say(")");
        }
        return this.#changed(text, table).get(text.parameters);
      }
      case "takeOut": {
        const text = this.#begin(step.table, "DELETE FROM ").where(step.where);
        return this.#changed(text, step.table).get(text.parameters);
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
    const { table } = step;
    switch (step.op) {
      case "insert": {
        const text = this.#begin(table, "INSERT INTO ").row(step.row);
        return once(() => this.#statement(text).run(text.parameters));
      }
      case "put": {
        const text = this.#begin(table, "INSERT INTO ").row(step.row).replacing(step.row);
        return this.#statement(text).run(text.parameters);
      }
      case "update": {
        const text = this.#begin(table, "UPDATE ").set(step.set).where(step.where);
        return this.#statement(text).run(text.parameters);
      }
      case "remove": {
        const text = this.#begin(table, "DELETE FROM ");
        if (step.limit === undefined) text.where(step.where);
        else {
          const { identity } = piecesOf(table);
          text
            .say(" WHERE (")
            .say(identity)
            .say(") IN (SELECT ")
            .say(identity)
            .say(" FROM ")
            .say(table.table);
          text.where(step.where).limit(step.limit).say(")");
        }
        return this.#statement(text).run(text.parameters);
      }
    }
  }

  #begin(table: AnyTable, verb: string): StepText<Row> {
    return new StepText(table, this.#nothing).say(verb).say(table.table);
  }

  #selecting(table: AnyTable, by?: string, fields?: readonly string[]): StepText<Row> {
    const text = new StepText(table, this.#nothing).say("SELECT ").select(fields);
    return text.say(" FROM ").say(from(table, by));
  }

  /** The rows that a statement changes. */
  #changed(text: StepText<Row>, table: AnyTable): Query<Row> {
    return this.#query(text.say(" RETURNING ").select(), table);
  }

  #query({ said }: StepText<Row>, table: AnyTable, fields?: readonly string[]): Query<Row> {
    if (said.query !== undefined) return said.query;
    const { columns } = this.#reading(table);
    const given = Object.entries(columns).filter(([name]) => fields === undefined || fields.includes(name));
    said.query = this.#database.prepare(said.text, Object.fromEntries(given));
    return said.query;
  }

  #statement({ said }: StepText<Row>): Statement {
    said.statement ??= this.#database.prepare(said.text);
    return said.statement;
  }

  #reading(table: AnyTable): Reading {
    const known = this.#readings.get(table);
    if (known !== undefined) return known;
    const reading = readingOf(table);
    this.#readings.set(table, reading);
    return reading;
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
