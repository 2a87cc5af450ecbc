/** Writing to streams that may be slower than we are, and JSON that a terminal can be shown. */

import { once } from "node:events";
import type { Writable } from "node:stream";

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
