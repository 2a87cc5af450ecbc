/** The values of a posted form, by the names of its fields. */

import type { Context } from "koa";
import { randomId } from "../../domain/secrets.ts";

/** A field that stands there several times has several. */
export type FormValues = Record<string, string[]>;

/** What was posted. */
export function valuesOf(ctx: Context): FormValues {
  const body = (ctx.request as { body?: unknown }).body;
  if (typeof body !== "object" || body === null) return {};
  const entries = Object.entries(body).map(([name, value]): [string, string[]] => [
    name,
    [value].flat().filter((one): one is string => typeof one === "string"),
  ]);
  return Object.assign(Object.create(null), Object.fromEntries(entries)) as FormValues;
}

/** What makes a creation come true once, however often its form is sent. */
export const newOnce = () => randomId();

/** One value of a field, cut; undefined for an empty one. */
export function fieldValue(values: FormValues, name: string): string | undefined {
  const text = values[name]?.[0]?.trim() ?? "";
  return text === "" ? undefined : text;
}

/** The lines of a field. */
export function linesOf(values: FormValues, name: string): string[] {
  return (values[name] ?? [])
    .flatMap((text) => text.split(/\r?\n/))
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

export const isTicked = (values: FormValues, name: string) => values[name]?.includes("true") ?? false;
