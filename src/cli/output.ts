/** Output: streams that may be slower than we are, terminals, and text and JSON that these can be shown. */

import { once } from "node:events";
import type { Writable } from "node:stream";
import { readColumns } from "../config/columns.ts";

/** A record, whatever it holds. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Writes, and waits while the reader is slower. */
export async function put(stream: Writable, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, "drain");
}

/**
 * A value as one line of JSON. What could move a cursor or turn the reading direction is escaped: the value
 * stays the same.
 */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) =>
    Array.from({ length: character.length }, (_, unit) => {
      return `\\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`;
    }).join(""),
  );
  return `${text}\n`;
}

/** How many columns a stream has: `COLUMNS`, or the terminal's; undefined for what is no terminal. */
export function widthOf(stream: object): number | undefined {
  const { isTTY, columns } = stream as { isTTY?: boolean; columns?: number };
  if (isTTY !== true) return undefined;
  const width = readColumns() ?? columns;
  return width !== undefined && width > 0 ? width : undefined;
}

/** Writes instants such as "2026-11-26 14:05:12". */
export function instantFormat(timeZone: string): (at: number) => string {
  const form = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" });
  return (at) => form.format(at);
}

/** Names and replies come from elsewhere: no control character of theirs reaches a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ");
}
