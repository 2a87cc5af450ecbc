/** Whether JSON is what its field says that it is (fields.ts). */

import type { Shape } from "./fields.ts";

const TYPES = { text: "string", number: "number", instant: "number", flag: "boolean" } as const;

/** What a value has beside what its shape names is let be. */
export function hasShape(value: unknown, shape: Shape | { readonly orNull: Shape }): boolean {
  if (typeof shape === "string") {
    return shape === "anything" || typeof value === TYPES[shape];
  }
  if ("orNull" in shape) return value === null || hasShape(value, shape.orNull);
  if ("listOf" in shape) return Array.isArray(value) && value.every((item) => hasShape(item, shape.listOf));
  if (typeof value !== "object" || value === null) return false;
  const held = new Map(Object.entries(value));
  const optional = Object.entries(shape.optional ?? {}).filter(([name]) => held.has(name));
  return [...Object.entries(shape.fields), ...optional].every(([name, of]) => hasShape(held.get(name), of));
}
