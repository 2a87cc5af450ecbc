/**
 * Edits of records by forms. A form brings back a digest of each field as it was shown: what differs was
 * changed in it, and nothing else is written, whatever its values would come to when they are read again.
 */

import { createHash } from "node:crypto";
import { domainToASCII } from "node:url";
import { isDeepStrictEqual } from "node:util";
import type { FormState } from "../../ui/console/views.ts";
import { attempt } from "./attempt.ts";
import { type FormValues, fieldValue } from "./form-values.ts";
import type { ConsoleRequest } from "./request.ts";

/** An edit of a record of the type `Item`, by an operation that takes `Typed`. */
export interface Edit<Item, Typed> {
  /** Where the form is posted, below `/admin`. */
  action: string;
  /** What the form shows of a record: all its fields. */
  valuesOf(item: Item): FormValues;
  /** What the form says, as the operation takes it. */
  typed(values: FormValues): Typed;
  /** Carries out what was changed. @throws EditConflict where the record has another revision */
  apply(changes: Partial<Typed>, revision: string): Promise<Item>;
  show(state: FormState, status?: number): void;
}

/** Shows the form of a record as it is. */
export function showEdit<Item, Typed>(
  request: ConsoleRequest,
  edit: Edit<Item, Typed>,
  read: { output: Item; revision: string },
): void {
  const values = edit.valuesOf(read.output);
  edit.show(request.newForm(edit.action, values, { revision: read.revision, was: asShown(values) }));
}

/**
 * Carries out what was changed in a form that came back. If that is wrong, or somebody else was faster, the
 * form has been shown once more and nothing is returned: with what was changed in it, and all else as it is
 * now.
 * @param known the record as it is
 * @returns the record afterwards; `known` itself if nothing was changed, and then nothing was written
 */
export async function applyEdit<Item extends object, Typed extends object>(
  request: ConsoleRequest,
  edit: Edit<Item, Typed>,
  known: Item,
): Promise<Item | undefined> {
  const posted = request.values();
  const was = fieldValue(posted, "was");
  const revision = fieldValue(posted, "revision") ?? "";
  const values = merged(edit.valuesOf(known), posted, was);
  const changes = differing(edit.typed(values), edit.typed(edit.valuesOf(known)));
  if (Object.keys(changes).length === 0) return known;
  const again = (state: Partial<FormState>, status: number, current: unknown) => {
    const now = current === undefined ? undefined : edit.valuesOf(current as Item);
    const shown = now === undefined ? values : merged(now, posted, was);
    const base = now === undefined ? (was ?? asShown(edit.valuesOf(known))) : asShown(now);
    edit.show(request.newForm(edit.action, shown, { revision, was: base, ...state }), status);
  };
  return (await attempt(edit.apply(changes, revision), again))?.output;
}

/** Whether a form says something else than it was shown with, in any of the fields that are named. */
export function isChanged(posted: FormValues, names: readonly string[]): boolean {
  const was = digestsOf(fieldValue(posted, "was"));
  return names.some((name) => was?.[name] !== digest(posted[name] ?? []));
}

/** A digest of each field, as text for a form to bring back. */
export function asShown(values: FormValues): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, digest(value)])),
  );
}

/** The record's values, with those of the form in the fields that were changed there. */
function merged(values: FormValues, posted: FormValues, was: string | undefined): FormValues {
  const shown = digestsOf(was);
  const pick = ([name, value]: [string, string[]]): [string, string[]] => {
    const typed = posted[name] ?? [];
    return [name, shown?.[name] === digest(typed) ? value : typed];
  };
  return Object.fromEntries(Object.entries(values).map(pick));
}

function digestsOf(was: string | undefined): Record<string, unknown> | undefined {
  try {
    const read: unknown = JSON.parse(was ?? "");
    return typeof read === "object" && read !== null ? (read as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function digest(values: readonly string[]): string {
  const lines = values
    .flatMap((text) => text.split(/\r?\n/))
    .map((line) => plainDomain(line.trim()))
    .filter((line) => line !== "");
  return createHash("sha256").update(JSON.stringify(lines)).digest("base64url").slice(0, 16);
}

/**
 * Browsers write the domain of an address in a field for addresses as its A-label, however it was shown
 * there.
 */
function plainDomain(text: string): string {
  const [, local, domain = ""] = /^([^@\s]+@)([^@\s]+)$/.exec(text) ?? [];
  return local === undefined ? text : local + (domainToASCII(domain) || domain);
}

function differing<Typed extends object>(after: Typed, before: Typed): Partial<Typed> {
  const known = new Map<string, unknown>(Object.entries(before));
  const changed = Object.entries(after).filter(([name, value]) => !isDeepStrictEqual(value, known.get(name)));
  return Object.fromEntries(changed) as Partial<Typed>;
}
