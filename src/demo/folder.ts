/** The demo's data folder: its marker, its secrets, and whole-file writes. */

import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { z } from "zod";
import { LiaisonError } from "../errors.ts";
import { makeFolder } from "../make-folder.ts";

/** Its presence says that the folder is the demo's own, so that `--fresh` deletes nothing else. */
const MARKER = "liaison-demo.txt";
const MARKER_TEXT = "This folder holds the data of the Liaison demo. The demo's --fresh deletes it.\n";

const secrets = z.object({
  encryption_key: z.string(),
  upstream_client_secret: z.string(),
  customersource_secret: z.string(),
  partnersource_secret: z.string(),
});
export type DemoSecrets = z.infer<typeof secrets>;

/**
 * Replaces a file as a whole, readable by its owner only: a killed process leaves the old content or the new.
 */
export async function writeFileWhole(file: string, content: string): Promise<void> {
  const draft = `${file}.${randomUUID()}.tmp`;
  await writeFile(draft, content, { mode: 0o600 });
  await rename(draft, file);
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Makes the folder ready: emptied first when `fresh`, and marked as ours. Throws `usage` for a folder of
 * anything else.
 */
export async function prepareFolder(folder: string, fresh: boolean): Promise<void> {
  makeFolder(folder);
  const names = await readdir(folder);
  if (names.length > 0 && !names.includes(MARKER)) {
    throw LiaisonError.usage(`${folder} holds files that aren't the demo's. Name another folder.`);
  }
  if (fresh) {
    await rm(folder, { recursive: true });
    await mkdir(folder);
  }
  await writeFileWhole(join(folder, MARKER), MARKER_TEXT);
}

/** What a file system says of a folder, or a file in it, that can't be written. */
const UNWRITABLE = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOSPC",
  "EDQUOT",
  "ENOENT",
  "ENOTDIR",
  "EEXIST",
  "EISDIR",
  "ELOOP",
  "ENAMETOOLONG",
  "EIO",
  "EINVAL",
]);

/** What keeps the demo from its data, as somebody can act on it; any other error as it is. */
export function explainedFolder(error: unknown, folder: string): unknown {
  const { code, path } = (error ?? {}) as NodeJS.ErrnoException;
  if (error instanceof LiaisonError || code === undefined || !UNWRITABLE.has(code)) return error;
  if (path !== undefined && !`${path}${sep}`.startsWith(folder) && !folder.startsWith(path)) return error;
  const what = path === undefined || path === folder ? folder : `${path}, in ${folder},`;
  const fix = "Name a folder of your own: npm run demo -- --data DIR";
  return LiaisonError.usage(`${what} can't be written (${code}). ${fix}`, error);
}

/** The folder's secrets, made at the first start. */
export async function demoSecrets(folder: string): Promise<DemoSecrets> {
  const file = join(folder, "secrets.json");
  const found = await readJson(file);
  if (found !== undefined) return secrets.parse(found);
  const made: DemoSecrets = {
    encryption_key: randomBytes(32).toString("base64"),
    upstream_client_secret: randomBytes(32).toString("base64url"),
    customersource_secret: randomBytes(32).toString("base64url"),
    partnersource_secret: randomBytes(32).toString("base64url"),
  };
  await writeFileWhole(file, JSON.stringify(made, null, 2));
  return made;
}
