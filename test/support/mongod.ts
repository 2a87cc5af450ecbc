/**
 * Where a MongoDB server is to be had: the tests' own decision, so that nothing starts one that wasn't asked
 * for.
 */

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** `MONGOD_BINARY`, else `mongod` on the PATH; undefined if there is none. */
export function findMongod(env: NodeJS.ProcessEnv): string | undefined {
  const named = env["MONGOD_BINARY"];
  if (named) return isExecutable(named) ? named : undefined;
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, "mongod")).find(isExecutable);
}

/** What to do when there is none, in one line. */
export const noMongod =
  "there is no mongod: put one (4.4 or newer) on the PATH, name it in MONGOD_BINARY, or set " +
  "MONGOD_DOWNLOAD=1 to fetch one";

/** With `MONGOD_DOWNLOAD=1` the server that mongodb-memory-server-core downloads and keeps. */
export async function fetchMongod(): Promise<string> {
  const { MongoBinary } = await import("mongodb-memory-server-core");
  return await MongoBinary.getPath();
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
