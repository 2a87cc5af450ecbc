/**
 * The directions of import (lint/imports.ts), seen to be enforced: every forbidden import is planted and must
 * be found, and docs/architecture.md draws what is allowed.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { ground, parts } from "../../lint/imports.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const script = join(root, "lint/check-imports.ts");

/** Everything that the table names: parts, single files of them, the ground. */
const named = Object.values(parts).flatMap(({ imports, types = [] }) => imports.concat(types));
const names = [...new Set(Object.keys(parts).concat(named, ground))].toSorted();
const isFile = (name: string) => name.endsWith(".ts");
/** A file that stands for each. */
const fileOf = (name: string) => (isFile(name) ? name : `${name}/some.ts`);

describe("directions of import", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-directions-"));
  });
  beforeEach(async () => {
    await rm(join(folder, "src"), { recursive: true, force: true });
    for (const name of names) await write(folder, fileOf(name), []);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("every forbidden import is found, and no other", async () => {
    const plants: Plant[] = [];
    for (const from of Object.keys(parts).concat(ground)) {
      for (const file of plantedFilesOf(from)) plants.push(...(await plant(folder, from, file)));
    }
    const found = new Set((await check(folder)).map(({ place }) => place));
    const { taken, refused } = Object.groupBy(plants, ({ place }) =>
      found.has(place) ? "refused" : "taken",
    );
    const directions = (of: Plant[] = []) => [...new Set(of.map(({ from, to }) => `${from} → ${to}`))];
    assert.ok((refused ?? []).length > 800);
    assert.deepEqual(directions(taken?.filter(({ from, to }) => !isAllowed(from, to))), []);
    assert.deepEqual(directions(refused?.filter(({ from, to }) => isAllowed(from, to))), []);

    // The directions that everything rests on, whatever the table says.
    const ofPlants = (pick: (plant: Plant) => string | undefined) => {
      const picked = (taken ?? []).map(pick).filter((name) => name !== undefined);
      return [...new Set(picked)].toSorted();
    };
    const takenBy = (part: string) => ofPlants(({ from, to }) => (from === part ? to : undefined));
    const besidesGround = (part: string) => takenBy(part).filter((name) => !ground.includes(name));
    const importersOf = (name: string) => ofPlants(({ from, to }) => (to === name ? from : undefined));
    const rules = ["domain", "domain/ids.ts", "domain/records.ts"];
    assert.deepEqual(takenBy("domain"), ["clock.ts", ...rules, "errors.ts"]);
    assert.deepEqual(
      ground.filter((name) => name.includes("/")),
      ["domain/ids.ts", "domain/records.ts"],
    );
    assert.deepEqual(besidesGround("clock.ts"), []);
    assert.deepEqual(importersOf("main.ts"), ["main.ts"]);
    assert.deepEqual(importersOf("demo"), ["demo", "main.ts"]);
    assert.deepEqual(importersOf("app.ts"), ["app.ts", "demo", "main.ts"]);
    assert.deepEqual(importersOf("cli"), ["cli", "main.ts"]);
    assert.deepEqual(importersOf("storage/mongo"), ["storage/copy.ts", "storage/mongo", "storage/open.ts"]);
    assert.deepEqual(importersOf("storage/sqlite"), ["storage/copy.ts", "storage/open.ts", "storage/sqlite"]);
    for (const backEnd of ["storage/mongo", "storage/sqlite"]) {
      assert.deepEqual(
        besidesGround(backEnd),
        ["domain", "storage", "storage/contract.ts", backEnd].toSorted(),
      );
    }
    assert.deepEqual(besidesGround("admin/definitions"), [
      "admin/definitions",
      "admin/import/role.ts",
      "admin/recipes/recipes.ts",
      "admin/scopes.ts",
      "domain",
    ]);
    assert.deepEqual(besidesGround("linking"), ["domain", "linking", "storage/contract.ts"]);
    assert.deepEqual(besidesGround("ui"), ["ui", "ui/console/views.ts"]);
  });

  it("an import is found however it is written", async () => {
    const forbidden = [
      `import { run } from "../demo/run.ts";`,
      `import run, { type Demo } from '../demo/run.ts';`,
      `import * as demo from "../demo/run.ts";`,
      `import "../demo/run.ts";`,
      `import type { Demo } from "../demo/run.ts";`,
      `import { type Demo } from "../demo/run.ts";`,
      `export { run } from "../demo/run.ts";`,
      `export * from "../demo/run.ts";`,
      `export type * from "../demo/run.ts";`,
      `export * as demo from "../demo/run.ts";`,
      `const { run } = await import("../demo/run.ts");`,
      "const later = () => import(`../demo/run.ts`);",
      `const other = () => import("../" + "demo/run.ts");`,
      `type Demo = typeof import("../demo/run.ts");`,
      `function run(demo: import("../demo/run.ts").Demo) {}`,
      `const run = require("../demo/run.ts");`,
      `const worker = new URL("../demo/run.ts", import.meta.url);`,
      `import { run } from "./../http/../demo/run.ts";`,
      `import { run } from "/src/demo/run.ts";`,
      `import { run } from "#demo/run.ts";`,
      `/* é€😀 */ import { run } from "../demo/run.ts";`,
      `import manifest from "../../package.json" with { type: "json" };`,
      `import { startBroker } from "../../test/support/harness.ts";`,
      `import { parts } from "../../lint/imports.ts";`,
    ];
    const harmless = [
      `// import { run } from "../demo/run.ts";`,
      `/** {@link import("../demo/run.ts")} */`,
      'const printed = `import { run } from "../demo/run.ts";`;',
      `const page = new URL("../demo/run.ts", config.issuer);`,
      `const manifest = new URL("../../package.json", import.meta.url);`,
      `import { readFile } from "node:fs/promises";`,
      `import Koa from "koa";`,
      `import { linking } from "../linking/some.ts";`,
    ];
    for (const [index, line] of [...forbidden, ...harmless].entries()) {
      await write(folder, `http/planted-${index}.ts`, ["", line]);
    }
    await write(folder, "http/several-lines.ts", [
      "import {",
      "  one,",
      "  // Why.",
      "  two,",
      `} from "../linking/some.ts";`,
      "import {",
      "  three,",
      "  type Four,",
      "}",
      `  from "../demo/run.ts";`,
    ]);
    const places = (await check(folder)).map(({ place }) => place);
    assert.deepEqual(
      places.toSorted(),
      [
        ...forbidden.map((_, index) => `src/http/planted-${index}.ts:2`),
        "src/http/several-lines.ts:6",
      ].toSorted(),
    );
  });

  it("of some parts types alone may be imported", async () => {
    const taken = [
      `import type { Config } from "../config/schema.ts";`,
      `export type { PortalConfig } from "../config/schema.ts";`,
      `export type Mail = import("../config/schema.ts").MailConfig;`,
    ];
    const forbidden = [
      `import { configSchema } from "../config/schema.ts";`,
      `import { type Config } from "../config/schema.ts";`,
      `export { configSchema } from "../config/schema.ts";`,
      `const later = () => import("../config/schema.ts");`,
      `import type { Loaded } from "../config/load.ts";`,
    ];
    const importers = ["admin", "http", "linking", "mail", "oidc", "upstream"];
    for (const part of importers) {
      await write(folder, `${part}/planted.ts`, [...taken, ...forbidden]);
    }
    assert.deepEqual(
      (await check(folder)).map(({ place }) => place),
      importers.flatMap((part) =>
        forbidden.map((_, index) => `src/${part}/planted.ts:${taken.length + index + 1}`),
      ),
    );
  });

  it("definitions of operations, and the rules, are loaded without a server and a store", async () => {
    const packages = [
      "oidc-provider",
      "oidc-provider/lib/x.js",
      "koa",
      "@koa/router",
      "openid-client",
      "mongodb",
    ];
    for (const folderName of ["admin/definitions", "domain"]) {
      await write(folder, `${folderName}/planted.ts`, [
        ...packages.map((name) => `import { some } from "${name}";`),
        `import { z } from "zod";`,
        `import { z as small } from "zod/mini";`,
        `import { createHash } from "node:crypto";`,
      ]);
    }
    assert.deepEqual(
      (await check(folder)).map(({ place }) => place),
      ["admin/definitions", "domain"].flatMap((name) =>
        packages.map((_, index) => `src/${name}/planted.ts:${index + 1}`),
      ),
    );
  });

  it("a fault says what is imported, and what may be", async () => {
    await write(folder, "linking/planted.ts", [
      `import { run } from "../../test/support/run.ts";`,
      `import { routes } from "../http/routes.ts";`,
    ]);
    await write(folder, "http/planted.ts", [`import { schema } from "../config/schema.ts";`]);
    await write(folder, "domain/planted.ts", [`import { Koa } from "koa";`]);
    const allowed = `${parts["linking"]?.imports.join(", ")}, besides itself and the ground`;
    assert.deepEqual(
      (await check(folder)).map(({ place, why }) => `${place} ${why}`),
      [
        "src/domain/planted.ts:1 imports koa: of packages, domain may import zod",
        "src/http/planted.ts:1 imports src/config/schema.ts: http may import types of it alone",
        "src/linking/planted.ts:1 imports test/support/run.ts: src imports nothing outside itself",
        `src/linking/planted.ts:2 imports src/http/routes.ts: linking may import ${allowed}`,
      ],
    );
  });

  it("a file without directions is found, and a name that the table has and the tree hasn't", async () => {
    await write(folder, "additional.ts", []);
    await write(folder, "feature/some.js", []);
    await rm(join(folder, "src", "clock.ts"));
    await rm(join(folder, "src", "upstream"), { recursive: true });
    assert.deepEqual(
      (await check(folder)).map(({ place, why }) => `${place} ${why.split(/ and |, /)[0]}`),
      [
        "lint/imports.ts names src/upstream",
        "lint/imports.ts names src/clock.ts",
        "src/additional.ts:1 belongs to no part",
        "src/feature/some.js:1 belongs to no part",
      ],
    );
  });

  it("the tree as it is keeps to them", async () => {
    assert.deepEqual(await check(root), []);
  });

  it("the drawing's arrows are the table's", async () => {
    const page = await readFile(join(root, "docs/architecture.md"), "utf8");
    const expected = Object.entries(parts).flatMap(([from, { imports, types = [] }]) => [
      ...imports.map((to) => `${from} --> ${to}`),
      ...types.map((to) => `${from} -.-> ${to}`),
    ]);
    // A single file hangs on the part that it is in.
    const single = named.filter((name) => parts[name] === undefined && !ground.includes(name));
    const lines = [...new Set(single)].map((name) => `${name} --- ${partOf(name)}`);
    assert.deepEqual(arrowsOf(page), expected.concat(lines).toSorted());
  });
});

