/**
 * What was typed, as the input of an operation. Values are checked before anything is opened or called; what
 * depends on the record as it is, is filled in afterwards.
 */

import { z } from "zod";
import type { Definition } from "../../admin/definitions/definition.ts";
import { fromText, type JsonSchema, typeOf } from "../../admin/rest/texts.ts";
import { type Call, usageError } from "../command.ts";
import type { JsonObject } from "../output.ts";
import { enumOf, type Field, fieldsOf, flagName, PARTS } from "./fields.ts";

export interface Draft {
  input: Record<string, unknown>;
  /** Fields of which single values were typed: what isn't stays as it is. */
  parts: Map<string, Record<string, unknown>>;
}

/** @throws LiaisonError `usage` with everything that is wrong, flag by flag */
export function readDraft(definition: Definition, call: Typing): Draft {
  const { draft, faults } = read(definition, call);
  if (faults.length > 0)
    throw usageError(`${faults.join("\n")}\nSee: liaison ${definition.command?.name} --help`);
  return draft;
}

/** Everything that is wrong with what was typed, a line each. */
export function draftFaults(definition: Definition, call: Typing): readonly string[] {
  return read(definition, call).faults;
}

type Typing = Pick<Call, "flags" | "operand">;

function read(definition: Definition, { flags, operand }: Typing): { draft: Draft; faults: string[] } {
  const faults: string[] = [];
  const draft: Draft = { input: {}, parts: new Map() };
  for (const field of fieldsOf(definition)) {
    const isOperand = field.name === definition.command?.operand;
    const flag = `--${flagName(field.name)}`;
    const text = isOperand ? operand : flags.get(flagName(field.name));
    const parts = readParts(definition, field, flags, faults);
    if (parts !== undefined && text !== undefined)
      faults.push(`${flag}: say it so, or by the flags for each, not both.`);
    if (parts !== undefined) draft.parts.set(field.name, parts);
    if (text !== undefined) {
      const what = isOperand ? operandName(field.name) : flag;
      draft.input[field.name] = readValue(definition, field, { text, what }, faults);
    } else if (field.isRequired) {
      faults.push(isOperand ? `Name the ${field.name}.` : `${flag} is needed.`);
    }
  }
  if (faults.length === 0 && definition.kind === "edits") faults.push(...nothingToEdit(definition, draft));
  return { draft, faults };
}

/** How an operand is called in usage: `ID`. */
export const operandName = (field: string) =>
  field === "q" ? "SEARCH" : field === "email" ? "ADDRESS" : field.toUpperCase();

function nothingToEdit(definition: Definition, { input, parts }: Draft): string[] {
  const isNamed = Object.keys(input).some((field) => field !== definition.command?.operand);
  return isNamed || parts.size > 0 ? [] : ["Say by a flag what to change."];
}

/** What is typed for a field. */
interface Typed {
  text: string;
  /** How it is called in messages. */
  what: string;
}

function readValue({ input }: Definition, { name, schema }: Field, typed: Typed, faults: string[]): unknown {
  const value = valueFrom(schema, typed.text);
  const shape = input.shape[name];
  const parsed = shape === undefined ? undefined : z.safeParse(shape, value);
  const [issue] = parsed?.error?.issues ?? [];
  if (issue !== undefined) faults.push(faultOf(schema, typed, issue, value));
  return value;
}

/** Null for `none` where it may be; a list of what commas separate, or of JSON text. */
function valueFrom(schema: JsonSchema | undefined, text: string): unknown {
  const { type, items, nullable } = typeOf(schema);
  if (nullable && text === "none") return null;
  if (type === "object" || (type === "array" && text.startsWith("["))) return fromJson(text);
  if (type !== "array") return fromText(schema, text);
  const parts = text.split(",").map((part) => part.trim());
  return parts.filter((part) => part !== "").map((part) => fromText({ ...(items && { type: items }) }, part));
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function faultOf(schema: JsonSchema, { text, what }: Typed, issue: z.core.$ZodIssue, value: unknown): string {
  const { type, nullable } = typeOf(schema);
  const place =
    issue.path.length === 0 ? undefined : (value as Record<PropertyKey, unknown>)[issue.path[0] ?? ""];
  const wrong = typeof place === "string" ? place : text;
  const values = enumOf(schema);
  if (values !== undefined && issue.code === "invalid_value") {
    return (
      `${what} takes ` +
      `${type === "array" ? "some of " : ""}${listOf(nullable ? [...values, "none"] : values)}, not ` +
      `"${wrong}".`
    );
  }
  if (type === "boolean") return `${what} takes true or false, not "${text}".`;
  if (type === "integer") {
    return `${what} takes a whole number from ${schema["minimum"]} to ${schema["maximum"]}, not "${text}".`;
  }
  if (type === "object" && typeof value === "string") return `${what} takes a JSON object, not "${text}".`;
  const where =
    issue.path.length === 0 ? "" : ` ${typeof place === "string" ? `"${place}"` : issue.path.join(".")}:`;
  return `${what}:${where} ${issue.message}.`;
}

function listOf(values: readonly string[]): string {
  return values.length < 2 ? values.join("") : `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
}

/** What the flags for single values of a field say. */
function readParts(
  definition: Definition,
  { name, schema }: Field,
  flags: Call["flags"],
  faults: string[],
): Record<string, unknown> | undefined {
  const entries = Object.entries(PARTS[name] ?? {}).flatMap(([flag, { part }]): [string, unknown][] => {
    const text = flags.get(flag);
    if (text === undefined) return [];
    const what = `--${flag}`;
    const ofPart = schema.properties?.[part];
    const value = valueFrom(ofPart, text);
    if (part === "last_day") {
      if (value !== null && !z.iso.date().safeParse(value).success)
        faults.push(`${what} takes a day as YYYY-MM-DD, or none, not "${text}".`);
      return [[part, value]];
    }
    const values = ofPart && enumOf(ofPart);
    const wrong = [value].flat().find((one) => values !== undefined && !values.includes(String(one)));
    if (values !== undefined && wrong !== undefined)
      faults.push(`${what} takes ${listOf(values)}, not "${wrong}".`);
    if (typeOf(ofPart).type === "boolean" && typeof value !== "boolean") {
      faults.push(`${what} takes true or false, not "${text}".`);
    }
    return [[part, value]];
  });
  if (entries.length === 0) return undefined;
  const parts = Object.fromEntries(entries);
  if (definition.kind === "creates") faults.push(...lacking(name, parts));
  return parts;
}

/** What is needed of a field of something new when some of it is typed. */
function lacking(field: string, parts: Record<string, unknown>): string[] {
  if (field === "plan" && !("status" in parts)) return ["--plan-expires needs --plan-status beside it."];
  if (field === "access_policy" && !("kinds" in parts))
    return ["--plan-required and --roles need --kinds beside them."];
  return [];
}

/**
 * The whole input.
 * @param current the record as it is, of an edit that names single values
 */
export function complete({ input, parts }: Draft, current: JsonObject | undefined): JsonObject {
  const whole = [...parts].map(([field, typed]): [string, unknown] => {
    const before = { ...(current?.[field] as object | undefined) };
    // A day that is typed replaces the instant: where it ends, whoever keeps it knows.
    if ("last_day" in typed) Reflect.deleteProperty(before, "expires_at");
    return [field, { ...before, ...typed }];
  });
  return { ...input, ...Object.fromEntries(whole) };
}
