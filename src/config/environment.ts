/**
 * Lays environment variables over what the files say. `LIAISON_` and the key path in upper case, `__` between
 * levels, list entries by their id: `LIAISON_UPSTREAMS__CONSUMER__CLIENT_SECRET`. With `_FILE` appended, the
 * value is read from that file.
 */

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { ConfigFault } from "../errors.ts";
import { didYouMean } from "./did-you-mean.ts";
import { type Faults, unreadable } from "./faults.ts";
import { entryId, type LocatedList, type LocatedValue, overlay, sameName } from "./located-value.ts";
import { normalizeKeys } from "./normalize-keys.ts";
import { configShape, type SchemaShape } from "./schema-shape.ts";
import { parseYaml } from "./yaml.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const prefix = "LIAISON_";
const fileSuffix = "_FILE";

/** Holds the token of commands that call a broker elsewhere: no key of the configuration. See token.ts. */
export const TOKEN_VARIABLE = "LIAISON_TOKEN";
/** Names the file that holds it. */
export const TOKEN_FILE_VARIABLE = `${TOKEN_VARIABLE}${fileSuffix}`;
const besideConfiguration: readonly string[] = [TOKEN_VARIABLE, TOKEN_FILE_VARIABLE];

/**
 * What Kubernetes and Docker's links set in the containers beside a service that is called liaison: where it
 * is. No key of the configuration has a name of these forms.
 * https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
const SERVICE_LINK =
  /^LIAISON_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9]+)*|PORT(?:_\d+_(?:TCP|UDP)(?:_[A-Z]+)*)?)$/;
/** What they write in LIAISON_PORT: a URL. A person means a port's number. */
const SERVICE_URL = /^(?:tcp|udp|sctp):\/\//;

/** What of the environment is passed over although somebody may have meant something by it. */
export function passedOver(env: Environment): ConfigFault[] {
  const port = env["LIAISON_PORT"];
  if (port === undefined || port === "" || SERVICE_URL.test(port)) return [];
  const problem =
    "isn't set by LIAISON_PORT, which Kubernetes and Docker set for themselves; write " +
    "LIAISON_LISTEN__PORT for the port to listen on";
  return [{ key: "listen.port", source: "env LIAISON_PORT", problem }];
}

function isOurs(name: string): boolean {
  return name.startsWith(prefix) && !besideConfiguration.includes(name) && !SERVICE_LINK.test(name);
}

/**
 * How far a variable's name has led: the key, what the schema expects there, and what is written there so
 * far.
 */
interface Place {
  path: string[];
  shape: SchemaShape;
  located: LocatedValue | undefined;
  /** Whether the variable names a file that holds the value. */
  inFile: boolean;
}

interface Variable extends Place {
  source: string;
  value: string;
}

/** Returns the located values with every `LIAISON_` variable laid over it, the less specific ones first. */
export async function overlayEnvironment(
  located: LocatedValue,
  env: Environment,
  faults: Faults,
): Promise<LocatedValue> {
  const names = Object.keys(env)
    .filter((name) => isOurs(name) && env[name] !== undefined)
    .sort((one, other) => one.split("__").length - other.split("__").length || (one < other ? -1 : 1));
  const setBy = new Map<string, string>();
  let result = located;
  for (const name of names) {
    const variable = locate(name, env[name] ?? "", result, faults);
    if (variable === undefined) continue;
    const key = variable.path.join(".");
    const other = setBy.get(key);
    if (other !== undefined) {
      faults.add(key, variable.source, `is given twice: here and by ${other}`);
      continue;
    }
    setBy.set(key, variable.source);
    const value = await readValue(variable, faults);
    if (value !== undefined) result = overlay(result, wrap(variable.path, value, result));
  }
  return result;
}

/** Finds what a variable sets; names a fault and returns undefined when it sets nothing. */
function locate(name: string, value: string, located: LocatedValue, faults: Faults): Variable | undefined {
  const source = `env ${name}`;
  const segments = name.slice(prefix.length).split("__");
  let place: Place = { path: [], shape: configShape, located, inFile: false };
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    const next = place.shape.kind === "entries" ? intoEntry(place, segment) : intoKey(place, segment, last);
    if (next === undefined) {
      faults.add(
        [...place.path, segment.toLowerCase()].join("."),
        source,
        unknown(place, segments.slice(0, index + 1)),
      );
      return undefined;
    }
    place = next;
  }
  return { ...place, source, value };
}

