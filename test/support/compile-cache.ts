/** The compile cache of tests: code that one of their many processes has compiled is compiled for all. */

import { join } from "node:path";

/** Where compiled code is kept: beside the dependencies, unless the environment says otherwise. */
const folder =
  process.env["NODE_COMPILE_CACHE"] ??
  join(import.meta.dirname, "..", "..", "node_modules", ".cache", "compiled");

/** The environment of a child that keeps there what it compiles. */
export const keepingCompiled: NodeJS.ProcessEnv = { ...process.env, NODE_COMPILE_CACHE: folder };

/** Has every process that is started from here on keep what it compiles. */
export function keepCompiled(): void {
  process.env["NODE_COMPILE_CACHE"] = folder;
}
