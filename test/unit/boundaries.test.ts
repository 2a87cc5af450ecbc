/**
 * The linter's rules of this repository (biome.json, lint/), seen to be enforced: what they forbid is planted
 * and must be found. The directions of import are held elsewhere: import-directions.test.ts.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const biome = join(root, "node_modules/@biomejs/biome/bin/biome");

describe("rules of the linter", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-boundaries-"));
    await copyFile(join(root, "biome.json"), join(folder, "biome.json"));
    await copyFile(join(root, ".gitignore"), join(folder, ".gitignore"));
    await cp(join(root, "lint"), join(folder, "lint"), { recursive: true });
  });
  afterEach(() => rm(join(folder, "src"), { recursive: true, force: true }));
  after(() => rm(folder, { recursive: true, force: true }));

  it("a cycle is found, of types too", async () => {
    await write(folder, "src/domain/one.ts", [
      `import type { Two } from "./two.ts";`,
      "export type One = Two;",
    ]);
    await write(folder, "src/domain/two.ts", [
      `import type { One } from "./one.ts";`,
      "export type Two = One;",
    ]);
    const found = await findings(folder, ["suspicious/noImportCycles"]);
    assert.deepEqual(found.sort(), ["src/domain/one.ts:1", "src/domain/two.ts:1"]);
  });

  it("a cast to a branded type, each that there is, is found outside the readers of it", async () => {
    const brands: string[] = [];
    for (const file of ["src/domain/ids.ts", "src/clock.ts"]) {
      const text = await readFile(join(root, file), "utf8");
      for (const [, name = ""] of text.matchAll(/^export type (\w+) = (?:Branded|Of)</gm)) brands.push(name);
    }
    assert.ok(["ProfileId", "SecretHash", "Instant", "Seconds"].every((name) => brands.includes(name)));
    const casts = brands.flatMap((name) => [
      `export const one${name} = value as ${name};`,
      `export const several${name} = [value] as unknown as readonly ${name}[];`,
    ]);
    const lines = [...casts, `export const text = value as string;`];
    for (const file of ["src/http/some.ts", "src/domain/some.ts", "src/domain/ids.ts", "src/clock.ts"]) {
      await write(folder, file, lines);
    }
    const found = await findings(folder, ["plugin"]);
    const expected = ["src/domain/some.ts", "src/http/some.ts"].flatMap((file) =>
      casts.map((_, index) => `${file}:${index + 1}`),
    );
    assert.deepEqual(found.toSorted(), expected.toSorted());
  });

  it("a literal that is spread where it is written is found; what is decided there isn't", async () => {
    await write(folder, "src/http/some.ts", [
      "const one = { x: 1 };",
      "export const fields = { ...{ y: 2 }, ...one };",
      "export const elements = [...[1, 2], ...[one].map(({ x }) => x)];",
      "export const largest = Math.max(...[1, 2]);",
      "export const decided = { ...(one.x > 0 ? { z: 1 } : {}) };",
    ]);
    const found = (await findings(folder, ["plugin"])).sort();
    assert.deepEqual(
      found,
      [2, 3, 4].map((line) => `src/http/some.ts:${line}`),
    );
  });

  it("seconds in a sum or a comparison with milliseconds are found, and converted ones aren't", async () => {
    const lines = [
      "interface Limits { idle_seconds: number; windowSeconds: number; leaseMs: number; expiresAt: number }",
      "export const sum = (now: number, c: Limits) => now + c.idle_seconds;",
      "export const called = (clock: { now(): number }, c: Limits) => clock.now() - c.windowSeconds;",
      "export const compared = (c: Limits) => c.leaseMs < c.windowSeconds;",
      "export const swapped = (c: Limits) => c.idle_seconds >= c.expiresAt;",
      "export const converted = (now: number, c: Limits) => now + c.idle_seconds * 1000;",
      "export const alike = (c: Limits) => c.idle_seconds + c.windowSeconds;",
      "export const other = (now: number, milliseconds: number) => now + milliseconds;",
    ];
    await write(folder, "src/http/some.ts", lines);
    const found = (await findings(folder, ["plugin"])).sort();
    assert.deepEqual(
      found,
      [2, 3, 4, 5].map((line) => `src/http/some.ts:${line}`),
    );
  });

  it("reading the environment and ending the process are found outside their places", async () => {
    const lines = ["export const home = process.env.HOME;", "process.exit(1);"];
    for (const file of ["src/http/some.ts", "src/config/load.ts", "src/main.ts"])
      await write(folder, file, lines);
    const found = await findings(folder, ["style/noProcessEnv", "nursery/noProcessExit"]);
    assert.deepEqual(found.sort(), [
      "src/config/load.ts:2",
      "src/http/some.ts:1",
      "src/http/some.ts:2",
      "src/main.ts:1",
    ]);
  });

  it("the tree as it is keeps to them", async () => {
    const rules = ["suspicious/noImportCycles", "style/noProcessEnv", "nursery/noProcessExit", "plugin"];
    assert.deepEqual(await findings(root, rules), []);
  });

  it("only src/main.ts reads the command line", async () => {
    const readers: string[] = [];
    for (const name of await readdir(join(root, "src"), { recursive: true })) {
      if (!name.endsWith(".ts")) continue;
      const text = await readFile(join(root, "src", name), "utf8");
      if (/process\.argv|\bargv\b.*node:process/.test(text)) readers.push(name);
    }
    assert.deepEqual(readers, ["main.ts"]);
  });
});

async function write(folder: string, file: string, lines: string[]): Promise<void> {
  await mkdir(join(folder, dirname(file)), { recursive: true });
  await writeFile(join(folder, file), `${lines.join("\n")}\n`);
}

interface Diagnostic {
  category: string;
  location: { path: string; start: { line: number } };
}

/** Where `biome lint src`, as configured, finds something against these rules: `file:line`. */
function findings(folder: string, rules: string[]): Promise<string[]> {
  const flags = ["--max-diagnostics=none", "--reporter=json"];
  const categories = rules.map((rule) => (rule === "plugin" ? rule : `lint/${rule}`));
  return new Promise((resolve, reject) => {
    const options = { cwd: folder, maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, [biome, "lint", ...flags, "src"], options, (error, stdout, stderr) => {
      try {
        const { diagnostics } = JSON.parse(stdout) as { diagnostics: Diagnostic[] };
        const wanted = diagnostics.filter(({ category }) => categories.includes(category));
        resolve(wanted.map(({ location }) => `${location.path}:${location.start.line}`));
      } catch {
        reject(new Error(`biome gave no report: ${stderr || error?.message}`));
      }
    });
  });
}
