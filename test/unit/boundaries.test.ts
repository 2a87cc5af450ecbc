/**
 * The directions of import of docs/architecture.md, seen to be enforced: every forbidden one is planted and
 * must be found.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const biome = join(root, "node_modules/@biomejs/biome/bin/biome");

/** What may be imported: one module that stands for each part. */
const modules: Record<string, string> = {
  main: "main.ts",
  app: "app.ts",
  background: "background/background.ts",
  thread: "background/thread.ts",
  logger: "logger.ts",
  clock: "clock.ts",
  encryption: "encryption.ts",
  errors: "errors.ts",
  "make-folder": "make-folder.ts",
  pace: "pace.ts",
  deadline: "deadline.ts",
  readiness: "readiness.ts",
  "sql-columns": "sql-columns.ts",
  "worker-loop": "worker-loop.ts",
  admin: "admin/some.ts",
  cli: "cli/some.ts",
  config: "config/load.ts",
  schema: "config/schema.ts",
  demo: "demo/run.ts",
  domain: "domain/some.ts",
  http: "http/some.ts",
  linking: "linking/some.ts",
  mail: "mail/some.ts",
  oidc: "oidc/some.ts",
  ui: "ui/some.ts",
  upstream: "upstream/some.ts",
  open: "storage/open.ts",
  copy: "storage/copy.ts",
  contract: "storage/contract.ts",
  ids: "domain/ids.ts",
  records: "domain/records.ts",
  "field-encryption": "storage/field-encryption.ts",
  sqlite: "storage/sqlite/some.ts",
  mongo: "storage/mongo/some.ts",
};

const ground = [
  "clock",
  "encryption",
  "errors",
  "make-folder",
  "pace",
  "deadline",
  "readiness",
  "sql-columns",
  "worker-loop",
  "ids",
  "records",
];
/** What the rules may import of it, with themselves. */
const groundOfDomain = ["clock", "errors", "ids", "records"];
const storage = ["contract", "field-encryption", "domain"];

/** What each may import besides the ground. */
const allowed: Record<string, string[]> = {
  main: ["app", "thread", "cli", "demo", "logger"],
  app: Object.keys(modules).filter((part) => !["main", "cli", "demo"].includes(part)),
  background: Object.keys(modules).filter((part) => !["main", "app", "cli", "demo"].includes(part)),
  logger: [],
  errors: [],
  admin: ["http", "oidc", "upstream", "linking", "mail", "ui", "domain", "contract"],
  http: ["oidc", "upstream", "linking", "mail", "ui", "domain", "contract"],
  cli: ["admin", "config", "schema", "open", "copy"],
  config: ["schema", "domain"],
  demo: ["app", "config", "schema", "logger", "open", "contract", "domain"],
  domain: [],
  linking: ["domain", "contract"],
  mail: ["domain", "contract", "ui"],
  oidc: ["domain", "contract"],
  ui: [],
  upstream: ["domain", "contract"],
  open: [...storage, "sqlite", "mongo", "copy"],
  copy: [...storage, "sqlite", "mongo", "open"],
  contract: storage,
  sqlite: storage,
  mongo: storage,
};

interface Plant {
  direction: string;
  /** `file:line` of the import. */
  place: string;
  isForbidden: boolean;
}

