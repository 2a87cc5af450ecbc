/**
 * A collection whose filters, updates and orders name fields of its documents alone, or parts of such fields:
 * the driver's own types take any name, so that a misspelt one would find nothing, or write a field that
 * nobody reads.
 */

import type {
  AggregateOptions,
  AggregationCursor,
  AnyBulkWriteOperation,
  BulkWriteOptions,
  BulkWriteResult,
  Collection,
  Condition,
  CountDocumentsOptions,
  DeleteOptions,
  DeleteResult,
  Document,
  FindCursor,
  FindOneAndDeleteOptions,
  FindOneAndUpdateOptions,
  FindOptions,
  ReplaceOptions,
  UpdateOptions,
  UpdateResult,
  WithId,
  WithoutId,
} from "mongodb";

type Name<T> = keyof T & string;

/** The fields of an object, or of the objects of a list. */
type Inner<T> = T extends readonly (infer Item)[]
  ? Name<Item>
  : T extends string | number | boolean | Date | { toHexString(): string }
    ? never
    : T extends object
      ? Name<T>
      : never;

/** A field within a field, and what MongoDB writes for an item of a list: its number, `$`, `$[name]`. */
type Path<T> = {
  [Key in Name<T>]: NonNullable<T[Key]> extends readonly unknown[]
    ? `${Key}.${Inner<NonNullable<T[Key]>>}` | `${Key}.$${string}` | `${Key}.${number}`
    : `${Key}.${Inner<NonNullable<T[Key]>>}`;
}[Name<T>];

type Paths<T, Value> = { readonly [Key in Path<T>]?: Value };

/** Any text is a place in an order, also of ids and of fields that are one word of several. */
type Holds<Value> = Condition<Value> | { readonly $gt: string } | { readonly $gte: string };

/** Which documents. */
export type Where<T> = { readonly [Key in keyof T]?: Holds<T[Key]> } & Paths<T, unknown> & {
    readonly $and?: readonly Where<T>[];
    readonly $or?: readonly Where<T>[];
    readonly $nor?: readonly Where<T>[];
    readonly $expr?: object;
  };

/** Fields with their values. */
export type Values<T> = { readonly [Key in keyof T]?: T[Key] } & Paths<T, unknown>;
type Each<T, Value> = { readonly [Key in keyof T]?: Value } & Paths<T, Value>;

/** What is done to a document's fields, or the stages that do it. */
export type Change<T> =
  | {
      readonly $set?: Values<T>;
      readonly $setOnInsert?: Values<T>;
      readonly $min?: Values<T>;
      readonly $max?: Values<T>;
      readonly $inc?: Each<T, number>;
      readonly $unset?: Each<T, "" | true | 1>;
      readonly $push?: Each<T, unknown>;
      readonly $pull?: Each<T, unknown>;
    }
  | readonly Stage<T>[];

/** A stage of an update. */
export type Stage<T> =
  | { readonly $set: Each<T, unknown> }
  | { readonly $unset: Name<T> | readonly Name<T>[] }
  | { readonly $replaceWith: object };

export type Order<T> = Each<T, 1 | -1>;
type Fields<T> = Each<T, 0 | 1 | boolean | object>;

/** The driver's options, with the fields that they name. */
type Naming<Options, T> = Omit<Options, "projection" | "sort"> & {
  projection?: Fields<T>;
  sort?: Order<T>;
};

/** Documents that were found, before they are read. */
interface Found<T> {
  sort(order: Order<T>): Found<T>;
  limit(most: number): Found<T>;
  skip(count: number): Found<T>;
  hint(hint: Parameters<FindCursor["hint"]>[0]): Found<T>;
  batchSize(size: number): Found<T>;
  project<U extends object>(fields: Fields<T>): Found<U>;
  map<U>(map: (document: T) => U): Found<U>;
  toArray(): Promise<T[]>;
  [Symbol.asyncIterator](): AsyncIterator<T>;
}

/** Stages of which the first says which documents; what the others make of them is theirs. */
export type Pipeline<T> = readonly [{ readonly $match: Where<T> }, ...Document[]];

interface Typed<T extends object> {
  aggregate<U extends object>(stages: Pipeline<T>, options?: AggregateOptions): AggregationCursor<U>;
  find(filter: Where<T>, options?: Naming<FindOptions, T>): Found<WithId<T>>;
  findOne(filter: Where<T>, options?: Naming<FindOptions, T>): Promise<WithId<T> | null>;
  findOneAndUpdate(
    filter: Where<T>,
    change: Change<T>,
    options?: Naming<FindOneAndUpdateOptions, T>,
  ): Promise<WithId<T> | null>;
  findOneAndDelete(filter: Where<T>, options?: Naming<FindOneAndDeleteOptions, T>): Promise<WithId<T> | null>;
  updateOne(filter: Where<T>, change: Change<T>, options?: UpdateOptions): Promise<UpdateResult<T>>;
  updateMany(filter: Where<T>, change: Change<T>, options?: UpdateOptions): Promise<UpdateResult<T>>;
  replaceOne(filter: Where<T>, document: WithoutId<T>, options?: ReplaceOptions): Promise<UpdateResult<T>>;
  deleteOne(filter: Where<T>, options?: DeleteOptions): Promise<DeleteResult>;
  deleteMany(filter: Where<T>, options?: DeleteOptions): Promise<DeleteResult>;
  countDocuments(filter: Where<T>, options?: CountDocumentsOptions): Promise<number>;
  bulkWrite(operations: readonly Operation<T>[], options?: BulkWriteOptions): Promise<BulkWriteResult>;
}

/** One of several writes that are sent together. */
export type Operation<T extends object> =
  | Extract<AnyBulkWriteOperation<T>, { insertOne: unknown }>
  | { updateOne: { filter: Where<T>; update: Change<T>; upsert?: boolean } }
  | { updateMany: { filter: Where<T>; update: Change<T>; upsert?: boolean } }
  | { replaceOne: { filter: Where<T>; replacement: WithoutId<T>; upsert?: boolean } }
  | { deleteOne: { filter: Where<T> } }
  | { deleteMany: { filter: Where<T> } };

export type TypedCollection<T extends object> = Omit<Collection<T>, keyof Typed<T>> & Typed<T>;