interface Plant {
  /** A part, or a file of the ground. */
  from: string;
  /** What the table names. */
  to: string;
  /** `file:line` of the import. */
  place: string;
}

/** The file itself where a part is one; otherwise one at the top of its folder and one below. */
function plantedFilesOf(part: string): string[] {
  return isFile(part) ? [part] : [`${part}/planted.ts`, `${part}/deeper/planted.ts`];
}

/** Writes a file with one import a line, of everything that the table names. */
async function plant(folder: string, from: string, file: string): Promise<Plant[]> {
  const lines = names.map((name) => {
    const path = posix.relative(posix.dirname(file), fileOf(name));
    return `import "${path.startsWith(".") ? path : `./${path}`}";`;
  });
  await write(folder, file, lines);
  return names.map((to, index) => ({ from, to, place: `src/${file}:${index + 1}` }));
}

function partOf(name: string): string | undefined {
  const around = Object.keys(parts).filter((part) => name === part || name.startsWith(`${part}/`));
  return around.toSorted((one, other) => one.length - other.length).at(-1);
}

/** What the table says of a value of `to`. */
function isAllowed(from: string, to: string): boolean {
  const part = partOf(from);
  const { imports = [], withoutGround = false } = part === undefined ? {} : (parts[part] ?? {});
  const isItself = part !== undefined && partOf(to) === part;
  const isGround = ground.includes(to) && !withoutGround;
  return isItself || isGround || imports.includes(to) || imports.includes(partOf(to) ?? "");
}

