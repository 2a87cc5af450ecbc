/** Texts, as they come in a query or on a command line, as the values that an operation's input wants. */

import { z } from "zod";
import type { Definition } from "../definitions/definition.ts";

export interface JsonSchema {
  type?: string | string[];
  enum?: unknown[];
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  description?: string;
  default?: unknown;
  format?: string;
  pattern?: string;
  [keyword: string]: unknown;
}

const schemas = new WeakMap<object, JsonSchema>();

/** The JSON Schema (2020-12) of what an operation takes. */
export function inputSchema({ input }: Pick<Definition, "input">): JsonSchema {
  let schema = schemas.get(input);
  if (schema === undefined) {
    schema = z.toJSONSchema(input, { io: "input" }) as JsonSchema;
    delete schema["$schema"];
    schemas.set(input, schema);
  }
  return schema;
}

/** What a field is, whether null is one of its values, or undefined for a field that isn't there. */
export function typeOf(schema: JsonSchema | undefined): {
  type: string;
  items: string | undefined;
  nullable: boolean;
} {
  const alternatives = schema?.anyOf ?? (schema === undefined ? [] : [schema]);
  const types = alternatives.flatMap(({ type }) => type ?? []);
  const main = alternatives.find(({ type }) => type !== "null");
  const type = types.find((one) => one !== "null") ?? "string";
  return {
    type,
    items: main?.items === undefined ? undefined : typeOf(main.items).type,
    nullable: types.includes("null"),
  };
}

/** A text as a field's value; what can't be one stays as it is, for the schema to refuse. */
export function fromText(schema: JsonSchema | undefined, text: string): unknown {
  const { type } = typeOf(schema);
  if (type === "integer" || type === "number") return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  return text;
}
