/**
 * Normalizes the keys of what was written to those of the schema: names unknown ones, takes `<key>_file` for
 * `<key>`, makes paths absolute.
 */

import { resolve } from "node:path";
import { didYouMean } from "./did-you-mean.ts";
import type { Faults } from "./faults.ts";
import { entryId, type LocatedMap, type LocatedScalar, type LocatedValue } from "./located-value.ts";
import type { SchemaShape } from "./schema-shape.ts";

const fileSuffix = "_file";

/** `key` is where the value belongs, "" for the whole configuration. Wrong types are left to the schema. */
export function normalizeKeys(
  located: LocatedValue,
  shape: SchemaShape,
  key: string,
  faults: Faults,
): LocatedValue {
  const isMap = shape.kind === "map" || shape.kind === "record";
  if (
    isMap &&
    !(shape.kind === "map" && shape.nullable) &&
    located.kind === "scalar" &&
    located.value === null
  ) {
    return { kind: "map", source: located.source, entries: new Map() };
  }
  if (shape.kind === "map") {
    return located.kind === "map" ? normalizeMap(located, shape, key, faults) : located;
  }
  if (shape.kind === "entries" && located.kind === "list") {
    const items = located.items.map((item, index) => {
      const id = entryId(item);
      return normalizeKeys(item, shape.entry, id === undefined ? `${key}[${index}]` : `${key}.${id}`, faults);
    });
    return { ...located, items };
  }
  if (shape.kind === "text" && shape.path && located.kind === "scalar" && typeof located.value === "string") {
    return { ...located, value: located.value === "" ? "" : resolve(located.folder, located.value) };
  }
  return located;
}

function normalizeMap(
  located: LocatedMap,
  shape: Extract<SchemaShape, { kind: "map" }>,
  key: string,
  faults: Faults,
): LocatedMap {
  const entries = new Map<string, LocatedValue>();
  const below = (name: string) => (key === "" ? name : `${key}.${name}`);
  for (const [name, child] of located.entries) {
    const childShape = shape.keys.get(name);
    const base = name.endsWith(fileSuffix) ? name.slice(0, -fileSuffix.length) : undefined;
    if (childShape !== undefined) {
      entries.set(name, normalizeKeys(child, childShape, below(name), faults));
    } else if (base !== undefined && shape.keys.get(base)?.kind === "text") {
      const other = located.entries.get(base);
      if (other !== undefined)
        faults.add(below(base), child.source, `is given twice: here and at ${other.source}`);
      else if (isPath(child)) entries.set(base, { ...child, inFile: true });
      else faults.add(below(base), child.source, "write the path of the file that holds the value");
    } else {
      faults.add(
        below(shownName(name)),
        child.source,
        `is no known key.${didYouMean(name, shape.keys.keys())}`,
      );
    }
  }
  return { ...located, entries };
}

function isPath(located: LocatedValue): located is LocatedScalar {
  return located.kind === "scalar" && typeof located.value === "string" && located.value !== "";
}

/** `client_secret:abc`, a space forgotten, is a key to YAML: never print what may be the secret. */
function shownName(name: string): string {
  const plain = /^[\w-]{0,60}/.exec(name)?.[0] ?? "";
  return plain === name ? name : `${plain}…`;
}
