/** The words in which collections.ts writes what a collection is: its documents' fields, and its indexes. */

import type { Document, IndexDirection } from "mongodb";
import type { Seconds } from "../../clock.ts";
import type { CollectionName } from "./documents.ts";

export interface IndexSpecification {
  name: string;
  key: Record<string, IndexDirection>;
  unique?: boolean;
  sparse?: boolean;
  partialFilterExpression?: Document;
  expireAfterSeconds?: Seconds;
}

export interface CollectionSpecification {
  name: CollectionName;
  validator: Document;
  indexes: readonly IndexSpecification[];
}

export const string = { bsonType: "string" };
export const date = { bsonType: "date" };
export const number = { bsonType: ["int", "long", "double"] };
export const boolean = { bsonType: "bool" };
export const object = { bsonType: "object" };
export const objectId = { bsonType: "objectId" };
export const oneOf = (...values: string[]) => ({ enum: values });
/**
 * The states of a record: one that is added is named here, and needs a migration of the validators that are
 * there.
 */
export const oneOfStates = <State extends string>(states: Record<State, true>) =>
  oneOf(...Object.keys(states));
export const orNull = (schema: { bsonType: string | string[] }) => ({
  bsonType: [schema.bsonType, "null"].flat(),
});
export const listOf = (items: Document) => ({ bsonType: "array", items });

/** A document with exactly these fields; those under `optional` may be missing. */
export function fields(
  required: Record<string, Document>,
  optional: Record<string, Document> = {},
): Document {
  return {
    bsonType: "object",
    required: Object.keys(required),
    properties: { ...required, ...optional },
    additionalProperties: false,
  };
}

export const validator = (required: Record<string, Document>, optional: Record<string, Document> = {}) => ({
  $jsonSchema: fields(required, optional),
});

/** What no broker's sweep removed, the server does, a day late. Reads check expiry themselves. */
const EXPIRY_GRACE_SECONDS = 24 * 3600;

export const expiry: IndexSpecification = {
  name: "expiry",
  key: { expiresAt: 1 },
  expireAfterSeconds: EXPIRY_GRACE_SECONDS,
};
