/**
 * The shape of the schema: what it expects at each key, in the few words that reading files and the
 * environment needs. Derived from its JSON Schema, so that a key added there is known here.
 */

import { z } from "zod";
import { configSchema } from "./schema.ts";

export type SchemaShape =
  /** Nullable: nothing is meant by nothing, instead of all of its defaults. */
  | { kind: "map"; nullable: boolean; keys: ReadonlyMap<string, SchemaShape> }
  /** A list of maps, each with an `id`. */
  | { kind: "entries"; entry: Extract<SchemaShape, { kind: "map" }> }
  | { kind: "words" }
  /** A map whose keys are the writer's own. */
  | { kind: "record" }
  | { kind: "text"; nullable: boolean; path: boolean }
  | { kind: "number" | "boolean" };

type MapShape = Extract<SchemaShape, { kind: "map" }>;

interface JsonSchema {
  type?: string | string[];
  format?: string;
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
}

/** The whole configuration's shape. */
export const configShape: MapShape = mapShape(z.toJSONSchema(configSchema, { io: "input" }) as JsonSchema);

function mapShape(schema: JsonSchema, nullable = false): MapShape {
  const keys = new Map<string, SchemaShape>();
  for (const [key, value] of Object.entries(schema.properties ?? {})) keys.set(key, shapeOf(value));
  return { kind: "map", nullable, keys };
}

function shapeOf(schema: JsonSchema): SchemaShape {
  const alternatives = schema.anyOf ?? [schema];
  const types = alternatives.flatMap((alternative) => alternative.type ?? []);
  const main = alternatives.find((alternative) => alternative.type !== "null") ?? schema;
  if (types.includes("object"))
    return main.properties === undefined ? { kind: "record" } : mapShape(main, types.includes("null"));
  if (types.includes("array")) {
    const items = main.items ?? {};
    return items.properties === undefined ? { kind: "words" } : { kind: "entries", entry: mapShape(items) };
  }
  if (types.includes("integer") || types.includes("number")) return { kind: "number" };
  if (types.includes("boolean")) return { kind: "boolean" };
  return { kind: "text", nullable: types.includes("null"), path: main.format === "path" };
}
