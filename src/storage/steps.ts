/**
 * Steps: what an intention asks of a back end, one at a time. An intention is a generator that yields them
 * and is given what each came to; a back end drives it from the first to the last, without a turn of the
 * event loop in between where its transactions need that (SQLite), or awaiting each (MongoDB). So what
 * several steps are to come to is written once.
 *
 * In a transaction all that an intention reads is of one instant, and all that it writes comes true at once
 * or not at all. It may be driven again from its beginning when a racer got in its way, so it does nothing
 * but yield. What it throws undoes what it wrote.
 */

import type { Place, Table } from "./fields.ts";
import type { NativeSteps } from "./native-steps.ts";

/**
 * What a field must be; `not: null` is anything. What is null is neither less nor greater than something, and
 * `in` a list that holds null.
 */
export type Condition<T> =
  | T
  | {
      readonly lt?: NonNullable<T>;
      readonly lte?: NonNullable<T>;
      readonly gt?: NonNullable<T>;
      readonly gte?: NonNullable<T>;
      readonly not?: null;
      readonly in?: readonly T[];
    };
export type Where<Row> = { readonly [Name in keyof Row]?: Condition<Row[Name]> };

/** What was to be inserted is there already, or something that no two may have. */
export class AlreadyThere extends Error {}

/** So much more than it is; what is null counts as nothing. */
export class Add {
  readonly amount: number;
  constructor(amount: number) {
    this.amount = amount;
  }
}
export const add = (amount: number): Add => new Add(amount);

type Value<T> = T | (NonNullable<T> extends number ? Add : never);
/** What fields become. */
export type Values<Row> = { readonly [Name in keyof Row]?: Value<Row[Name]> };
/** A whole record, as it is written: its place is the back end's to give. */
export type New<Row> = { readonly [Name in keyof Row as Place extends Row[Name] ? never : Name]: Row[Name] };

/** In which order, and how many. */
export interface Listing<Row> {
  /** Fields that no two rows have alike, taken together. */
  readonly order?: readonly (keyof Row & string)[];
  readonly isDescending?: true;
  /** Those that stand behind one with these values of the order's fields. */
  readonly behind?: readonly Place[];
  readonly limit?: number;
  /** How many of the first are passed over. */
  readonly skip?: number;
  /** The index that it is read by, where a back end wouldn't choose it by itself. */
  readonly by?: string;
}

type AnyTable = Table<never>;
type AnyRow = Readonly<Record<string, unknown>>;

export type WriteStep =
  | { readonly op: "insert"; readonly table: AnyTable; readonly row: AnyRow }
  | { readonly op: "put"; readonly table: AnyTable; readonly row: AnyRow }
  | { readonly op: "update"; readonly table: AnyTable; readonly where: AnyRow; readonly set: AnyRow }
  | { readonly op: "remove"; readonly table: AnyTable; readonly where: AnyRow; readonly limit?: number };
export type Step =
  | WriteStep
  | { readonly op: "get"; readonly table: AnyTable; readonly keys: readonly Place[] }
  | {
      readonly op: "list";
      /** Those that are asked for; all where it isn't said. */
      readonly fields?: readonly string[];
      readonly table: AnyTable;
      readonly where: AnyRow;
      readonly listing: Listing<AnyRow>;
    }
  | {
      readonly op: "take";
      readonly table: AnyTable;
      readonly where: AnyRow;
      readonly set: AnyRow;
      readonly listing: Listing<AnyRow>;
    }
  | { readonly op: "takeOut"; readonly table: AnyTable; readonly where: AnyRow }
  | { readonly op: "write"; readonly steps: readonly WriteStep[] }
  | { readonly op: "call"; readonly name: keyof NativeSteps; readonly values: readonly unknown[] };

/** An intention, or a part of one: what it comes to is a T. */
export type Steps<T> = Generator<Step, T, unknown>;

/** What drives intentions: each back end is one. */
export interface Engine {
  /** Behind every place that it gives. */
  readonly lastPlace: Place;
  /** Carries out an intention in one transaction, of which the store survives a power cut. */
  transaction<T>(intention: () => Steps<T>): Promise<T>;
  /**
   * The same without one, for a single step that writes, or for steps that read and needn't agree. Throws
   * `store_unavailable` as every call does.
   */
  run<T>(intention: () => Steps<T>): Promise<T>;
  /**
   * The same for steps of which each may come true by itself, and the last be missing after a death: in one
   * transaction where that costs less than its steps do, without one otherwise.
   */
  series<T>(intention: () => Steps<T>): Promise<T>;
}

