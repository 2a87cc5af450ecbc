/** Whether JSON is what its field says that it is (fields.ts). */

import type { Shape } from "./fields.ts";

/** What a value has beside what its shape names is let be. */
export function hasShape(value: unknown, shape: Shape | { readonly orNull: Shape }): boolean {
  if (typeof shape === "string") {
    const type = {
      text: "string",
      number: "number",
      instant: "number",
      flag: "boolean",
      anything: typeof value,
    }[shape];
    return typeof value === type;
  }
  if ("orNull" in shape) return value === null || hasShape(value, shape.orNull);
  if ("listOf" in shape) return Array.isArray(value) && value.every((item) => hasShape(item, shape.listOf));
  if (typeof value !== "object" || value === null) return false;
  const held = new Map(Object.entries(value));
  const optional = Object.entries(shape.optional ?? {}).filter(([name]) => held.has(name));
  return [...Object.entries(shape.fields), ...optional].every(([name, of]) => hasShape(held.get(name), of));
}
