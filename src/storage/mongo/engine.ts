/**
 * What drives intentions (../steps.ts) in MongoDB: each general step is one command, made of a table's
 * fields; each is awaited, in the transaction's session where there is one. A racer that wrote what an
 * intention has read and writes, too, has it driven again from its beginning.
 */

import { type AnyBulkWriteOperation, type ClientSession, type Db, type Document, ObjectId } from "mongodb";
import { LiaisonError } from "../../errors.ts";
import type { Field, Table } from "../fields.ts";
import type { NativeSteps } from "../native-steps.ts";
import {
  Add,
  AlreadyThere,
  type Engine,
  type Listing,
  type Step,
  type Steps,
  type WriteStep,
} from "../steps.ts";
import { isDuplicate, type MongoDatabase, within } from "./database.ts";

type AnyRow = Readonly<Record<string, unknown>>;
type AnyTable = Table<never>;
type AnyField = Field<unknown>;

/** Native steps as MongoDB has them. */
export type InMongo<NativeSteps> = {
  [Name in keyof NativeSteps]: NativeSteps[Name] extends (...values: infer Values) => infer Result
    ? (session: ClientSession | undefined, ...values: Values) => Promise<Result>
    : never;
};
export type MongoSteps = InMongo<NativeSteps>;

/** The last instant of a date. */
const LAST_INSTANT = 8_640_000_000_000_000;

function fieldOf({ fields, name }: AnyTable, field: string): AnyField {
  const found = (fields as Record<string, AnyField>)[field];
  if (found === undefined) throw new TypeError(`${name} has no field ${field}`);
  return found;
}

function pathOf(table: AnyTable, name: string): string {
  return name === table.key ? "_id" : (fieldOf(table, name).path ?? name);
}

function toStored({ kind }: AnyField, value: unknown): unknown {
  if (value === null) return null;
  if (kind === "instant") return new Date(Math.min(Number(value), LAST_INSTANT));
  if (kind !== "place") return value;
  if (typeof value === "string" && ObjectId.isValid(value)) return new ObjectId(value);
  if (typeof value === "string" && value.length > 0) return value;
  throw LiaisonError.badRequest("This is no cursor of this list: take the one that its last page gave.");
}

/** A document as a row. */
export function toRow<Row extends object>(table: Table<Row>, document: object): Row {
  const row: Record<string, unknown> = {};
  for (const [name, field] of Object.entries<AnyField>(table.fields)) {
    let value: unknown = document;
    for (const part of pathOf(table as unknown as AnyTable, name).split("."))
      value = (value as Document | undefined)?.[part];
    if (value === undefined) value = field.absent;
    if (value instanceof Date) value = value.getTime();
    else if (value instanceof ObjectId) value = value.toHexString();
    row[name] = value;
  }
  return row as Row;
}

/** A whole row as a document; its place among those of one instant is given, or that of the present. */
export function toDocument(table: AnyTable, row: AnyRow, placed = new ObjectId()): Document {
  const document: Document = {};
  for (const [name, field] of Object.entries(table.fields as Record<string, AnyField>)) {
    const path = pathOf(table, name);
    const value = field.kind === "place" ? placed : row[name];
    if (field.isPart || value === undefined || (path === "_id" && name !== table.key)) continue;
    if (field.isLeftOut && value === null) continue;
    const [outer = "", inner] = path.split(".");
    const stored = field.kind === "place" ? value : toStored(field, value);
    if (inner === undefined) document[outer] = stored;
    else document[outer] = { ...document[outer], [inner]: stored };
  }
  return document;
}

/** The least value of a kind: what is greater is there, as the partial indexes say it. */
const NOTHING = { text: "", number: -Infinity, instant: new Date(0), flag: false, json: null, place: "" };
const OPERATORS = { lt: "$lt", lte: "$lte", gt: "$gt", gte: "$gte" } as const;

function toFilter(table: AnyTable, where: AnyRow): Document {
  const filter: Document = {};
  for (const [name, condition] of Object.entries(where)) {
    if (condition === undefined) continue;
    const field = fieldOf(table, name);
    if (condition !== null && condition === field.absent) {
      // Where it isn't said, it is that.
      filter[pathOf(table, name)] = { $in: [toStored(field, condition), null] };
      continue;
    }
    filter[pathOf(table, name)] =
      typeof condition === "object" && condition !== null
        ? Object.assign(
            {},
            ...Object.entries(condition).map(([operator, value]) => test(field, operator, value)),
          )
        : toStored(field, condition);
  }
  return filter;
}

