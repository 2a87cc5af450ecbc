/**
 * Makes collections and their indexes as collections.ts specifies them, and compares them with what is there
 * at each start.
 */

import { type CollectionInfo, type Db, type Document, MongoServerError } from "mongodb";
import type { CollectionName } from "./documents.ts";
import type { CollectionSpecification, IndexSpecification } from "./specifications.ts";

const NAMESPACE_EXISTS = 48;
const INDEX_NOT_FOUND = 27;
/** The codes of an index that is there with other options, or under another name. */
const INDEX_CONFLICTS = [85, 86];

/**
 * Makes collections and indexes as specified: those that are right already aren't touched, those that differ
 * are made anew. Running brokers aren't disturbed. Two that do so at once come to the same end.
 */
export async function ensureCollections(
  db: Db,
  specifications: readonly CollectionSpecification[],
): Promise<void> {
  const present = await presentCollections(db);
  for (const { name, validator, indexes } of specifications) {
    const info = present.get(name);
    if (info === undefined) await createCollection(db, name, validator);
    else if (!isChecked(info, validator)) await setRules(db, name, validator);
    // All at once: the documents that are there are read once.
    const missing = await missingIndexes(db, name, indexes);
    if (missing.length > 0) await createIndexes(db, name, missing);
  }
}

async function createCollection(db: Db, name: CollectionName, validator: Document): Promise<void> {
  try {
    await db.createCollection(name, { validator });
  } catch (error) {
    if (!hasCode(error, NAMESPACE_EXISTS)) throw error;
    await setRules(db, name, validator);
  }
}

async function setRules(db: Db, name: CollectionName, validator: Document): Promise<void> {
  await db.command({ collMod: name, validator, validationLevel: "strict", validationAction: "error" });
}

async function createIndexes(
  db: Db,
  name: CollectionName,
  missing: readonly IndexSpecification[],
): Promise<void> {
  try {
    await db.collection(name).createIndexes([...missing]);
  } catch (error) {
    if (!hasCode(error, ...INDEX_CONFLICTS)) throw error;
    for (const index of missing) await replaceIndex(db, name, index);
  }
}

/** Makes an index in the place of those that are in its way. */
async function replaceIndex(
  db: Db,
  collection: CollectionName,
  specification: IndexSpecification,
): Promise<void> {
  const { key, ...options } = specification;
  const present = await db.collection(collection).indexes();
  const inTheWay = present.filter((index) => index.name === options.name || sameText(index.key, key));
  for (const { name } of inTheWay) if (name !== undefined) await db.collection(collection).dropIndex(name);
  await db.collection(collection).createIndex(key, options);
}

/** Drops those of these indexes that are there. */
export async function dropIndexes(
  db: Db,
  collection: CollectionName,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    try {
      await db.collection(collection).dropIndex(name);
    } catch (error) {
      if (!hasCode(error, INDEX_NOT_FOUND)) throw error;
    }
  }
}

/** What is missing or other than specified, each named: `identities.identity (issuer, subject; unique)`. */
export async function differences(
  db: Db,
  specifications: readonly CollectionSpecification[],
): Promise<string[]> {
  const present = await presentCollections(db);
  const found = await Promise.all(
    specifications.map(async ({ name, validator, indexes }) => {
      const info = present.get(name);
      if (info === undefined) return [`the collection ${name}`];
      const rules = isChecked(info, validator) ? [] : [`the rules of ${name}`];
      const missing = await missingIndexes(db, name, indexes);
      return [...rules, ...missing.map((index) => `the index ${name}.${index.name} (${describe(index)})`)];
    }),
  );
  return found.flat();
}

async function presentCollections(db: Db): Promise<Map<string, CollectionInfo>> {
  return new Map(
    (await db.listCollections({}, { nameOnly: false }).toArray()).map((info) => [info.name, info]),
  );
}

/** Whether the server refuses whatever breaks these rules. */
function isChecked({ options }: CollectionInfo, validator: Document): boolean {
  const { validationLevel = "strict", validationAction = "error" } = options ?? {};
  const isStrict = validationLevel === "strict" && validationAction === "error";
  return isStrict && sameText(options?.["validator"], validator);
}

async function missingIndexes(
  db: Db,
  name: CollectionName,
  indexes: readonly IndexSpecification[],
): Promise<IndexSpecification[]> {
  const existing = await db.collection(name).indexes();
  return indexes.filter((index) => !existing.some((other) => sameIndex(other, index)));
}

function describe({ key, unique, expireAfterSeconds }: IndexSpecification): string {
  const kind = unique ? "; unique" : expireAfterSeconds === undefined ? "" : "; expiry";
  return `${Object.keys(key).join(", ")}${kind}`;
}

function sameIndex(present: Document, { name, key, ...options }: IndexSpecification): boolean {
  const { v: _version, ns: _namespace, key: presentKey, name: presentName, ...presentOptions } = present;
  const differs = (option: string) =>
    !sameText(comparable(presentOptions[option]), comparable((options as Record<string, unknown>)[option]));
  const names = new Set([...Object.keys(presentOptions), ...Object.keys(options), "collation"]);
  names.delete("background");
  return presentName === name && sameText(presentKey, key) && ![...names].some(differs);
}

/**
 * An option without what servers write in different ways: some give back an equality of a filter as `{ $eq: …
 * }`.
 */
function comparable(option: unknown): unknown {
  if (typeof option !== "object" || option === null || option instanceof Date) return option ?? false;
  const entries = Object.entries(option).map(([field, condition]): [string, unknown] => {
    const isEquality =
      typeof condition === "object" && condition !== null && Object.keys(condition).join() === "$eq";
    return [field, isEquality ? (condition as { $eq: unknown }).$eq : condition];
  });
  return Object.fromEntries(entries);
}

/** Equal as documents, the order of their fields included. */
function sameText(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function hasCode(error: unknown, ...codes: number[]): boolean {
  return error instanceof MongoServerError && codes.includes(Number(error.code));
}
