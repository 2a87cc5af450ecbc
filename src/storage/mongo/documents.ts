/**
 * The documents that MongoDB stores: the rows of the tables (tables.ts, native-tables.ts), their key as `_id`
 * and their instants as dates, so that the server can expire them and people can read them.
 */

import type { Db, ObjectId } from "mongodb";
import type { Instant } from "../../clock.ts";
import type { SecretHash } from "../../domain/ids.ts";
import type { ArtifactModel } from "../contract.ts";
import type { Field, Fields, Later, NamedTable, Table, Within } from "../fields.ts";
import { NATIVE_TABLES } from "../native-tables.ts";
import { SMALL_TABLES, TABLES } from "../tables.ts";
import type { TypedCollection } from "./typed-collection.ts";

/** A field's values, as they are kept. */
type Kept<F> =
  F extends Field<infer T, infer Kind>
    ? Kind extends "instant"
      ? Date | Extract<T, null>
      : Kind extends "place"
        ? ObjectId
        : T
    : never;
/** What a field is called; nothing where it is kept within another, or is the key itself. */
type NameOf<F, Key, Name> = Name extends Key ? "_id" : F extends Within<string> ? never : Name;
/** The fields that others are kept within. */
type Outer<F> = {
  [Name in keyof F]: F[Name] extends Within<`${infer One}.${string}`> ? Exclude<One, keyof F> : never;
}[keyof F] &
  string;
type Inner<F, One extends string> = {
  [Name in keyof F as F[Name] extends Within<`${One}.${infer Part}`> ? Part : never]: Kept<F[Name]>;
};
type Flat<T> = { [Name in keyof T]: T[Name] };
type DocumentIn<F extends Fields, Key> = Flat<
  { [Name in keyof F as F[Name] extends Later ? never : NameOf<F[Name], Key, Name>]: Kept<F[Name]> } & {
    [Name in keyof F as F[Name] extends Later ? NameOf<F[Name], Key, Name> : never]?: Kept<F[Name]>;
  } & { [One in Outer<F>]: Flat<Inner<F, One>> }
>;
/** A row of a table as a document. */
export type DocumentOf<T> = T extends NamedTable<string, infer Key, infer F> ? DocumentIn<F, Key> : never;

const ALL_TABLES = [...TABLES, ...SMALL_TABLES, ...NATIVE_TABLES] as const;
type AnyTable = (typeof ALL_TABLES)[number];

export type CollectionName = AnyTable["name"];
export type Documents = {
  [Name in CollectionName]: DocumentOf<Extract<AnyTable, { name: Name }>>;
} & {
  profiles: {
    /**
     * Counted up by whoever rests on the profile's being as it was read, so that a racer who changes it must
     * wait.
     */
    selections?: number;
  };
};

/** The table that the documents of a collection are rows of. */
export const TABLE_OF = Object.fromEntries(
  ALL_TABLES.map((table) => [table.name, table]),
) as unknown as Record<CollectionName, Table<never>>;

export type OrganizationDocument = Documents["organizations"];
export type ProfileDocument = Documents["profiles"];
export type SelectionDocument = Documents["selections"];

export type Collections = { readonly [Name in CollectionName]: TypedCollection<Documents[Name]> };

export function collectionsIn(db: Db): Collections {
  return Object.fromEntries(
    ALL_TABLES.map(({ name }) => [name, db.collection(name)]),
  ) as unknown as Collections;
}

/** An instant as it is stored. */
export const at = (now: Instant) => new Date(now);

/** How an artifact is called: its model and the SHA-256 of its id. */
export const artifactId = (model: ArtifactModel, idHash: SecretHash) => `${model}:${idHash}`;
