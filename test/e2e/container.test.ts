/** What the image holds and how it runs, as far as that shows without a container engine. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { openStore } from "../../src/storage/open.ts";
import { freePort } from "../support/free-port.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (name: string) => readFileSync(join(root, name), "utf8");
const encryptionKey = Buffer.alloc(32, 9).toString("base64");

/** The Dockerfile's instructions, continued lines joined. */
const instructions = read("Dockerfile")
  .replaceAll(/^#.*\n/gm, "")
  .replaceAll("\\\n", " ")
  .split("\n")
  .filter((line) => line.trim() !== "")
  .map((line) => ({
    word: line.slice(0, line.indexOf(" ")),
    rest: line.slice(line.indexOf(" ") + 1).trim(),
  }));
const finalStage = instructions.slice(instructions.findLastIndex(({ word }) => word === "FROM"));
const last = (word: string) =>
  finalStage.findLast((one) => one.word === word)?.rest ?? assert.fail(`no ${word}`);
const words = (word: string): string[] => JSON.parse(/\[.*\]$/.exec(last(word))?.[0] ?? "") as string[];
const copied = finalStage
  .filter(({ word, rest }) => word === "COPY" && !rest.startsWith("--from"))
  .flatMap(({ rest }) => rest.split(" ").slice(0, -1));

describe("the image", () => {
  let folder: string;
  let app: string;
  let port: number;
  let environment: Record<string, string>;
  const running: ChildProcess[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-image-"));
    app = join(folder, "app");
    layOut(app);
    mkdirSync(join(folder, "config"));
    writeFileSync(
      join(folder, "config", "liaison.yaml"),
      `issuer: https://id.example.com
deployment: { name: Test, support_email: support@example.com }
mail: { from_name: Test, from_address: no-reply@example.com, smtp: { host: localhost, security: none } }
upstreams:
  - { id: consumer, name: Consumer, issuer: "http://localhost:1", client_id: liaison, client_secret: secret }
`,
    );
    port = await freePort();
    const set = last("ENV").matchAll(/(\w+)=(\S+)/g);
    environment = {
      ...Object.fromEntries([...set].map(([, name = "", value = ""]) => [name, value])),
      LIAISON_LISTEN__PORT: String(port),
      LIAISON_STORAGE__SQLITE__FILE: join(folder, "data", "liaison.db"),
      LIAISON_ENCRYPTION_KEY: encryptionKey,
    };
  });
  after(async () => {
    for (const child of running) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  /** The files that a build copies, beside the packages that production needs and no others. */
  function layOut(target: string): void {
    const ignored = read(".dockerignore")
      .split("\n")
      .filter((line) => line.startsWith("src/"));
    for (const source of copied) {
      cpSync(join(root, source), join(target, source), {
        recursive: true,
        filter: (path) => !ignored.some((name) => path === join(root, name)),
      });
    }
    const { packages } = JSON.parse(read("package-lock.json")) as {
      packages: Record<string, { dev?: boolean }>;
    };
    for (const [path, { dev = false }] of Object.entries(packages)) {
      if (dev || !/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) || !existsSync(join(root, path))) continue;
      mkdirSync(dirname(join(target, path)), { recursive: true });
      symlinkSync(join(root, path), join(target, path));
    }
  }

  function start([program = "", ...parameters]: string[]): {
    child: ChildProcess;
    ended: Promise<unknown[]>;
    said: string[];
  } {
    assert.equal(program, "node");
    const here = parameters.map((word) => (word === "/etc/liaison" ? join(folder, "config") : word));
    const child = spawn(process.execPath, here, { cwd: app, env: environment });
    running.push(child);
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => void said.push(String(chunk)));
    return { child, ended: once(child, "close"), said };
  }

  const files = () =>
    readdirSync(app, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => `${path} ${statSync(path).mtimeMs}`);

  it("copies what exists and is let through, runs as nobody special, and as its own process", () => {
    const allowed = read(".dockerignore")
      .split("\n")
      .flatMap((line) => /^!(.+)/.exec(line)?.[1] ?? []);
    const sources = instructions
      .filter(({ word, rest }) => word === "COPY" && !rest.startsWith("--from"))
      .flatMap(({ rest }) => rest.split(" ").slice(0, -1));
    for (const source of sources)
      assert.ok(existsSync(join(root, source)) && allowed.includes(source), source);
    assert.equal(read(".dockerignore").split("\n")[0], "*", "nothing but what is named");
    assert.equal(last("USER"), "node");
    assert.ok(
      finalStage.findIndex(({ word }) => word === "USER") >
        finalStage.findIndex(({ word }) => word === "RUN"),
    );
    assert.deepEqual(words("CMD").slice(0, 3), ["node", "bin/liaison.js", "serve"]);
    for (const { word, rest } of instructions) {
      if (word === "FROM") assert.match(rest, /^node:24-/);
      if (word === "ENV" || word === "ARG") assert.doesNotMatch(rest, /key|secret|password/i);
    }
    assert.match(instructions.map(({ rest }) => rest).join("\n"), /npm ci --omit=dev/);
  });

  it(
    "serves from its files and production packages alone, writes nowhere but to its volume, and stops " +
      "when told to",
    async () => {
      const before = files();
      assert.ok(!before.some((path) => path.includes("/demo/run.ts")));
      const health = words("HEALTHCHECK");
      assert.deepEqual(await start(health).ended, [1, null], "not healthy before it runs");

      const { child, ended, said } = start(words("CMD"));
      const deadline = Date.now() + 15_000;
      while (!said.join("").includes('"listening"')) {
        assert.ok(Date.now() < deadline && child.exitCode === null, said.join(""));
        await pause(25);
      }
      assert.deepEqual(await start(health).ended, [0, null], "healthy");
      const discovery = await fetch(`http://127.0.0.1:${port}/.well-known/openid-configuration`);
      assert.equal(((await discovery.json()) as { issuer: string }).issuer, "https://id.example.com");

      backUp(join(folder, "backup.db"));
      child.kill("SIGTERM");
      assert.deepEqual(await ended, [0, null], said.join(""));
      assert.match(said.at(-1) ?? "", /"stopped"/);
      assert.deepEqual(files(), before);
      assert.deepEqual(readdirSync(join(folder, "data")), ["liaison.db"], "no journal is left behind");
    },
  );

  /** As docs/running has it, while the service runs. */
  function backUp(target: string): void {
    const database = new DatabaseSync(environment["LIAISON_STORAGE__SQLITE__FILE"] ?? "");
    database.exec(`VACUUM INTO '${target}'`);
    database.close();
  }

  it("a backup that was made while it ran is whole: the same keys, by the same encryption key", async () => {
    const original = await openStore({ sqlite: { file: join(folder, "data", "liaison.db") }, encryptionKey });
    const backup = await openStore({ sqlite: { file: join(folder, "backup.db") }, encryptionKey });
    const keyOf = (store: typeof backup) =>
      store.keys.findOrCreate("signing.rs256", () => assert.fail("no key"));
    assert.equal(await keyOf(backup), await keyOf(original));
    await Promise.all([original.close(), backup.close()]);
  });

  it("says that it has no demo", async () => {
    const { ended, said } = start(["node", "bin/liaison.js", "demo"]);
    assert.deepEqual(await ended, [2, null]);
    assert.match(said.join(""), /^liaison: The demo isn't part of this installation/);
  });
});

describe("compose.yaml", () => {
  interface Compose {
    services: Record<string, Record<string, unknown> & { volumes: string[]; secrets?: string[] }>;
    secrets: Record<string, { file: string }>;
    volumes: Record<string, unknown>;
    networks: { default: { ipam: { config: { subnet: string }[] } } };
  }
  const compose = parse(read("compose.yaml")) as Compose;
  const { liaison = assert.fail(), caddy = assert.fail() } = compose.services;
  const environment = liaison["environment"] as Record<string, string>;

  it("names secrets, volumes and networks that it declares", () => {
    assert.deepEqual(liaison.secrets, Object.keys(compose.secrets));
    for (const volume of [...liaison.volumes, ...caddy.volumes]) {
      const [source = "", target = ""] = volume.split(":");
      if (source.startsWith("./")) assert.ok(existsSync(join(root, source)), source);
      else assert.ok(source in compose.volumes, source);
      assert.ok(target.startsWith("/"));
    }
    assert.ok(liaison.volumes.some((volume) => volume.endsWith(`:${last("VOLUME")}`)));
    assert.equal(environment["LIAISON_TRUSTED_PROXIES"], compose.networks.default.ipam.config[0]?.subnet);
  });

  it("confines both services and brings them back", () => {
    for (const service of [liaison, caddy]) {
      assert.equal(service["restart"], "unless-stopped");
      assert.deepEqual(service["cap_drop"], ["ALL"]);
      assert.ok(service["mem_limit"] && service["cpus"] && service["pids_limit"]);
    }
    assert.equal(liaison["read_only"], true);
    assert.equal(liaison["ports"], undefined, "reached through the proxy alone");
    assert.ok(
      Number.parseInt(String(liaison["stop_grace_period"]), 10) > 22,
      "longer than stopping may take",
    );
  });

  it("sets keys of the schema, and holds every secret that the example reads from a file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "liaison-compose-"));
    try {
      const inContainer = "/run/secrets/";
      for (const name of Object.keys(compose.secrets)) {
        writeFileSync(
          join(folder, name),
          name.endsWith("-key") ? encryptionKey : `${name}-of-at-least-32-characters\n`,
        );
      }
      const example = read("config/example.yaml")
        .replaceAll(/# (username: \w+|\w+_file: \/run\/secrets\/)/g, "$1")
        .replaceAll(inContainer, `${folder}/`);
      writeFileSync(join(folder, "liaison.yaml"), example);
      const env = Object.fromEntries(
        Object.entries(environment).map(([name, value]) => [
          name,
          value.replace(inContainer, `${folder}/`).replace(/\$\{LIAISON_HOST[^}]*\}/, "id.example.org"),
        ]),
      );
      const { config } = await loadConfig({ file: folder, env });
      assert.equal(config.issuer, "https://id.example.org");
      assert.equal(config.encryption_key, encryptionKey);
      assert.equal(config.mail.smtp.password, "smtp-password-of-at-least-32-characters");
      assert.deepEqual(config.trusted_proxies, [environment["LIAISON_TRUSTED_PROXIES"]]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