function intoEntry(place: Place, segment: string): Place | undefined {
  const entry = entriesOf(place).find((candidate) => sameName(entryId(candidate) ?? "", segment));
  const id = entry && entryId(entry);
  if (id === undefined || place.shape.kind !== "entries") return undefined;
  return { path: [...place.path, id], shape: place.shape.entry, located: entry, inFile: false };
}

function intoKey(place: Place, segment: string, last: boolean): Place | undefined {
  if (place.shape.kind !== "map") return undefined;
  const { keys } = place.shape;
  const find = (name: string) => [...keys].find(([candidate]) => sameName(candidate, name));
  let found = find(segment);
  const inFile = found === undefined && last && segment.endsWith(fileSuffix);
  if (inFile) found = find(segment.slice(0, -fileSuffix.length));
  if (found === undefined) return undefined;
  const [key, shape] = found;
  const located = place.located?.kind === "map" ? place.located.entries.get(key) : undefined;
  return { path: [...place.path, key], shape, located, inFile };
}

function entriesOf(place: Place): LocatedValue[] {
  return place.located?.kind === "list" ? place.located.items : [];
}

/** Says why the last of `segments` leads nowhere. */
function unknown(place: Place, segments: string[]): string {
  const written = prefix + segments.join("__");
  const start =
    prefix +
    segments
      .slice(0, -1)
      .map((segment) => `${segment}__`)
      .join("");
  const guess = (names: Iterable<string>) =>
    didYouMean(
      written,
      [...names].map((name) => start + name.toUpperCase().replaceAll("-", "_")),
    );
  if (place.shape.kind === "entries") {
    const ids = entriesOf(place)
      .map(entryId)
      .filter((id) => id !== undefined);
    return (
      `no entry of ${place.path.join(".")} has this id; the environment fills in entries that ` +
      `exist.${guess(ids)}`
    );
  }
  return `sets no known key.${guess(place.shape.kind === "map" ? place.shape.keys.keys() : [])}`;
}

/** The value in the type that the schema expects; names a fault and returns undefined when it has another. */
async function readValue(variable: Variable, faults: Faults): Promise<LocatedValue | undefined> {
  const key = variable.path.join(".");
  let text = variable.value;
  if (variable.inFile) {
    try {
      text = withoutTrailingNewline(await readFile(resolve(text), "utf8"));
    } catch (error) {
      faults.add(key, variable.source, unreadable(error));
      return undefined;
    }
  }
  const { shape, source } = variable;
  const folder = process.cwd();
  const scalar = (value: unknown): LocatedValue => ({ kind: "scalar", source, folder, value, inFile: false });
  const refuse = (problem: string) => {
    faults.add(key, source, problem);
    return undefined;
  };
  if (shape.kind === "number")
    return /^-?\d+$/.test(text) ? scalar(Number(text)) : refuse("write a whole number");
  if (shape.kind === "boolean") {
    return text === "true" || text === "false" ? scalar(text === "true") : refuse("write true or false");
  }
  if (shape.kind === "text")
    return normalizeKeys(scalar(text === "" && shape.nullable ? null : text), shape, key, faults);
  if (shape.kind === "words" && !text.trimStart().startsWith("[")) {
    const words = text.split(",").map((word) => word.trim());
    return { kind: "list", source, items: words.filter((word) => word !== "").map(scalar) };
  }
  return normalizeKeys(parseYaml(text, { name: source, lines: false, folder }, faults), shape, key, faults);
}

/** The value within the maps and lists that lead to it. */
function wrap(path: string[], value: LocatedValue, located: LocatedValue | undefined): LocatedValue {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (located?.kind === "list") {
    const entry = located.items.find((item) => entryId(item) === step);
    const list: LocatedList = { kind: "list", source: value.source, items: [] };
    if (entry?.kind !== "map") return list;
    const id = entry.entries.get("id");
    const inner = wrap(rest, value, entry);
    if (inner.kind === "map" && id !== undefined && !inner.entries.has("id")) inner.entries.set("id", id);
    return { ...list, items: [inner] };
  }
  const child = wrap(rest, value, located?.kind === "map" ? located.entries.get(step) : undefined);
  return { kind: "map", source: value.source, entries: new Map([[step, child]]) };
}

/** What editors and `echo` put at the end of a file belongs to no secret. */
export function withoutTrailingNewline(text: string): string {
  return text.replace(/\r?\n$/, "");
}
