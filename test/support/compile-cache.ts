/** The compile cache of tests: code that one of their many processes has compiled is compiled for all. */

import { join } from "node:path";

/** Has every process that is started from here on keep what it compiles beside the dependencies, unless told otherwise. */
export function keepCompiled(): void {
  process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "..", "..", "node_modules", ".cache", "compiled");
}