const loose = <Row extends object>(table: Table<Row>) => table as unknown as AnyTable;

/** The row of this key. */
export function* get<Row extends object>(table: Table<Row>, key: Place): Steps<Row | undefined> {
  const [found] = (yield { op: "get", table: loose(table), keys: [key] }) as Row[];
  return found;
}

/** The rows of these keys that there are, in any order. */
export function* getAll<Row extends object>(table: Table<Row>, keys: readonly Place[]): Steps<Row[]> {
  if (keys.length === 0) return [];
  return (yield { op: "get", table: loose(table), keys: [...new Set(keys)] }) as Row[];
}

export function* list<Row extends object>(
  table: Table<Row>,
  where: Where<Row>,
  listing: Listing<Row> = {},
): Steps<Row[]> {
  return (yield { op: "list", table: loose(table), where, listing: listing as Listing<AnyRow> }) as Row[];
}

/** The same, and of each no more than these fields: where rows are large, or very many are looked at. */
export function* some<Row extends object, Name extends keyof Row & string>(
  table: Table<Row>,
  fields: readonly Name[],
  where: Where<Row>,
  listing: Listing<Row> = {},
): Steps<Pick<Row, Name>[]> {
  const given = { where, listing: listing as Listing<AnyRow> };
  return (yield { op: "list", table: loose(table), fields, ...given }) as Pick<Row, Name>[];
}

/** The first of them. */
export function* first<Row extends object>(
  table: Table<Row>,
  where: Where<Row>,
  listing: Listing<Row> = {},
): Steps<Row | undefined> {
  return (yield* list(table, where, { ...listing, limit: 1 }))[0];
}

/** Throws where there is one of its key, or of another that no two may have. */
export function* insert<Row extends object>(table: Table<Row>, row: New<Row>): Steps<void> {
  yield inserted(table, row);
}

/** Inserts it, or replaces the one of its key as a whole. */
export function* put<Row extends object>(table: Table<Row>, row: New<Row>): Steps<void> {
  yield { op: "put", table: loose(table), row };
}

/** How many rows there were to be changed. */
export function* update<Row extends object>(
  table: Table<Row>,
  where: Where<Row>,
  set: Values<Row>,
): Steps<number> {
  return (yield updated(table, where, set)) as number;
}

/** Changes the first of them, and gives it as it is then: of racers one has it. */
export function* take<Row extends object>(
  table: Table<Row>,
  where: Where<Row>,
  set: Values<Row>,
  listing: Listing<Row>,
): Steps<Row | undefined> {
  const step = { op: "take", table: loose(table), where, set, listing: listing as Listing<AnyRow> } as const;
  return (yield step) as Row | undefined;
}

/** Removes the one that there is, and gives it: of racers one has it. */
export function* takeOut<Row extends object>(table: Table<Row>, where: Where<Row>): Steps<Row | undefined> {
  return (yield { op: "takeOut", table: loose(table), where }) as Row | undefined;
}

/** Removes them, or so many of them. Returns how many. */
export function* remove<Row extends object>(
  table: Table<Row>,
  where: Where<Row>,
  limit?: number,
): Steps<number> {
  return (yield removed(table, where, limit)) as number;
}

/** Several writes whose outcomes nobody needs, in their order: sent together where that is cheaper. */
export function* write(steps: readonly WriteStep[]): Steps<void> {
  if (steps.length > 0) yield { op: "write", steps };
}
export const inserted = <Row extends object>(table: Table<Row>, row: New<Row>): WriteStep => {
  return { op: "insert", table: loose(table), row };
};
export const replaced = <Row extends object>(table: Table<Row>, row: New<Row>): WriteStep => {
  return { op: "put", table: loose(table), row };
};
export const updated = <Row extends object>(
  table: Table<Row>,
  where: Where<Row>,
  set: Values<Row>,
): WriteStep => {
  return { op: "update", table: loose(table), where, set };
};
export const removed = <Row extends object>(
  table: Table<Row>,
  where: Where<Row>,
  limit?: number,
): WriteStep => {
  return { op: "remove", table: loose(table), where, ...(limit === undefined ? {} : { limit }) };
};

/** What each back end does in its own way: see native-steps.ts. */
export function* call<Name extends keyof NativeSteps>(
  name: Name,
  ...values: Parameters<NativeSteps[Name]>
): Steps<ReturnType<NativeSteps[Name]>> {
  return (yield { op: "call", name, values }) as ReturnType<NativeSteps[Name]>;
}
