/**
 * What a collection is: the rules by which the server checks its documents, which are made of its table, and
 * its indexes.
 */

import type { Document, IndexDirection } from "mongodb";
import type { Seconds } from "../../clock.ts";
import type { Field, FieldKind, Shape, Table } from "../fields.ts";
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

type Schemas = Readonly<Record<string, Document>>;

const BSON_TYPES = {
  text: "string",
  number: ["int", "long", "double"],
  flag: "bool",
  instant: "date",
  place: "objectId",
  json: "object",
  anything: "object",
} as const satisfies Record<FieldKind | Extract<Shape, string>, unknown>;

export const ofKind = (kind: keyof typeof BSON_TYPES) => ({ bsonType: BSON_TYPES[kind] });
const orNull = ({ bsonType, ...schema }: Document) => ({ bsonType: [bsonType, "null"].flat(), ...schema });

/** A document with exactly these fields; those under `optional` may be missing. */
function objectOf(required: Schemas, optional: Schemas = {}): Document {
  const properties = { ...required, ...optional };
  return { bsonType: "object", required: Object.keys(required), properties, additionalProperties: false };
}

function ofShape(shape: Shape): Document {
  if (typeof shape === "string") return ofKind(shape);
  if ("listOf" in shape) return { bsonType: "array", items: ofShape(shape.listOf) };
  const { fields, optional = {} } = shape;
  const each = (shapes: typeof fields) =>
    Object.fromEntries(
      Object.entries(shapes).map(([name, one]) => [
        name,
        typeof one === "object" && "orNull" in one ? orNull(ofShape(one.orNull)) : ofShape(one),
      ]),
    );
  return objectOf(each(fields), each(optional));
}

export function schemaOf({ kind, values, shape, isNullable, isLeftOut }: Field<unknown>): Document {
  if (values !== undefined) return { enum: values };
  const schema = shape === undefined ? ofKind(kind) : ofShape(shape);
  return isNullable && !isLeftOut ? orNull(schema) : schema;
}

/**
 * The rules of a table's documents, in the order of its fields: servers compare them as text. What `others`
 * has takes the place of a field of that name, or may be there beside them.
 */
export function validatorOf({ key, fields }: Table<never>, others: Schemas = {}): Document {
  const all: Readonly<Record<string, Field<unknown>>> = fields;
  const required: Record<string, Document> = {};
  const optional: Record<string, Document> = {};
  for (const name of [key, ...Object.keys(all).filter((name) => name !== key)]) {
    const field = all[name];
    const path = name === key ? "_id" : (field?.path ?? name);
    if (field === undefined || field.isPart || (path === "_id" && name !== key)) continue;
    const [outer = "", inner] = path.split(".");
    if (inner !== undefined)
      required[outer] = objectOf({ ...required[outer]?.["properties"], [inner]: schemaOf(field) });
    else (field.isLater ? optional : required)[outer] = schemaOf(field);
  }
  const beside: Record<string, Document> = {};
  for (const [name, schema] of Object.entries(others)) {
    const group = [required, optional].find((one) => name in one) ?? beside;
    group[name] = schema;
  }
  return { $jsonSchema: objectOf(required, { ...beside, ...optional }) };
}
