/** What tells a record as somebody read it from the same record after another edit. */

import { createHash } from "node:crypto";
import type { Client } from "./records.ts";

/** A fingerprint of what a record says: the same for equal records, whatever the order of their fields. */
export function revisionOf(record: object): string {
  return createHash("sha256").update(canonical(record)).digest("base64url").slice(0, 22);
}

/** The same of a client, whose secrets are no part of what is edited. */
export function clientRevision({ secret: _secret, previousSecret: _previous, ...client }: Client): string {
  return revisionOf(client);
}

/** JSON with the fields of every object in the order of their names. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`);
  return `{${fields.join(",")}}`;
}
