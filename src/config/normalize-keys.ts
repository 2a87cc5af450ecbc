/**
 * Normalizes the keys of what was written to those of the schema: names unknown ones, takes `<key>_file` for
 * `<key>`, makes paths absolute.
 */

import { resolve } from "node:path";
import type { Faults } from "./faults.ts";
import type { SchemaShape } from "./schema-shape.ts";
import { didYouMean } from "./suggest.ts";
import { entryId, type MapTree, type ScalarTree, type Tree } from "./tree.ts";

const fileSuffix = "_file";

/** `key` is where the tree belongs, "" for the whole configuration. Wrong types are left to the schema. */
export function normalizeKeys(tree: Tree, shape: SchemaShape, key: string, faults: Faults): Tree {
  const isMap = shape.kind === "map" || shape.kind === "record";
  if (isMap && !(shape.kind === "map" && shape.nullable) && tree.kind === "scalar" && tree.value === null) {
    return { kind: "map", source: tree.source, entries: new Map() };
  }
  if (shape.kind === "map") {
    return tree.kind === "map" ? normalizeMap(tree, shape, key, faults) : tree;
  }
  if (shape.kind === "entries" && tree.kind === "list") {
    const items = tree.items.map((item, index) => {
      const id = entryId(item);
      return normalizeKeys(item, shape.entry, id === undefined ? `${key}[${index}]` : `${key}.${id}`, faults);
    });
    return { ...tree, items };
  }
  if (shape.kind === "text" && shape.path && tree.kind === "scalar" && typeof tree.value === "string") {
    return { ...tree, value: tree.value === "" ? "" : resolve(tree.folder, tree.value) };
  }
  return tree;
}

function normalizeMap(
  tree: MapTree,
  shape: Extract<SchemaShape, { kind: "map" }>,
  key: string,
  faults: Faults,
): MapTree {
  const entries = new Map<string, Tree>();
  const below = (name: string) => (key === "" ? name : `${key}.${name}`);
  for (const [name, child] of tree.entries) {
    const childShape = shape.keys.get(name);
    const base = name.endsWith(fileSuffix) ? name.slice(0, -fileSuffix.length) : undefined;
    if (childShape !== undefined) {
      entries.set(name, normalizeKeys(child, childShape, below(name), faults));
    } else if (base !== undefined && shape.keys.get(base)?.kind === "text") {
      const other = tree.entries.get(base);
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
  return { ...tree, entries };
}

function isPath(tree: Tree): tree is ScalarTree {
  return tree.kind === "scalar" && typeof tree.value === "string" && tree.value !== "";
}

/** `client_secret:abc`, a space forgotten, is a key to YAML: never print what may be the secret. */
function shownName(name: string): string {
  const plain = /^[\w-]{0,60}/.exec(name)?.[0] ?? "";
  return plain === name ? name : `${plain}…`;
}
