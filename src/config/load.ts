/**
 * The only reader of configuration files and of the environment.
 *
 * FILE is a YAML file, or a folder of which every `*.yaml` and `*.yml` but `example.yaml` is read in name
 * order, later ones laid over earlier ones (sections key by key, lists of entries id by id). The environment
 * is laid over that. A relative path starts where it is written: in the folder of its file; in the working
 * directory when it comes from the environment or is a default. All faults are found before any is reported,
 * and no fault repeats a value.
 */

import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { z } from "zod";
import { ConfigError, type ConfigFault } from "../errors.ts";
import { type Environment, overlayEnvironment, passedOver, withoutTrailingNewline } from "./environment.ts";
import { Faults, unreadable } from "./faults.ts";
import { at, entryId, keyOf, type LocatedValue, overlay, toValue } from "./located-value.ts";
import { normalizeKeys } from "./normalize-keys.ts";
import { type Config, configSchema } from "./schema.ts";
import { configShape } from "./schema-shape.ts";
import { warningsOf } from "./warnings.ts";
import { parseYaml } from "./yaml.ts";

export interface LoadedConfig {
  config: Config;
  /** What is allowed but weakens something. */
  warnings: ConfigFault[];
}

/**
 * Reads and checks a configuration.
 * @param options.file a YAML file, or a folder of them
 * @param options.env defaults to this process's environment
 * @throws ConfigError with every fault, each with its key and source
 */
export async function loadConfig(options: { file: string; env?: Environment }): Promise<LoadedConfig> {
  const env = options.env ?? process.env;
  const faults = new Faults();
  let located: LocatedValue = { kind: "map", source: options.file, entries: new Map() };
  for (const file of await filesOf(options.file, env, faults))
    located = overlay(located, await readYaml(file, faults));
  located = await overlayEnvironment(located, env, faults);
  located = await readValueFiles(located, located, [], faults);

  const parsed = configSchema.safeParse(toValue(located));
  for (const issue of parsed.error?.issues ?? []) report(issue, located, faults);
  if (faults.list.length > 0 || !parsed.success) throw new ConfigError(faults.list);

  const config = parsed.data;
  const { sqlite } = config.storage;
  if (sqlite !== undefined) sqlite.file = resolve(sqlite.file);
  const warnings = warningsOf(config).map((warning) => ({
    ...warning,
    source: sourceOf(warning.key, located),
  }));
  return { config, warnings: [...warnings, ...passedOver(env)] };
}

async function filesOf(file: string, env: Environment, faults: Faults): Promise<string[]> {
  try {
    if (!(await stat(file)).isDirectory()) return [file];
    const names = (await readdir(file))
      .filter((name) => /\.ya?ml$/.test(name) && name !== "example.yaml")
      .sort();
    if (names.length === 0 && env["LIAISON_ISSUER"] === undefined) {
      const example = join(file, "example.yaml");
      faults.add(
        "(file)",
        file,
        `holds no configuration: copy ${example} to ${join(file, "liaison.yaml")} and edit it`,
      );
      faults.keysMayBeLost = true;
    }
    return names.map((name) => join(file, name));
  } catch (error) {
    faults.add("(file)", file, unreadable(error, "this file"));
    faults.keysMayBeLost = true;
    return [];
  }
}

async function readYaml(file: string, faults: Faults): Promise<LocatedValue> {
  try {
    const text = await readFile(file, "utf8");
    const located = parseYaml(text, { name: file, lines: true, folder: dirname(resolve(file)) }, faults);
    const whole = normalizeKeys(located, configShape, "", faults);
    if (whole.kind === "map") return whole;
    if (!faults.keysMayBeLost)
      faults.add("(file)", whole.source, `${basename(file)} must hold keys and values`);
  } catch (error) {
    faults.add("(file)", file, unreadable(error, "this file"));
  }
  faults.keysMayBeLost = true;
  return { kind: "map", source: file, entries: new Map() };
}

/** Puts in what `<key>_file` names. */
async function readValueFiles(
  located: LocatedValue,
  root: LocatedValue,
  path: PropertyKey[],
  faults: Faults,
): Promise<LocatedValue> {
  if (located.kind === "map") {
    const entries = new Map<string, LocatedValue>();
    for (const [key, child] of located.entries)
      entries.set(key, await readValueFiles(child, root, [...path, key], faults));
    return { ...located, entries };
  }
  if (located.kind === "list") {
    const items: LocatedValue[] = [];
    for (const [index, item] of located.items.entries()) {
      items.push(await readValueFiles(item, root, [...path, index], faults));
    }
    return { ...located, items };
  }
  if (!located.inFile) return located;
  try {
    const text = await readFile(resolve(located.folder, String(located.value)), "utf8");
    return { ...located, inFile: false, value: withoutTrailingNewline(text) };
  } catch (error) {
    faults.add(keyOf(root, path), located.source, unreadable(error));
    return { ...located, inFile: false, value: "" };
  }
}

const typeNames: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a section of keys and values",
};

/** Turns one of the schema's issues into a fault. */
function report(issue: z.core.$ZodIssue, located: LocatedValue, faults: Faults): void {
  const key = keyOf(located, issue.path) || "(file)";
  if (faults.has(key)) return;
  const written = at(located, issue.path);
  if (written === undefined) {
    if (faults.keysMayBeLost) return;
    const section = at(located, issue.path.slice(0, -1));
    const where = issue.path.length > 1 && section ? ` (its section stands at ${section.source})` : "";
    faults.add(key, "missing", `${issue.code === "custom" ? issue.message : "is required"}${where}`);
    return;
  }
  faults.add(key, written.source, problemOf(issue, written));
}

function problemOf(issue: z.core.$ZodIssue, written: LocatedValue): string {
  if (issue.code !== "invalid_type") return issue.message;
  const expected = typeNames[issue.expected] ?? issue.expected;
  if (written.kind === "map") return `must be ${expected}, not a section`;
  if (written.kind === "list") return `must be ${expected}, not a list`;
  if (written.value === null) return `has no value; it must be ${expected}`;
  const inQuotes = issue.expected === "string" ? "; put it in quotes" : "";
  return `must be ${expected}, not ${typeNames[typeof written.value] ?? "this"}${inQuotes}`;
}

/** Where a key of the finished configuration comes from. */
function sourceOf(key: string, located: LocatedValue): string {
  let current: LocatedValue | undefined = located;
  for (const step of key.split(".")) {
    if (current?.kind === "map") current = current.entries.get(step);
    else if (current?.kind === "list") current = current.items.find((item) => entryId(item) === step);
  }
  return current?.source ?? "default";
}
