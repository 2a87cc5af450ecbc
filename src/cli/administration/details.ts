/** A record as a list of names and values, for terminals. */

import { instantFormat, type JsonObject, printable } from "../output.ts";

const instantPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/**
 * A line for each value, those of a record within it indented below its name. Instants are written in the
 * time zone.
 */
export function details(record: JsonObject, timeZone: string): string {
  const format = instantFormat(timeZone);
  return block(record, (text) => format(Date.parse(text)), "").join("");
}

function block(record: JsonObject, format: (instant: string) => string, indent: string): string[] {
  const entries = Object.entries(record);
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.flatMap(([name, value]) => {
    const label = printable(name.replaceAll("_", " "));
    const inner = `${indent}  `;
    if (isRecord(value)) return [`${indent}${label}\n`, ...block(value, format, inner)];
    if (Array.isArray(value) && value.some(isRecord)) {
      const items = value.filter(isRecord).map((item) => block(item, format, inner).join(""));
      return [`${indent}${label}\n`, items.join("\n")];
    }
    if (typeof value === "string" && value.includes("\n")) {
      return [`${indent}${label}\n`, ...value.split("\n").map((line) => `${inner}${printable(line)}\n`)];
    }
    return [`${indent}${label.padEnd(width)}  ${simple(value, format)}\n`];
  });
}

function isRecord(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function simple(value: unknown, format: (instant: string) => string): string {
  if (value === null || value === undefined) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value))
    return value.length === 0 ? "none" : value.map((one) => simple(one, format)).join(", ");
  if (typeof value === "string") return instantPattern.test(value) ? format(value) : printable(value);
  return String(value);
}

const marks: Record<string, string> = { passed: "+", failed: "x" };

/** What a portal says of a person's profiles. */
interface Verdicts {
  outcome: string;
  account_id: string | null;
  profiles: readonly {
    profile: { id: string; name: string; organization: { name: string } };
    admitted: boolean;
    rules: readonly { rule: string; verdict: string; reason: string | null; fix: string | null }[];
  }[];
}

/** What a portal's rules come to, profile by profile: the answer to "why was this denied?". */
export function verdicts({ outcome, account_id: account, profiles }: Verdicts): string {
  const head = `${words(outcome)}${account === null ? "" : `, account ${printable(account)}`}\n`;
  const blocks = profiles.map(({ profile, admitted, rules }) => {
    const { id, name, organization } = profile;
    const who = printable(`${id}, ${name} of ${organization.name}`);
    const lines = rules.map(({ rule, verdict, reason, fix }) => {
      const why = reason === null ? "" : `  ${words(reason)}. ${printable(fix ?? "")}`;
      const what = reason === null ? `  ${words(verdict)}` : "";
      return `  ${marks[verdict] ?? "-"} ${words(rule).padEnd(20)}${what}${why}\n`;
    });
    return `\n${who}: ${admitted ? "admitted" : "not admitted"}\n${lines.join("")}`;
  });
  return head + blocks.join("");
}

const words = (value: string) => printable(value.replaceAll("_", " "));