describe("directions of import", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-boundaries-"));
    await copyFile(join(root, "biome.json"), join(folder, "biome.json"));
    await copyFile(join(root, ".gitignore"), join(folder, ".gitignore"));
    await cp(join(root, "lint"), join(folder, "lint"), { recursive: true });
  });
  afterEach(() => rm(join(folder, "src"), { recursive: true, force: true }));
  after(() => rm(folder, { recursive: true, force: true }));

  it("every forbidden import is found, and no other", async () => {
    const plants: Plant[] = [];
    for (const from of Object.keys(allowed)) {
      for (const file of filesOf(from)) plants.push(...(await plant(folder, from, file)));
    }
    const found = new Set(await findings(folder, ["style/noRestrictedImports"]));
    const directions = (wrong: Plant[]) => [...new Set(wrong.map(({ direction }) => direction))];
    assert.ok(plants.filter(({ isForbidden }) => isForbidden).length > 400);
    assert.deepEqual(
      directions(plants.filter(({ isForbidden, place }) => isForbidden && !found.has(place))),
      [],
    );
    assert.deepEqual(
      directions(plants.filter(({ isForbidden, place }) => !isForbidden && found.has(place))),
      [],
    );
  });

  it("types and dynamic imports count too; who takes configuration takes its types alone", async () => {
    const file = "src/http/kinds.ts";
    const lines = [
      `export type { Some } from "../demo/run.ts";`,
      `import type { Other } from "../cli/serve.ts";`,
      `export const later = () => import("../storage/open.ts");`,
      `import { configSchema } from "../config/schema.ts";`,
      `import type { Config, PortalConfig } from "../config/schema.ts";`,
    ];
    await write(folder, file, lines);
    const found = await findings(folder, ["style/noRestrictedImports"]);
    assert.deepEqual(
      found.filter((place) => place.startsWith(file)).sort(),
      [1, 2, 3, 4].map((line) => `${file}:${line}`),
    );
  });

  it("definitions rest on schemas and rules, and the console's views on definitions, alone", async () => {
    const forbidden = [
      `import { store } from "../../storage/contract.ts";`,
      `import { endpoints } from "../../oidc/endpoints.ts";`,
      `import { handlers } from "../operations.ts";`,
      `import { service } from "../service.ts";`,
      `import { routes } from "../console/routes.ts";`,
      `import { Provider } from "oidc-provider";`,
    ];
    const taken = [
      `import { ids } from "../../domain/ids.ts";`,
      `import { SCOPES } from "../scopes.ts";`,
      `import { define } from "./definition.ts";`,
    ];
    await write(folder, "src/admin/definitions/planted.ts", [...forbidden, ...taken]);
    const definition = `import type { operations } from "../../admin/definitions/operations.ts";`;
    const service = `import type { AdminService } from "../../admin/service.ts";`;
    await write(folder, "src/ui/console/views.ts", [definition, service]);
    await write(folder, "src/ui/console/planted.ts", [definition, service]);
    const found = await findings(folder, ["style/noRestrictedImports"]);
    assert.deepEqual(found.toSorted(), [
      ...forbidden.map((_, place) => `src/admin/definitions/planted.ts:${place + 1}`),
      "src/ui/console/planted.ts:1",
      "src/ui/console/planted.ts:2",
      "src/ui/console/views.ts:2",
    ]);
  });

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

  it("a cast to a branded type is found outside the readers of it", async () => {
    const lines = [
      `import type { ProfileId } from "../domain/ids.ts";`,
      `export const one = "p-1" as ProfileId;`,
      `export const several = ["p-1"] as unknown as readonly ProfileId[];`,
      `export const text = "p-1" as string;`,
    ];
    for (const file of ["src/http/some.ts", "src/domain/some.ts", "src/domain/ids.ts", "src/clock.ts"]) {
      await write(folder, file, lines);
    }
    const found = (await findings(folder, ["plugin"])).sort();
    assert.deepEqual(
      found,
      ["src/domain/some.ts", "src/http/some.ts"].flatMap((file) => [2, 3].map((line) => `${file}:${line}`)),
    );
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
    const rules = [
      "style/noRestrictedImports",
      "suspicious/noImportCycles",
      "style/noProcessEnv",
      "nursery/noProcessExit",
      "plugin",
    ];
    assert.deepEqual(await findings(root, rules), []);
  });

  it("every folder and file of src/ has its directions", async () => {
    const known = new Set(Object.values(modules).map((module) => module.split("/")[0]));
    const names = await readdir(join(root, "src"));
    assert.deepEqual(
      names.filter((name) => !known.has(name)),
      [],
    );
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

/** The file itself where a part is one; otherwise one at the top of its folder and one below. */
function filesOf(part: string): string[] {
  const module = modules[part] ?? "";
  const isOneFile = !module.includes("/") || ["open", "copy", "contract"].includes(part);
  const folder = posix.dirname(module);
  return isOneFile ? [`src/${module}`] : [`src/${folder}/planted.ts`, `src/${folder}/deeper/planted.ts`];
}

/** Writes a file with one import a line, of every other part. */
async function plant(folder: string, from: string, file: string): Promise<Plant[]> {
  const targets = Object.keys(modules).filter((part) => part !== from);
  const lines = targets.map((to) => {
    const path = posix.relative(posix.dirname(file), `src/${modules[to]}`);
    return `import { value as ${to.replace("-", "_")} } from "${path.startsWith(".") ? path : `./${path}`}";`;
  });
  await write(folder, file, lines);
  return targets.map((to, index) => ({
    direction: `${from} → ${to}`,
    place: `${file}:${index + 1}`,
    isForbidden: !allowed[from]?.includes(to) && !(from === "domain" ? groundOfDomain : ground).includes(to),
  }));
}

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