function test(field: AnyField, operator: string, value: unknown): Document {
  if (value === undefined) return {};
  if (operator === "not") return { $gt: NOTHING[field.kind] };
  if (operator === "in" && Array.isArray(value)) return { $in: value.map((one) => toStored(field, one)) };
  return { [OPERATORS[operator as keyof typeof OPERATORS]]: toStored(field, value) };
}

function toChange(table: AnyTable, set: AnyRow): Document | Document[] {
  const given = Object.entries(set).filter(
    ([name, value]) => value !== undefined && !fieldOf(table, name).isPart,
  );
  const added = given.filter(([, value]) => value instanceof Add);
  const plain = given.filter(([, value]) => !(value instanceof Add));
  const values = plain.map(
    ([name, value]) => [pathOf(table, name), toStored(fieldOf(table, name), value)] as const,
  );
  const amount = (value: unknown) => (value instanceof Add ? value.amount : 0);
  if (added.some(([name]) => fieldOf(table, name).isNullable)) {
    const sums = added.map(([name, value]) => {
      const path = pathOf(table, name);
      return [path, { $add: [{ $ifNull: [`$${path}`, 0] }, amount(value)] }] as const;
    });
    const literals = values.map(([path, value]) => [path, { $literal: value }] as const);
    return [{ $set: Object.fromEntries([...literals, ...sums]) }];
  }
  const sums = added.map(([name, value]) => [pathOf(table, name), amount(value)] as const);
  return {
    ...(values.length > 0 ? { $set: Object.fromEntries(values) } : {}),
    ...(sums.length > 0 ? { $inc: Object.fromEntries(sums) } : {}),
  };
}

function toSort(table: AnyTable, { order = [], isDescending }: Listing<AnyRow>): Record<string, 1 | -1> {
  return Object.fromEntries(order.map((name) => [pathOf(table, name), isDescending ? -1 : 1]));
}

type Driven = Pick<MongoDatabase, "db" | "run" | "transaction">;

export class MongoEngine implements Engine {
  readonly lastPlace = "f".repeat(24);
  readonly #database: Driven;
  readonly #db: Db;
  readonly #natives: Partial<MongoSteps>;

  constructor(database: Driven, natives: Partial<MongoSteps>) {
    this.#database = database;
    this.#db = database.db;
    this.#natives = natives;
  }

  transaction<T>(intention: () => Steps<T>): Promise<T> {
    return this.#database.transaction((session) => this.drive(session, intention()));
  }

  run<T>(intention: () => Steps<T>): Promise<T> {
    return this.#database.run(() => this.drive(undefined, intention()));
  }

  /** Racers for one document wait for each other there, and are run again within a transaction. */
  series<T>(intention: () => Steps<T>): Promise<T> {
    return this.run(intention);
  }

