/** The command line as it is used: bin/liaison.js in a process of its own. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../bin/liaison.js", import.meta.url));

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

const key = (byte: number) => Buffer.alloc(32, byte).toString("base64");

describe("liaison", () => {
  let folder: string;
  let config: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-cli-"));
    config = join(folder, "liaison.yaml");
    await writeFile(
      config,
      `issuer: http://localhost:4400
encryption_key: ${key(7)}
listen: { port: 0 }
storage: { sqlite: { file: liaison.db } }
deployment: { name: Test, support_email: support@example.com }
mail: { from_name: Test, from_address: no-reply@example.com, smtp: { host: localhost, security: none } }
upstreams:
  - { id: consumer, name: Consumer, issuer: "http://localhost:1", client_id: liaison, client_secret: secret }
`,
    );
  });
  after(() => rm(folder, { recursive: true, force: true }));

  function start(
    words: string[],
    env: Record<string, string> = {},
  ): { child: ChildProcess; ended: Promise<Ended> } {
    const child = spawn(process.execPath, [bin, ...words], {
      cwd: folder,
      env: { PATH: process.env["PATH"], ...env },
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => {
      output.stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      output.stderr += chunk;
    });
    return { child, ended: once(child, "close").then(([code]) => ({ code, ...output })) };
  }
  const call = (words: string[], env?: Record<string, string>) => start(words, env).ended;

  /** Starts the service and waits until it says that it listens. */
  async function serve(
    env: Record<string, string> = {},
  ): Promise<{ child: ChildProcess; ended: Promise<Ended>; port: number }> {
    const { child, ended } = start(["serve", "--config", config], env);
    let seen = "";
    const port = await new Promise<number>((resolve, reject) => {
      child.stdout?.on("data", (chunk) => {
        seen += chunk;
        const line = seen.split("\n").find((candidate) => candidate.includes('"msg":"listening"'));
        if (line !== undefined) resolve((JSON.parse(line) as { port: number }).port);
      });
      ended.then(({ stderr }) => reject(new Error(`it ended: ${stderr}`)), reject);
    });
    return { child, ended, port };
  }

  describe("words", { concurrency: 4 }, () => {
    const cases: { words: string[]; code: number; stdout?: RegExp; stderr?: RegExp }[] = [
      { words: ["help"], code: 0, stdout: /config check {2}Check a configuration/ },
      { words: ["--help"], code: 0, stdout: /Usage: liaison COMMAND/ },
      {
        words: ["help", "config", "check"],
        code: 0,
        stdout: /Examples:\n {2}liaison config check config\/liaison\.yaml/,
      },
      { words: ["serve", "--help"], code: 0, stdout: /--config FILE.*\n.*--help/ },
      {
        words: ["orgs", "--help"],
        code: 0,
        stdout: /orgs create {2}Add an organization\.\n(.*\n)*Examples:/,
      },
      { words: ["help", "orgs"], code: 0, stdout: /orgs edit/ },
      { words: ["orgs", "edit", "--help"], code: 0, stdout: /--plan-expires YYYY-MM-DD/ },
      { words: ["demo", "--help"], code: 0, stdout: /--port-base N/ },
      { words: ["version"], code: 0, stdout: /^liaison \d+\.\d+\.\d+ \(Node\.js \d+/ },
      { words: [], code: 2, stderr: /Usage: liaison COMMAND/ },
      { words: ["srve"], code: 2, stderr: /no command "srve"\. Did you mean serve\?/ },
      { words: ["help", "srve"], code: 2, stderr: /Did you mean serve\?/ },
      { words: ["config"], code: 2, stderr: /config check/ },
      { words: ["serve", "--confg", "x"], code: 2, stderr: /no flag --confg\. Did you mean --config\?/ },
      { words: ["serve", "--config"], code: 2, stderr: /--config needs a value: --config FILE/ },
      { words: ["serve", "x"], code: 2, stderr: /doesn't take "x"/ },
      { words: ["config", "check", "a", "b"], code: 2, stderr: /doesn't take "b"/ },
      ...["many", "0", "80", "1023", "65511", "65535", "5400.5", "-1"].map((base) => ({
        words: ["demo", "--port-base", base],
        code: 2,
        stderr: /--port-base takes a whole number from 1024 to 65510\./,
      })),
      {
        words: ["demo", "--data", "/dev/null/demo"],
        code: 2,
        stderr: /^liaison: \/dev\/null\/demo\/4400.* can't be written/,
      },
      {
        words: ["demo", "--data", "/proc/none/demo"],
        code: 2,
        stderr: /\/proc\/none.* can't be written \(ENOENT\)\. Name/,
      },
      {
        words: ["version", "--json"],
        code: 0,
        stdout: /^\{"version":"\d+\.\d+\.\d+","node":"24\.\d+\.\d+"\}\n$/,
      },
      {
        words: ["admin", "role", "p-kim", "none"],
        code: 2,
        stderr: /doesn't take "none"\. Did you mean --role none\?/,
      },
      { words: ["admin", "role", "--help"], code: 0, stdout: /--role owner\|.*\|auditor\|none / },
      { words: ["why", "--help"], code: 0, stdout: /Exit codes: .*, 3 the portal refuses the person\.\n$/ },
    ];
    for (const { words, code, stdout, stderr } of cases) {
      it(`${["liaison", ...words].join(" ")} → ${code}`, async () => {
        const ended = await call(words);
        assert.equal(ended.code, code, ended.stderr);
        if (stdout === undefined) assert.equal(ended.stdout, "");
        else assert.match(ended.stdout, stdout);
        if (stderr === undefined) assert.equal(ended.stderr, "");
        else assert.match(ended.stderr, stderr);
      });
    }
  });

  it("loads neither the provider nor what sends mail for a command that needs neither", async () => {
    const script = `import { registerHooks } from "node:module";
      registerHooks({ load(url, context, next) {
        const watched = /\\/node_modules\\/(oidc-provider|koa|nodemailer|openid-client|mongodb|zod)\\//;
        const [, name] = watched.exec(url) ?? [];
        if (name !== undefined) loaded.add(name);
        return next(url, context);
      } });
      const loaded = new Set();
      process.on("exit", () => process.stderr.write([...loaded].join(" ")));`;
    const watch = `--import data:text/javascript;base64,${Buffer.from(script).toString("base64")}`;
    // What it does load shows that the hook sees it.
    assert.equal((await call(["config", "check", config], { NODE_OPTIONS: watch })).stderr, "zod");
  });

  describe("config check", () => {
    it("a good file: 0, and what weakens something", async () => {
      const { code, stdout } = await call(["config", "check", config], {
        LIAISON_UPSTREAMS__CONSUMER__REAUTHENTICATION: "prompt_only",
      });
      assert.equal(code, 0);
      assert.match(
        stdout,
        new RegExp(
          String.raw`liaison\.yaml: no faults\n {2}warning: upstreams\.consumer\.reauthentication ` +
            String.raw`\(env LIAISON_UPSTREAMS__CONSUMER__REAUTHENTICATION\)`,
        ),
      );
    });

    it("a bad one: 1, every fault with key and source", async () => {
      const { code, stdout } = await call(["config", "check", config], {
        LIAISON_LISTEN__PORT: "x",
        LIAISON_LOG__LEVEL: "loud",
      });
      assert.equal(code, 1);
      assert.match(
        stdout,
        new RegExp(
          String.raw`2 faults\n {2}listen\.port \(env LIAISON_LISTEN__PORT\): .*\n {2}` +
            String.raw`log\.level \(env LIAISON_LOG__LEVEL\): `,
        ),
      );
    });

    it("a token for commands is no key of it", async () => {
      const token = { LIAISON_TOKEN: "x", LIAISON_TOKEN_FILE: "nowhere" };
      assert.match((await call(["config", "check", config], token)).stdout, /no faults/);
      const typo = await call(["config", "check", config], { LIAISON_TOKEN_X: "x" });
      assert.match(typo.stdout, /env LIAISON_TOKEN_X\): sets no known key/);
    });

    it("takes the configuration as other commands do, by --config, and one alone", async () => {
      const named = await call(["config", "check", "--config", config]);
      assert.deepEqual([named.code, named.stdout], [0, `${config}: no faults\n`]);
      const twice = await call(["config", "check", config, "--config", config]);
      assert.deepEqual([twice.code, twice.stdout], [0, `${config}: no faults\n`]);
      const other = await call(["config", "check", "other.yaml", "--config", config]);
      assert.deepEqual([other.code, other.stdout], [2, ""]);
      assert.match(other.stderr, /Name one configuration: other\.yaml, or --config /);
      const none = await call(["config", "check", "--config", join(folder, "none.yaml"), "--json"]);
      assert.equal(none.code, 1);
    });

    it("--json: one object", async () => {
      const good = await call(["config", "check", config, "--json"]);
      assert.deepEqual(JSON.parse(good.stdout), { valid: true, faults: [], warnings: [] });
      const bad = await call(["config", "check", "--json", join(folder, "none.yaml")]);
      assert.equal(bad.code, 1);
      const file = join(folder, "none.yaml");
      assert.deepEqual(JSON.parse(bad.stdout), {
        valid: false,
        faults: [{ key: "(file)", source: file, problem: "this file doesn't exist" }],
        warnings: [],
      });
    });
  });

  describe("serve", () => {
    it("serves, and ends with 0 soon after SIGTERM", async () => {
      const { child, ended, port } = await serve();
      assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
      const began = performance.now();
      child.kill("SIGTERM");
      const { code, stdout, stderr } = await ended;
      assert.equal(code, 0, stderr);
      // A connection that is kept open has five seconds, and one for what is on its way.
      assert.ok(performance.now() - began < 8000);
      assert.match(stdout, /"msg":"stopped"/);
      assert.equal(stderr, "");
    });

    it("what weakens something is warned of, once", async () => {
      const { child, ended } = await serve({ LIAISON_UPSTREAMS__CONSUMER__REAUTHENTICATION: "prompt_only" });
      child.kill("SIGTERM");
      const { stdout } = await ended;
      const warnings = stdout.split("\n").filter((line) => line.includes('"level":"warn"'));
      assert.equal(warnings.length, 1, stdout);
      assert.match(warnings[0] ?? "", /upstreams\.consumer\.reauthentication is prompt_only/);
    });

    it("a second signal ends it at once", async () => {
      const { child, ended, port } = await serve();
      const request = createHangingRequest(port);
      await request.sent;
      child.kill("SIGINT");
      await new Promise((resolve) => setTimeout(resolve, 400));
      child.kill("SIGINT");
      const { code } = await ended;
      request.close();
      assert.equal(code, 130);
    });

    for (const [kind, fault] of [
      ["unhandledRejection", "Promise.reject(new Error('planted fault'))"],
      ["uncaughtException", "setImmediate(() => { throw new Error('planted fault') })"],
    ] as const) {
      it(`what nobody caught (${kind}): one fatal line, the stack on standard error, 1`, async () => {
        const script = `process.on("SIGUSR2", () => { ${fault} })`;
        const plant = `--import data:text/javascript;base64,${Buffer.from(script).toString("base64")}`;
        const { child, ended } = await serve({ NODE_OPTIONS: plant });
        child.kill("SIGUSR2");
        const { code, stdout, stderr } = await ended;
        assert.equal(code, 1);
        const fatal = stdout.split("\n").filter((line) => line.includes('"level":"fatal"'));
        assert.equal(fatal.length, 1, stdout);
        assert.match(fatal[0] ?? "", new RegExp(`"origin":"${kind}"`));
        assert.match(fatal[0] ?? "", /planted fault/);
        assert.match(stderr, /planted fault/);
      });
    }

    it("a taken port: says so and how to choose another", async () => {
      const other = createServer().listen(0, "127.0.0.1");
      await once(other, "listening");
      const port = String((other.address() as AddressInfo).port);
      const { code, stderr } = await call(["serve", "--config", config], { LIAISON_LISTEN__PORT: port });
      other.close();
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`${port}`));
      assert.match(stderr, /LIAISON_LISTEN__PORT|listen\.port/);
      assert.doesNotMatch(stderr, /\n\s+at /);
    });

    it("a faulty configuration, and another encryption key than the data's: 1, without a stack", async () => {
      const faulty = await call(["serve", "--config", config], { LIAISON_ISSUER: "nowhere" });
      assert.equal(faulty.code, 1);
      assert.match(faulty.stderr, /issuer \(env LIAISON_ISSUER\)/);
      const stranger = await call(["serve", "--config", config], { LIAISON_ENCRYPTION_KEY: key(8) });
      assert.equal(stranger.code, 1);
      assert.match(stranger.stderr, /encryption_key/);
      assert.doesNotMatch(stranger.stderr, /\n\s+at /);
    });
  });
});

/** A request whose head never ends. */
function createHangingRequest(port: number): { sent: Promise<unknown>; close(): void } {
  const controller = new AbortController();
  const body = new ReadableStream({
    start: (stream) => stream.enqueue(new TextEncoder().encode("grant_type=")),
  });
  const init = {
    method: "POST",
    body,
    duplex: "half",
    signal: controller.signal,
    headers: { "content-type": "application/x-www-form-urlencoded" },
  };
  fetch(`http://127.0.0.1:${port}/token`, init as RequestInit).catch(() => undefined);
  return { sent: new Promise((resolve) => setTimeout(resolve, 200)), close: () => controller.abort() };
}
