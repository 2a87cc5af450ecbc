/** What a command loads, and what one that only looks leaves behind: counted in processes of their own. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { commandGroups } from "../../src/cli/groups.ts";
import { allOf } from "../../src/cli/run.ts";
import { systemClock } from "../../src/clock.ts";
import { migrateStore, openStore } from "../../src/storage/open.ts";

const bin = fileURLToPath(new URL("../../bin/liaison.js", import.meta.url));

/** Says at its end which files of modules a process has loaded, of both kinds, a line each. */
const watch = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  import { writeFileSync } from "node:fs";
  const loaded = [];
  registerHooks({
    load(url, context, next) {
      if (url.startsWith("file:")) loaded.push(url);
      return next(url, context);
    },
  });
  process.on("exit", () => writeFileSync(process.env.LOADED, loaded.join("\\n")));
`)}`;

interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

function say(
  words: readonly string[],
  env: Record<string, string> = {},
  flags: readonly string[] = [],
): Promise<Said> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env["PATH"], ...env } };
    execFile(process.execPath, [...flags, bin, ...words], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

describe("what a command loads", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-loading-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function loadedBy(words: readonly string[]): Promise<string[]> {
    const file = join(folder, words.join("-"));
    const said = await say(words, { LOADED: file }, ["--import", watch]);
    assert.deepEqual([said.code, said.stderr], [0, ""]);
    return (await readFile(file, "utf8")).split("\n");
  }

  it("version: a few modules", async () => {
    const loaded = await loadedBy(["version"]);
    assert.ok(loaded.some((url) => url.endsWith("src/cli/version.ts")));
    assert.ok(loaded.length <= 60, `${loaded.length} modules`);
  });

  for (const line of ["orgs list --help", "orgs --help", "--help"]) {
    it(`${line}: definitions, and neither a server nor a provider`, async () => {
      const loaded = await loadedBy(line.split(" "));
      assert.ok(loaded.some((url) => url.endsWith("src/admin/definitions/organizations.ts")));
      assert.deepEqual(
        loaded.filter((url) => /node_modules\/(oidc-provider|koa|mongodb)\/|src\/(oidc|http)\//.test(url)),
        [],
      );
    });
  }

  it("every command is found by the first of its words, and no word loads for nothing", async () => {
    const nothing = () => assert.fail("nothing runs");
    const serve = async () => ({ createApp: nothing, createLogger: nothing });
    const sources = commandGroups({ serve, runDemo: nothing, clock: systemClock, stdin: nothing });
    for (const group of sources.filter((one) => "load" in one)) {
      const names = (await allOf([group])).map(({ name }) => name.split(" ")[0] ?? "");
      assert.deepEqual([...new Set(names)].toSorted(), [...group.words].toSorted());
    }
  });
});

describe("a command that looks", () => {
  const encryptionKey = Buffer.alloc(32, 7).toString("base64");
  let folder: string;
  let config: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-looking-"));
    config = join(folder, "liaison.yaml");
    await writeFile(
      config,
      `issuer: http://localhost:4400
encryption_key: ${encryptionKey}
storage: { sqlite: { file: data/liaison.db } }
deployment: { name: Test, support_email: support@example.com }
mail: { from_name: Test, from_address: no-reply@example.com, smtp: { host: localhost, security: none } }
upstreams:
  - { id: consumer, name: Consumer, issuer: "http://localhost:1", client_id: liaison, client_secret: secret }
`,
    );
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const line of [
    "orgs list",
    "orgs edit northwind --enabled false",
    "audit export",
    "audit verify",
    "mail list",
  ]) {
    it(`makes no database where there is none, and says what does: liaison ${line}`, async () => {
      const { code, stdout, stderr } = await say([...line.split(" "), "--config", config]);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(
        stderr,
        /^liaison: .*liaison\.db .*doesn't exist yet\. liaison serve makes it; .*storage\.sqlite\.file/,
      );
      assert.deepEqual(await readdir(folder), ["liaison.yaml"]);
    });
  }

  it("writes nothing into a database that is new", async () => {
    const file = join(folder, "data", "liaison.db");
    await migrateStore({ sqlite: { file }, encryptionKey });
    const digest = async () =>
      createHash("sha256")
        .update(await readFile(file))
        .digest("hex");
    const before = await digest();
    const { code, stdout, stderr } = await say(["orgs", "list", "--config", config]);
    assert.deepEqual([code, stdout, stderr], [0, "Nothing found.\n", ""]);
    assert.equal(await digest(), before);
    const store = await openStore({ sqlite: { file }, encryptionKey });
    // No key was made that the service would take for one of its own first start.
    const made = await store.keys.findOrCreate("signing.rs256", async () => "made here");
    await store.close();
    assert.equal(made, "made here");
  });

  it("makes one where it creates: the first administrator is invited before it ever ran", async () => {
    await rm(join(folder, "data"), { recursive: true, force: true });
    const { code, stdout } = await say(["admin", "invite", "kim@contoso.example", "--config", config]);
    assert.deepEqual([code, /signs in at http:\/\/localhost:4400\/admin/.test(stdout)], [0, true]);
  });
});
