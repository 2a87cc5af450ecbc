/**
 * What general steps (../steps.ts) are in SQL: said piece by piece, with the values of the parameters. Each
 * piece stands ready, and leads from what was said before to what is said then, where the prepared statement
 * is: so a step costs its statement and little besides. Parameters have no names: with names the driver takes
 * longer to find them than most statements take.
 */

import type { SQLInputValue } from "node:sqlite";
import { columnOf, type Field, identityOf, type Table } from "../fields.ts";
import { Add, type Listing } from "../steps.ts";
import type { Query, Statement } from "./database.ts";

type AnyRow = Record<string, unknown>;
export type AnyTable = Table<never>;
export type AnyField = Field<unknown>;

/** What was said so far, and what followed. */
export class Said<Row> {
  readonly text: string;
  /** Prepared, once a step came to its end here. */
  query: Query<Row> | undefined;
  statement: Statement | undefined;
  readonly #followed = new Map<string, Said<Row>>();

  constructor(text: string) {
    this.text = text;
  }

  followedBy(piece: string): Said<Row> {
    const known = this.#followed.get(piece);
    if (known !== undefined) return known;
    const made = new Said<Row>(this.text + piece);
    this.#followed.set(piece, made);
    return made;
  }
}

const OPERATORS = { lt: " < ", lte: " <= ", gt: " > ", gte: " >= " } as const;

/** What statements say of one field. */
interface Piece {
  field: AnyField;
  /** What it is written as; undefined where SQLite computes it. */
  column: string | undefined;
  /** What it is read as, and what a statement calls that. */
  expression: string;
  selected: string;
  descending: string;
  /** What is added to, where it may be null. */
  sum: string;
  excluded: string;
  /** Each of its values, where they stand as they are. */
  values: ReadonlyMap<unknown, string>;
  /** What is said where the column is there on which it rests, and where it isn't. */
  presence: { value: string; isThere: string; isMissing: string } | undefined;
}

/** What reads a field: its column, or what computes it. */
const expressionOf = (name: string, field: AnyField): string =>
  typeof field.computed === "string" ? field.computed : columnOf(name, field);

function pieceOf(name: string, field: AnyField): Piece {
  const expression = expressionOf(name, field);
  const column = columnOf(name, field);
  const [, other, value] = /^iif\((\w+) IS NULL, '(\w+)', '\w+'\)$/.exec(expression) ?? [];
  const isThere = { isThere: `${other} IS NOT NULL`, isMissing: `${other} IS NULL` };
  const flags = [true, false].map((flag) => [flag, flag ? "1" : "0"] as const);
  const values = (field.values ?? []).map((one) => [one, `'${one}'`] as const);
  return {
    field,
    column: field.computed === undefined ? column : undefined,
    expression,
    selected: expression === name ? name : `${expression} AS "${name}"`,
    descending: `${expression} DESC`,
    sum: field.isNullable ? `ifnull(${column}, 0)` : column,
    excluded: `${column} = excluded.${column}`,
    values: new Map<unknown, string>(field.kind === "flag" ? flags : values),
    presence: value === undefined ? undefined : { value, ...isThere },
  };
}

/** What statements say of one table. */
interface Pieces {
  fields: ReadonlyMap<string, Piece>;
  /** The columns that tell rows from each other. */
  identity: string;
  key: string;
  select: string;
}

const known = new Map<AnyTable, Pieces>();

export function piecesOf(table: AnyTable): Pieces {
  const made = known.get(table);
  if (made !== undefined) return made;
  const entries = Object.entries(table.fields as Record<string, AnyField>);
  const fields = new Map(entries.map(([name, field]) => [name, pieceOf(name, field)]));
  const select = [...fields.values()].map(({ selected }) => selected);
  const key = fields.get(table.key)?.expression;
  if (key === undefined) throw new TypeError(`${table.name} has no key`);
  const pieces = { fields, identity: identityOf(table).join(", "), key, select: select.join(", ") };
  known.set(table, pieces);
  return pieces;
}

function toSql({ kind }: AnyField, value: unknown): SQLInputValue {
  if (value === null) return null;
  if (kind === "json") return JSON.stringify(value);
  if (kind === "flag") return value === true ? 1 : 0;
  if (typeof value === "string" || typeof value === "number") return value;
  throw new TypeError("a value of no field's kind is to be stored");
}

const isIn = (condition: unknown) =>
  typeof condition === "object" && condition !== null && "in" in condition && condition.in !== undefined;

/** A statement in the making: what is said, and the values of its parameters in their order. */
export class StepText<Row> {
  readonly parameters: SQLInputValue[] = [];
  readonly #table: AnyTable;
  readonly #pieces: Pieces;
  #said: Said<Row>;

  constructor(table: AnyTable, nothing: Said<Row>) {
    this.#table = table;
    this.#pieces = piecesOf(table);
    this.#said = nothing;
  }

  get said(): Said<Row> {
    return this.#said;
  }

  say(piece: string): this {
    this.#said = this.#said.followedBy(piece);
    return this;
  }

  /** What is given of each row: these fields, or all. */
  select(fields?: readonly string[]): this {
    if (fields === undefined) this.say(this.#pieces.select);
    else this.#list(fields, ({ selected }) => this.say(selected));
    return this;
  }

  #piece(name: string): Piece {
    const piece = this.#pieces.fields.get(name);
    if (piece === undefined) throw new TypeError(`${this.#table.name} has no field ${name}`);
    return piece;
  }

  parameter(value: SQLInputValue): this {
    this.parameters.push(value);
    return this.say("?");
  }

