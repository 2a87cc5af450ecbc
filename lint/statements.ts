/**
 * A step of `npm run check`: prepares every SQL statement against a fresh schema, so that a table or a column
 * that isn't there, or one that is read and not given, is told with file and line. Statements are prepared
 * while a store is opened, a file is read out, or an import begins; a line of the source that prepares one
 * and isn't come by is a fault, too.
 */

import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { createLedger } from "../src/admin/import/ledger.ts";
import { createFieldEncryption } from "../src/storage/field-encryption.ts";
import { Database } from "../src/storage/sqlite/database.ts";
import { SQLITE_MIGRATIONS } from "../src/storage/sqlite/migrations.ts";
import { openSqliteStore, withSqliteDump } from "../src/storage/sqlite/store.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Passes on what others prepare. */
const PASS_ON = ["src/storage/sqlite/database.ts", "src/sql-columns.ts"];

const reached = new Set<string>();
const faults = new Set<string>();

/** The lines of the source that a call or an error comes from, the innermost first. */
function linesOf({ stack = "" }: { stack?: string }): string[] {
  return [...stack.matchAll(/(?:file:\/\/)?(\/[^\s()]+?\.ts):(\d+):\d+/g)]
    .map(([, file = "", line]) => `${relative(root, file).replaceAll(sep, "/")}:${line}`)
    .filter((line) => line.startsWith("src/") && !PASS_ON.some((file) => line.startsWith(file)));
}

function note(error: unknown): void {
  const [first = "src", ...callers] = error instanceof Error ? linesOf(error) : [];
  const [file] = first.split(":");
  const through = callers.filter((line) => line.startsWith(`${file}:`)).slice(0, 2);
  const from = through.length === 0 ? "" : ` (from ${through.join(", ")})`;
  faults.add(`${first}${from}: ${error instanceof Error ? error.message : String(error)}`);
}

/** Has a method note where it is called from, and what it throws if there is something to go on with. */
function observe<Target extends object>(
  target: Target,
  name: keyof Target & string,
  instead?: unknown,
): void {
  const method: unknown = target[name];
  if (typeof method !== "function") throw new TypeError(`there is no ${name} to be observed`);
  const observed = function (this: unknown, ...values: unknown[]): unknown {
    for (const line of linesOf(new Error())) reached.add(line);
    try {
      return method.apply(this, values);
    } catch (error) {
      if (instead === undefined) throw error;
      note(error);
      return instead;
    }
  };
  Object.assign(target, { [name]: observed });
}

/** Where the source prepares statements. */
async function sites(): Promise<string[]> {
  const files = (await readdir(join(root, "src"), { recursive: true })).filter((file) =>
    file.endsWith(".ts"),
  );
  const found = await Promise.all(
    files.map(async (file) => {
      const path = `src/${file.replaceAll(sep, "/")}`;
      const text = await readFile(join(root, path), "utf8");
      if (
        PASS_ON.includes(path) ||
        !(path.startsWith("src/storage/sqlite/") || text.includes("DatabaseSync"))
      )
        return [];
      return text
        .split("\n")
        .flatMap((line, index) => (/\.(?:prepare|query|write)\(/.test(line) ? [`${path}:${index + 1}`] : []));
    }),
  );
  return found.flat();
}

/** Migrations are run as they stand: one that fails is told by the line of its name. */
async function noteMigration(sql: string, error: unknown): Promise<void> {
  const file = "src/storage/sqlite/migrations.ts";
  const text = await readFile(join(root, file), "utf8");
  const name = SQLITE_MIGRATIONS.find((migration) => migration.sql === sql)?.name ?? "";
  const line = text.slice(0, text.indexOf(name)).split("\n").length;
  faults.add(`${file}:${line}: ${error instanceof Error ? error.message : String(error)}`);
}

Error.stackTraceLimit = 30;
let script = "";
const { exec } = Database.prototype;
Database.prototype.exec = function (sql) {
  script = sql;
  exec.call(this, sql);
  script = "";
};
observe(Database.prototype, "prepare", {
  get: () => undefined,
  all: () => [],
  run: () => 0,
  isAny: () => false,
});
observe(Database.prototype, "query", []);
observe(Database.prototype, "write");
observe(DatabaseSync.prototype, "prepare");

const folder = await mkdtemp(join(tmpdir(), "liaison-statements-"));
try {
  const options = {
    file: join(folder, "liaison.db"),
    encryption: createFieldEncryption("A".repeat(43)),
    now: 0,
  };
  await openSqliteStore(options).close();
  await openSqliteStore(options).close();
  await withSqliteDump(options, async () => {});
  createLedger().close();
} catch (error) {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (script === "") note(cause);
  else await noteMigration(script, cause);
} finally {
  await rm(folder, { recursive: true, force: true });
}
const prepared = await sites();
if (faults.size === 0) {
  for (const site of prepared) {
    if (!reached.has(site)) faults.add(`${site}: prepares a statement that no fresh store prepares`);
  }
}
for (const fault of faults) console.error(fault);
if (faults.size > 0) process.exitCode = 1;
else console.log(`Prepared the statements of ${prepared.length} places.`);
