/** Located values: what a configuration says and where it was written, for faults that name their source. */

export type LocatedValue = LocatedMap | LocatedList | LocatedScalar;

export interface LocatedMap {
  kind: "map";
  source: string;
  entries: Map<string, LocatedValue>;
}

export interface LocatedList {
  kind: "list";
  source: string;
  items: LocatedValue[];
}

export interface LocatedScalar {
  kind: "scalar";
  source: string;
  /** Folder that a relative path written here starts from. */
  folder: string;
  /** The value itself, or the file that holds it. */
  value: unknown;
  inFile: boolean;
}

/** Two spellings of one id or key: case and `-` or `_` make no difference to the environment. */
export function sameName(one: string, other: string): boolean {
  return one.toLowerCase().replaceAll("-", "_") === other.toLowerCase().replaceAll("-", "_");
}

/** The id of a list entry, if it has one. */
export function entryId(located: LocatedValue): string | undefined {
  const id = located.kind === "map" ? located.entries.get("id") : undefined;
  return id?.kind === "scalar" && !id.inFile && typeof id.value === "string" ? id.value : undefined;
}

/**
 * Lays one located value over another: maps key by key, lists of entries id by id; anything else is
 * replaced.
 */
export function overlay(below: LocatedValue | undefined, above: LocatedValue): LocatedValue {
  if (below?.kind === "map" && above.kind === "map") {
    const entries = new Map(below.entries);
    for (const [key, located] of above.entries) entries.set(key, overlay(entries.get(key), located));
    return { ...below, entries };
  }
  if (
    below?.kind === "list" &&
    above.kind === "list" &&
    above.items.some((item) => entryId(item) !== undefined)
  ) {
    const items = [...below.items];
    for (const item of above.items) {
      const id = entryId(item);
      const index = id === undefined ? -1 : below.items.findIndex((present) => entryId(present) === id);
      if (index < 0) items.push(item);
      else items[index] = overlay(items[index], item);
    }
    return { ...below, items };
  }
  return above;
}

/** The plain value, for the schema. */
export function toValue(located: LocatedValue): unknown {
  if (located.kind === "scalar") return located.value;
  if (located.kind === "list") return located.items.map(toValue);
  return Object.fromEntries([...located.entries].map(([key, child]) => [key, toValue(child)]));
}

/** What is written at a path of the plain value, if anything. */
export function at(located: LocatedValue, path: readonly PropertyKey[]): LocatedValue | undefined {
  let current: LocatedValue | undefined = located;
  for (const step of path) {
    if (current?.kind === "map") current = current.entries.get(String(step));
    else if (current?.kind === "list") current = current.items[Number(step)];
    else return undefined;
  }
  return current;
}

/**
 * A path as people write it, list entries by their id where they have one:
 * `upstreams.consumer.client_secret`.
 */
export function keyOf(located: LocatedValue, path: readonly PropertyKey[]): string {
  let key = "";
  for (const [index, step] of path.entries()) {
    const entry = typeof step === "number" ? at(located, path.slice(0, index + 1)) : undefined;
    const id = entry && entryId(entry);
    key += typeof step === "number" && id === undefined ? `[${step}]` : `${key && "."}${id ?? String(step)}`;
  }
  return key;
}