  /** A parameter, or the value itself where there are few: partial indexes are found by those alone. */
  #value({ field, values }: Piece, value: unknown): void {
    const itself = values.get(value);
    if (itself === undefined) this.parameter(toSql(field, value));
    else this.say(itself);
  }

  where(conditions: Readonly<AnyRow>, { order = [], behind, isDescending }: Listing<AnyRow> = {}): this {
    // What is found by its keys is looked at by nothing else: a sign before a column keeps its indexes out.
    const isByKeys = isIn(conditions[this.#table.key]);
    let conjunction = " WHERE ";
    for (const name of Object.keys(conditions)) {
      const condition = conditions[name];
      if (condition === undefined) continue;
      const piece = this.#piece(name);
      const isSigned = isByKeys && name !== this.#table.key;
      const isPlain = condition === null || typeof condition !== "object";
      for (const operator of isPlain ? PLAIN : Object.keys(condition)) {
        const value = isPlain ? condition : (condition as AnyRow)[operator];
        if (value === undefined) continue;
        this.say(conjunction);
        if (isSigned) this.say("+");
        if (isPlain) this.#equals(piece, value);
        else this.#compared(piece, operator, value);
        conjunction = " AND ";
      }
    }
    if (behind === undefined) return this;
    this.say(conjunction).say("(");
    this.#list(order, ({ expression }) => this.say(expression));
    this.say(isDescending ? ") < (" : ") > (");
    this.#list(order, (piece, index) => this.#value(piece, behind[index]));
    return this.say(")");
  }

  #list(names: readonly string[], each: (piece: Piece, index: number) => unknown): void {
    for (const [index, name] of names.entries()) {
      if (index > 0) this.say(", ");
      each(this.#piece(name), index);
    }
  }

  #equals(piece: Piece, value: unknown): void {
    const { expression, presence } = piece;
    if (value === null) this.say(expression).say(" IS NULL");
    // What is computed of another column being there is asked of that, by which its index is found.
    else if (presence !== undefined)
      this.say(value === presence.value ? presence.isMissing : presence.isThere);
    else this.say(expression).say(" = ").#value(piece, value);
  }

  #compared(piece: Piece, operator: string, value: unknown): void {
    const { field, expression } = piece;
    if (operator === "not") this.say(expression).say(" IS NOT NULL");
    else if (operator !== "in") {
      this.say(expression).say(OPERATORS[operator as keyof typeof OPERATORS]);
      this.#value(piece, value);
    } else if (!Array.isArray(value)) throw new TypeError(`${expression} must be in a list`);
    else if (field.values === undefined) this.#isAmong(expression, value);
    else {
      this.say(expression).say(" IN (");
      for (const [index, one] of value.entries()) {
        if (index > 0) this.say(", ");
        this.#value(piece, one);
      }
      this.say(")");
    }
  }

  #isAmong(expression: string, values: readonly unknown[]): void {
    const given = values.filter((one) => one !== null);
    const hasNull = given.length < values.length;
    const [only] = given;
    if (hasNull) this.say("(").say(expression).say(" IS NULL OR ");
    this.say(expression);
    if (given.length === 1 && typeof only === "string") this.say(" = ").parameter(only);
    else this.say(" IN (SELECT value FROM json_each(").parameter(JSON.stringify(given)).say("))");
    if (hasNull) this.say(")");
  }

  order({ order = [], isDescending, limit, skip }: Listing<AnyRow>): this {
    if (order.length > 0) this.say(" ORDER BY ");
    this.#list(order, ({ expression, descending }) => this.say(isDescending ? descending : expression));
    if (limit !== undefined) this.limit(limit);
    if (limit !== undefined && skip !== undefined) this.say(" OFFSET ").parameter(skip);
    return this;
  }

  /**
   * No mere parameter: SQLite plans by it, so that whoever binds one has the statement prepared again
   * (https://www.sqlite.org/c3ref/prepare.html), which takes longer than most take.
   */
  limit(most: number): this {
    return most === 1 ? this.say(" LIMIT 1") : this.say(" LIMIT ").parameter(most).say(" + 0");
  }

  set(values: Readonly<AnyRow>): this {
    let separator = " SET ";
    for (const name of Object.keys(values)) {
      const value = values[name];
      const piece = this.#piece(name);
      if (value === undefined || piece.column === undefined) continue;
      this.say(separator).say(piece.column).say(" = ");
      if (value instanceof Add) this.say(piece.sum).say(" + ").parameter(value.amount);
      else this.#value(piece, value);
      separator = ", ";
    }
    return this;
  }

  /** The columns of a row that is written, and what they are written as. */
  row(values: Readonly<AnyRow>): this {
    let separator = " (";
    for (const name of Object.keys(values)) {
      const value = values[name];
      const { field, column } = this.#piece(name);
      if (value === undefined || column === undefined) continue;
      this.say(separator).say(column);
      this.parameters.push(toSql(field, value));
      separator = ", ";
    }
    this.say(") VALUES (?");
    for (let count = 1; count < this.parameters.length; count += 1) this.say(", ?");
    return this.say(")");
  }

  /** What becomes of the row that is there. */
  replacing(values: Readonly<AnyRow>): this {
    this.say(" ON CONFLICT (").say(this.#pieces.key).say(") DO UPDATE");
    let separator = " SET ";
    for (const name of Object.keys(values)) {
      const { column, excluded } = this.#piece(name);
      if (values[name] === undefined || column === undefined || name === this.#table.key) continue;
      this.say(separator).say(excluded);
      separator = ", ";
    }
    return this;
  }
}

/** A condition that is a value is that it equals it. */
const PLAIN = ["is"] as const;
