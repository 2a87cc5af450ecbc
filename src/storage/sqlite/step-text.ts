/**
 * What general steps (../steps.ts) are in SQL: the text of their parts, with the values of its parameters. A
 * text is put together anew for each step, of what each field has ready, and its parameters have no names:
 * with names SQLite's driver takes longer to find them than most statements take.
 */

import type { SQLInputValue } from "node:sqlite";
import { columnOf, type Field, type Table } from "../fields.ts";
import { Add, type Listing } from "../steps.ts";

type AnyRow = Record<string, unknown>;
export type AnyTable = Table<never>;
export type AnyField = Field<unknown>;

const OPERATORS = { lt: "<", lte: "<=", gt: ">", gte: ">=" } as const;
type Operator = keyof typeof OPERATORS | "is";

/** What statements say of one field. */
interface Piece {
  field: AnyField;
  name: string;
  /** What it is written as; undefined where SQLite computes it. */
  column: string | undefined;
  /** What it is read as. */
  expression: string;
  /** What stands before a value. */
  conditions: Record<Operator, string>;
  set: string;
  /** The column on whose being there it rests, and what it is where that isn't. */
  absence: { column: string; value: string } | undefined;
}

/** What reads a field: its column, or what computes it. */
export const expressionOf = (name: string, field: AnyField): string =>
  typeof field.computed === "string" ? field.computed : columnOf(name, field);

function pieceOf(name: string, field: AnyField): Piece {
  const expression = expressionOf(name, field);
  const condition = (operator: keyof typeof OPERATORS) => `${expression} ${OPERATORS[operator]} `;
  const { lt, lte } = { lt: condition("lt"), lte: condition("lte") };
  const { gt, gte } = { gt: condition("gt"), gte: condition("gte") };
  const [, column, value] = /^iif\((\w+) IS NULL, '(\w+)', '\w+'\)$/.exec(expression) ?? [];
  return {
    field,
    name,
    column: field.computed === undefined ? columnOf(name, field) : undefined,
    expression,
    conditions: { lt, lte, gt, gte, is: `${expression} = ` },
    set: `${columnOf(name, field)} = `,
    absence: column === undefined || value === undefined ? undefined : { column, value },
  };
}

const known = new Map<AnyTable, ReadonlyMap<string, Piece>>();

function piecesOf(table: AnyTable): ReadonlyMap<string, Piece> {
  const made = known.get(table);
  if (made !== undefined) return made;
  const fields = Object.entries(table.fields as Record<string, AnyField>);
  const pieces = new Map(fields.map(([name, field]) => [name, pieceOf(name, field)]));
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

/** A statement in the making: what its parts say, and the values of its parameters. */
export class StepText {
  /** In the order in which the text asks for them. */
  readonly parameters: SQLInputValue[] = [];
  readonly #table: AnyTable;
  readonly #pieces: ReadonlyMap<string, Piece>;

  constructor(table: AnyTable) {
    this.#table = table;
    this.#pieces = piecesOf(table);
  }

  #piece(name: string): Piece {
    const piece = this.#pieces.get(name);
    if (piece === undefined) throw new TypeError(`${this.#table.name} has no field ${name}`);
    return piece;
  }

  /** A parameter, or the value itself where there are few: partial indexes are found by those alone. */
  #value(field: AnyField, value: unknown): string {
    if (field.kind === "flag") return value === true ? "1" : "0";
    if (field.values !== undefined && typeof value === "string" && field.values.includes(value))
      return `'${value}'`;
    this.parameters.push(toSql(field, value));
    return "?";
  }

  where(conditions: Readonly<AnyRow>, { order = [], behind, isDescending }: Listing<AnyRow> = {}): string {
    // What is found by its keys is looked at by nothing else: a sign before a column keeps its indexes out.
    const sign = isIn(conditions[this.#table.key]) ? "+" : "";
    let all = "";
    const say = (one: string) => {
      all += `${all === "" ? " WHERE " : " AND "}${one}`;
    };
    for (const name of Object.keys(conditions)) {
      const condition = conditions[name];
      if (condition === undefined) continue;
      const piece = this.#piece(name);
      const before = name === this.#table.key ? "" : sign;
      if (condition === null || typeof condition !== "object") say(before + this.#equals(piece, condition));
      else {
        for (const operator of Object.keys(condition)) {
          const value = (condition as AnyRow)[operator];
          if (value !== undefined) say(before + this.#compared(piece, operator, value));
        }
      }
    }
    if (behind !== undefined) {
      const pieces = order.map((name) => this.#piece(name));
      const places = pieces.map(({ field }, index) => this.#value(field, behind[index]));
      const columns = pieces.map(({ expression }) => expression).join(", ");
      say(`(${columns}) ${isDescending ? "<" : ">"} (${places.join(", ")})`);
    }
    return all;
  }

  #equals({ field, expression, absence, conditions }: Piece, value: unknown): string {
    if (value === null) return `${expression} IS NULL`;
    // What is computed of another column being there is asked of that, by which its index is found.
    if (absence !== undefined) return `${absence.column} IS ${value === absence.value ? "" : "NOT "}NULL`;
    return conditions.is + this.#value(field, value);
  }

  #compared({ field, name, expression, conditions }: Piece, operator: string, value: unknown): string {
    if (operator === "not") return `${expression} IS NOT NULL`;
    if (operator !== "in") return conditions[operator as Operator] + this.#value(field, value);
    if (!Array.isArray(value)) throw new TypeError(`${name} must be in a list`);
    if (field.values !== undefined)
      return `${expression} IN (${value.map((one) => this.#value(field, one)).join(", ")})`;
    return this.#isIn(expression, value);
  }

  #isIn(expression: string, values: readonly unknown[]): string {
    const given = values.filter((one) => one !== null);
    const [only] = given;
    const isOne = given.length === 1 && typeof only === "string";
    this.parameters.push(isOne ? only : JSON.stringify(given));
    const found = `${expression} ${isOne ? "= ?" : "IN (SELECT value FROM json_each(?))"}`;
    return given.length === values.length ? found : `(${expression} IS NULL OR ${found})`;
  }

  order({ order = [], isDescending, limit, skip }: Listing<AnyRow>): string {
    let all = "";
    for (const name of order) {
      const { expression } = this.#piece(name);
      all += `${all === "" ? " ORDER BY " : ", "}${expression}${isDescending ? " DESC" : ""}`;
    }
    if (limit === undefined) return all;
    this.parameters.push(limit);
    if (skip === undefined) return `${all} LIMIT ?`;
    this.parameters.push(skip);
    return `${all} LIMIT ? OFFSET ?`;
  }

  set(values: Readonly<AnyRow>): string {
    let all = "";
    for (const name of Object.keys(values)) {
      const value = values[name];
      const { field, column, set } = this.#piece(name);
      if (value === undefined || column === undefined) continue;
      if (all !== "") all += ", ";
      all += set;
      if (value instanceof Add) {
        this.parameters.push(value.amount);
        all += `${field.isNullable ? `ifnull(${column}, 0)` : column} + ?`;
      } else all += this.#value(field, value);
    }
    return all;
  }

  /** The columns of a row that is written, and what they are written as. */
  row(values: Readonly<AnyRow>): { columns: string[]; values: string } {
    const columns: string[] = [];
    let all = "";
    for (const name of Object.keys(values)) {
      const value = values[name];
      const { field, column } = this.#piece(name);
      if (value === undefined || column === undefined) continue;
      columns.push(column);
      this.parameters.push(toSql(field, value));
      all += all === "" ? "?" : ", ?";
    }
    return { columns, values: all };
  }
}