  /** Drives an intention to its end, in a transaction's session or without one. */
  async drive<T>(session: ClientSession | undefined, steps: Steps<T>): Promise<T> {
    let next = steps.next();
    while (next.done !== true) next = steps.next(await this.#step(session, next.value));
    return next.value;
  }

  async #step(session: ClientSession | undefined, step: Step): Promise<unknown> {
    const options = within(session);
    switch (step.op) {
      case "get": {
        const keys = step.keys.map((key) => toStored(fieldOf(step.table, step.table.key), key));
        const [only] = keys;
        const filter = { _id: keys.length === 1 ? only : { $in: keys } } as Document;
        const found = await this.#collection(step.table).find(filter, options).toArray();
        return found.map((document) => toRow(step.table, document));
      }
      case "list":
        return await this.#list(session, step);
      case "take": {
        const { table, where, set, listing } = step;
        const found = await this.#collection(table).findOneAndUpdate(
          toFilter(table, where),
          toChange(table, set),
          {
            ...options,
            sort: toSort(table, listing),
            returnDocument: "after",
            ...(listing.by === undefined ? {} : { hint: listing.by as unknown as Document }),
          },
        );
        return found === null ? undefined : toRow(table, found);
      }
      case "takeOut": {
        const { table, where } = step;
        const found = await this.#collection(table).findOneAndDelete(toFilter(table, where), options);
        return found === null ? undefined : toRow(table, found);
      }
      case "write":
        return await this.#writeAll(session, step.steps);
      case "call": {
        const native = this.#natives[step.name] as (
          session: ClientSession | undefined,
          ...values: readonly unknown[]
        ) => Promise<unknown>;
        return await native(session, ...step.values);
      }
      default:
        return await this.#write(session, step);
    }
  }

  /**
   * Behind a place of an order of two fields: the equal and the greater values of the first are read one
   * after the other, each as one range of the index.
   */
  async #list(
    session: ClientSession | undefined,
    { table, fields, where, listing }: Extract<Step, { op: "list" }>,
  ): Promise<unknown[]> {
    const { order = [], behind, isDescending, limit, skip, by } = listing;
    const filter = toFilter(table, where);
    const paths = fields?.map((name) => [pathOf(table, name), 1] as const);
    const read = async (more: Document, most: number | undefined) => {
      const found = await this.#collection(table)
        .find({ $and: [filter, more] } as Document, {
          ...within(session),
          sort: toSort(table, listing),
          ...(most === undefined ? {} : { limit: most }),
          ...(skip === undefined ? {} : { skip }),
          ...(by === undefined ? {} : { hint: by }),
          ...(paths === undefined ? {} : { projection: Object.fromEntries(paths) }),
        })
        .toArray();
      return found.map((document) => toRow(table, document));
    };
    if (limit === 0) return [];
    if (behind === undefined) return await read({}, limit);
    const places = order.map((name, index) => toStored(fieldOf(table, name), behind[index]));
    const [first = "", second] = order.map((name) => pathOf(table, name));
    const beyond = isDescending ? "$lt" : "$gt";
    const [value, tie] = places;
    if (second === undefined) return await read({ [first]: { [beyond]: value } }, limit);
    const equal = await read({ [first]: value, [second]: { [beyond]: tie } }, limit);
    if (equal.length === limit) return equal;
    const left = limit === undefined ? undefined : limit - equal.length;
    return [...equal, ...(await read({ [first]: { [beyond]: value } }, left))];
  }

  async #write(session: ClientSession | undefined, step: WriteStep): Promise<number> {
    const options = within(session);
    const collection = this.#collection(step.table);
    switch (step.op) {
      case "insert":
        await once(() => collection.insertOne(toDocument(step.table, step.row), options));
        return 1;
      case "put": {
        const { _id, ...document } = toDocument(step.table, step.row);
        await collection.replaceOne({ _id }, document, { ...options, upsert: true });
        return 1;
      }
      case "update": {
        const change = toChange(step.table, step.set);
        return (await collection.updateMany(toFilter(step.table, step.where), change, options)).matchedCount;
      }
      case "remove": {
        const filter = toFilter(step.table, step.where);
        if (step.limit === undefined) return (await collection.deleteMany(filter, options)).deletedCount;
        const some = { ...options, projection: { _id: 1 }, limit: step.limit };
        const ids = (await collection.find(filter, some).toArray()).map(({ _id }) => _id);
        if (ids.length === 0) return 0;
        // What is no such row any more stays.
        const still = { $and: [{ _id: { $in: ids } }, filter] } as Document;
        return (await collection.deleteMany(still, options)).deletedCount;
      }
    }
  }

  /** Writes to one collection that follow each other are sent together. */
  async #writeAll(session: ClientSession | undefined, steps: readonly WriteStep[]): Promise<void> {
    for (let start = 0; start < steps.length; ) {
      const table = steps[start]?.table;
      let end = start;
      while (end < steps.length && steps[end]?.table === table) end += 1;
      const run = steps.slice(start, end);
      const [only] = run;
      if (only !== undefined && run.length === 1) await this.#write(session, only);
      else if (table !== undefined) {
        const options = within(session);
        await this.#collection(table).bulkWrite(run.map(toOperation), options);
      }
      start = end;
    }
  }

  #collection({ name }: AnyTable) {
    return this.#db.collection<Document>(name);
  }
}

/** Drives an intention of general steps alone, with neither a transaction nor a deadline. */
export function driveIn<T>(db: Db, steps: Steps<T>): Promise<T> {
  const refuse = () => Promise.reject(new TypeError("steps alone are driven here"));
  return new MongoEngine({ db, run: refuse, transaction: refuse }, {}).drive(undefined, steps);
}

/** A row that is there already is told as every back end tells it. */
async function once<T>(insert: () => Promise<T>): Promise<T> {
  try {
    return await insert();
  } catch (error) {
    if (isDuplicate(error)) throw new AlreadyThere("it is there already", { cause: error });
    throw error;
  }
}

function toOperation(step: WriteStep): AnyBulkWriteOperation<Document> {
  switch (step.op) {
    case "insert":
      return { insertOne: { document: toDocument(step.table, step.row) } };
    case "put": {
      const { _id, ...replacement } = toDocument(step.table, step.row);
      return { replaceOne: { filter: { _id }, replacement, upsert: true } };
    }
    case "update":
      return {
        updateMany: { filter: toFilter(step.table, step.where), update: toChange(step.table, step.set) },
      };
    case "remove":
      return { deleteMany: { filter: toFilter(step.table, step.where) } };
  }
}
