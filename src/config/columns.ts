/** The width of a terminal, as the environment says it. */

import type { Environment } from "./environment.ts";

/** The number in `COLUMNS`, which goes before what a terminal says of itself (POSIX.1-2017, 8.3). */
export function readColumns(env: Environment = process.env): number | undefined {
  const text = env["COLUMNS"] ?? "";
  return /^[1-9]\d{0,4}$/.test(text) ? Number(text) : undefined;
}