async function write(folder: string, file: string, lines: readonly string[]): Promise<void> {
  await mkdir(join(folder, "src", dirname(file)), { recursive: true });
  await writeFile(join(folder, "src", file), `${lines.join("\n")}\n`);
}

interface Fault {
  place: string;
  why: string;
}

/** What the check finds in a tree, in its order; its exit code is held against that. */
function check(folder: string): Promise<Fault[]> {
  return new Promise((resolve, reject) => {
    const options = { maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, [script, folder], options, (error, stdout, stderr) => {
      const lines = stderr.split("\n").filter((line) => line !== "");
      const summary = lines.pop();
      const count = /^Against the directions of import \((\d+)\): docs\/architecture\.md/.exec(
        summary ?? "",
      )?.[1];
      const isSound =
        error === null ? stdout + stderr === "" : error.code === 1 && Number(count) === lines.length;
      if (!isSound) reject(new Error(`the check fell over: ${stdout}${stderr}`));
      resolve(
        lines.map((line) => {
          const [place = "", ...words] = line.split(" ");
          return { place, why: words.join(" ") };
        }),
      );
    });
  });
}

/** The arrows of a page's first drawing, `from --> to` in the table's names; a frame stands for its parts. */
function arrowsOf(page: string): string[] {
  const [, drawing = ""] = /```mermaid\nflowchart TD\n(.*?)```/s.exec(page) ?? [];
  const labels = new Map<string, string>();
  for (const [, id = "", label = ""] of drawing.matchAll(/(\w+)\[(.*?)\]/g)) labels.set(id, label);
  const idOf = (node: string) => node.trim().replace(/\[.*\]$/, "");
  const frames = new Map<string, string[]>();
  const withoutFrames = drawing.replaceAll(
    /^ *subgraph (\w+).*?\n(.*?)\n *end$/gms,
    (_, id: string, members: string) => {
      frames.set(id, members.split("\n").map(idOf));
      return "";
    },
  );
  const nodes = (side: string) =>
    side
      .split("&")
      .flatMap((node) => frames.get(idOf(node)) ?? [idOf(node)])
      .map((id) => labels.get(id) ?? id);
  const lines = withoutFrames.split("\n").filter((line) => line.trim() !== "");
  const arrows = lines.flatMap((line) => {
    const [, left = "", arrow = "", right = ""] = /^(.*?) (-->|-\.->|---) (.*)$/.exec(line) ?? [];
    assert.notEqual(arrow, "", `no arrow: ${line}`);
    return nodes(left).flatMap((from) => nodes(right).map((to) => `${from} ${arrow} ${to}`));
  });
  return arrows.toSorted();
}
