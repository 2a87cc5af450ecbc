/**
 * What lists show on a terminal: a few columns of each record, as its operation says. Everything there is, is
 * in `--json`.
 */

import type { Columns, Shown } from "../../admin/definitions/definition.ts";

/** A row of a list, as tables take it: texts, and instants in milliseconds. */
export function rowOf<Item>(columns: Columns<Item>, item: Item): Record<string, string | number> {
  return Object.fromEntries(Object.entries(columns).map(([name, read]) => [name, cellOf(read(item))]));
}

function cellOf(value: Shown): string | number {
  if (value === null) return "";
  if (value instanceof Date) return value.getTime();
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "string" ? value : value.join(", ");
}
