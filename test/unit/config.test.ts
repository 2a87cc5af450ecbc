/** Reading a configuration: files, environment, secrets from files, and every fault at once. */

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../../src/config/load.ts";
import { configShape, type SchemaShape } from "../../src/config/schema-shape.ts";
import { ConfigError, type ConfigFault } from "../../src/errors.ts";

const example = fileURLToPath(new URL("../../config/example.yaml", import.meta.url));
const encryptionKey = Buffer.alloc(32, 7).toString("base64");

const minimal = `
issuer: http://localhost:4400
encryption_key: ${encryptionKey}
deployment: { name: Test, support_email: support@example.com }
mail: { from_name: Test, from_address: no-reply@example.com, smtp: { host: localhost, security: none } }
upstreams:
  - id: consumer
    name: Consumer
    issuer: https://login.example.net
    client_id: liaison
    client_secret: from-the-file
  - id: other-one
    name: Other
    issuer: https://other.example.net
    client_id: liaison
    client_secret: other-secret
`;

describe("configuration", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-config-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function file(name: string, text: string): Promise<string> {
    const path = join(folder, name);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, text);
    return path;
  }

  async function faultsOf(path: string, env: Record<string, string> = {}): Promise<readonly ConfigFault[]> {
    try {
      await loadConfig({ file: path, env });
    } catch (error) {
      if (error instanceof ConfigError) return error.faults;
      throw error;
    }
    return [];
  }
  const places = (faults: readonly ConfigFault[]) => faults.map(({ key, source }) => [key, source]);

  describe("faults", () => {
    it("six of them are named at once, with key and source", async () => {
      const path = await file(
        "six.yaml",
        `issuer: https://id.example.com/
deployment:
  name: Test
  support_emial: support@example.com
  support_email: support@example.com
mail:
  from_name: Test
  from_address: no-reply@example.com
  smtp:
    host: localhost
    port: "587"
encryption_key: ${encryptionKey}
upstreams:
  - id: consumer
    name: Consumer
    issuer: https://login.example.net
    client_secret_file: /nowhere/secret
`,
      );
      const faults = await faultsOf(path, { LIAISON_SESSIONS__IDLE_SECONDS: "an hour" });
      assert.deepEqual(places(faults).sort(), [
        ["deployment.support_emial", `${path}:4`],
        ["issuer", `${path}:1`],
        ["mail.smtp.port", `${path}:11`],
        ["sessions.idle_seconds", "env LIAISON_SESSIONS__IDLE_SECONDS"],
        ["upstreams.consumer.client_id", "missing"],
        ["upstreams.consumer.client_secret", `${path}:17`],
      ]);
      assert.match(
        faults.find(({ key }) => key.endsWith("emial"))?.problem ?? "",
        /Did you mean support_email\?/,
      );
    });

    const cases: {
      name: string;
      text: string;
      env?: Record<string, string>;
      expected: [key: string, line: string][];
    }[] = [
      { name: "broken YAML", text: `${minimal}log: { level: [`, expected: [["(syntax)", ":17"]] },
      {
        name: "a key given twice",
        text: `${minimal}issuer: https://x.example`,
        expected: [["(syntax)", ":17"]],
      },
      { name: "tabs", text: `${minimal}log:\n\tlevel: info`, expected: [["(syntax)", ":18"]] },
      {
        name: "a value and its file",
        text: minimal.replace("other-secret", "x\n    client_secret_file: y"),
        expected: [["upstreams.other-one.client_secret", ":17"]],
      },
      {
        name: "an id used twice",
        text: minimal.replace("other-one", "consumer"),
        expected: [["upstreams.consumer.id", ":12"]],
      },
      {
        name: "a list where text belongs",
        text: minimal.replace("http://localhost:4400", "[x]"),
        expected: [["issuer", ":2"]],
      },
      { name: "text where a section belongs", text: `${minimal}log: debug`, expected: [["log", ":17"]] },
      {
        name: "a number where text belongs",
        text: minimal.replace("name: Other", "name: 7"),
        expected: [["upstreams.other-one.name", ":13"]],
      },
      {
        name: "a user name without password",
        text: minimal.replace("host: localhost", "host: localhost, username: me"),
        expected: [["mail.smtp.password", "missing"]],
      },
      {
        name: "an issuer with an empty query",
        text: minimal.replace("http://localhost:4400", "http://localhost:4400?"),
        expected: [["issuer", ":2"]],
      },
      {
        name: "an upstream over plain http",
        text: minimal.replace("https://other.example.net", "http://other.example.net"),
        expected: [["upstreams.other-one.issuer", ":14"]],
      },
      {
        name: "an unknown variable",
        text: minimal,
        env: { LIAISON_LISTEN__PROT: "1" },
        expected: [["listen.prot", "env LIAISON_LISTEN__PROT"]],
      },
      {
        name: "an unknown id in a variable",
        text: minimal,
        env: { LIAISON_UPSTREAMS__CONSUMR__NAME: "x" },
        expected: [["upstreams.consumr", "env LIAISON_UPSTREAMS__CONSUMR__NAME"]],
      },
      {
        name: "a variable that is a section's",
        text: minimal,
        env: { LIAISON_LOG: "{ level: loud }" },
        expected: [["log.level", "env LIAISON_LOG"]],
      },
      {
        name: "a variable and its file",
        text: minimal,
        env: { LIAISON_ISSUER: "https://x.example", LIAISON_ISSUER_FILE: "/x" },
        expected: [["issuer", "env LIAISON_ISSUER_FILE"]],
      },
      {
        name: "an unreadable file in a variable",
        text: minimal,
        env: { LIAISON_ISSUER_FILE: "/nowhere/x" },
        expected: [["issuer", "env LIAISON_ISSUER_FILE"]],
      },
      {
        name: "no boolean",
        text:
          `${minimal}portals: [{ id: p, name: P, home_url: "https://p.example", redirect_uris: ` +
          `["https://p.example/cb"], access_policy: { kinds: [customer] } }]`,
        env: { LIAISON_PORTALS__P__PKCE_REQUIRED: "yes", LIAISON_PORTALS__P__CLIENT_SECRET: "s".repeat(32) },
        expected: [["portals.p.pkce_required", "env LIAISON_PORTALS__P__PKCE_REQUIRED"]],
      },
    ];
    for (const { name, text, env, expected } of cases) {
      it(name, async () => {
        const path = await file("case.yaml", text);
        const named = places(await faultsOf(path, env)).map(([key, source]) => [
          key,
          source?.replace(path, ""),
        ]);
        assert.deepEqual(named, expected);
      });
    }

    it("a missing file, and a folder without configuration", async () => {
      assert.deepEqual(places(await faultsOf(join(folder, "none.yaml"))), [
        ["(file)", join(folder, "none.yaml")],
      ]);
      await mkdir(join(folder, "empty"), { recursive: true });
      const [fault] = await faultsOf(join(folder, "empty"));
      assert.match(fault?.problem ?? "", /copy .*example\.yaml/);
    });

    it("no secret is ever in them", async () => {
      const secret = "hunter2-hunter2";
      const texts = [
        minimal.replace("other-secret", `*${secret}`),
        minimal.replace("other-secret", `!${secret} x`),
        minimal.replace("other-secret", `"${secret}`),
        minimal.replace("other-secret", `[${secret}]`),
        minimal.replace("client_secret: other-secret", `client_secret_file: ${secret}`),
        minimal.replace("client_secret: other-secret", `client_secret:${secret}`),
        minimal.replace("client_secret: other-secret", `{client_secret:${secret}}`),
        minimal.replace("client_secret: other-secret", `client_secrte: ${secret}`),
        minimal.replace(encryptionKey, secret),
        `${minimal}log: { level: ${secret} }`,
        `${minimal}portals: [{ id: p, client_secret: ${secret}, token_endpoint_auth_method: ${secret} }]`,
      ];
      for (const text of texts) {
        const faults = await faultsOf(await file("secret.yaml", text), {
          LIAISON_LOG__LEVEL: secret,
          LIAISON_LISTEN__PORT: secret,
          LIAISON_ISSUER_FILE: `/${secret}`,
        });
        assert.ok(faults.length >= 3);
        assert.ok(!JSON.stringify(faults).includes(secret), `${text.slice(-80)}\n${JSON.stringify(faults)}`);
        assert.ok(!new ConfigError(faults).message.includes(secret));
      }
    });
  });

  describe("sources", () => {
    it("the environment is laid over files, entries found by id, values converted", async () => {
      const path = await file("minimal.yaml", minimal);
      const secretFile = await file("secret.txt", "from-a-secret-file\n");
      const { config } = await loadConfig({
        file: path,
        env: {
          LIAISON_LISTEN__PORT: "0",
          LIAISON_MAIL__SMTP__TIMEOUT_SECONDS_FILE: await file("seconds.txt", "7\r\n"),
          LIAISON_UPSTREAMS__CONSUMER__CLIENT_SECRET_FILE: secretFile,
          LIAISON_UPSTREAMS__OTHER_ONE__CLIENT_SECRET: "from-the-environment",
          LIAISON_UPSTREAMS__OTHER_ONE__ABOUT_URL: "",
          LIAISON_PORTALS: JSON.stringify([
            {
              id: "p",
              name: "P",
              home_url: "https://p.example",
              redirect_uris: ["https://p.example/a"],
              access_policy: { kinds: ["customer"] },
            },
          ]),
          LIAISON_PORTALS__P__CLIENT_SECRET: "p".repeat(32),
          LIAISON_PORTALS__P__REDIRECT_URIS: "https://p.example/b, https://p.example/c",
          LIAISON_PORTALS__P__ACCESS_POLICY__PLAN_REQUIRED: "true",
          PATH: "/bin",
        },
      });
      assert.equal(config.listen.port, 0);
      assert.equal(config.mail.smtp.timeout_seconds, 7);
      assert.deepEqual(
        config.upstreams.map(({ client_secret }) => client_secret),
        ["from-a-secret-file", "from-the-environment"],
      );
      assert.equal(config.upstreams[1]?.about_url, null);
      const [portal] = config.portals;
      assert.equal(portal?.client_secret, "p".repeat(32));
      assert.deepEqual(portal?.redirect_uris, ["https://p.example/b", "https://p.example/c"]);
      assert.deepEqual(portal?.access_policy, { kinds: ["customer"], plan_required: true, roles: [] });
    });

    it("a folder's files are laid over each other in name order, without example.yaml", async () => {
      await file("many/10-base.yaml", minimal);
      await file(
        "many/20-more.yml",
        "log: { level: warn }\nupstreams:\n  - { id: consumer, name: Renamed }\n",
      );
      await file("many/example.yaml", "nonsense: true");
      await file("many/notes.txt", "nonsense: true");
      const { config } = await loadConfig({ file: join(folder, "many"), env: {} });
      assert.equal(config.log.level, "warn");
      assert.deepEqual(
        config.upstreams.map(({ name, client_id }) => [name, client_id]),
        [
          ["Renamed", "liaison"],
          ["Other", "liaison"],
        ],
      );
    });

    it("relative paths start where they are written", async () => {
      await file("paths/secret", "beside-the-file");
      const path = await file(
        "paths/liaison.yaml",
        `${minimal.replace("client_secret: other-secret", "client_secret_file: secret")}storage: { ` +
          "sqlite: { file: ../some.db } }\n",
      );
      const { config } = await loadConfig({ file: path, env: {} });
      assert.equal(config.upstreams[1]?.client_secret, "beside-the-file");
      assert.equal(config.storage.sqlite?.file, join(folder, "some.db"));
      const fromEnv = await loadConfig({ file: path, env: { LIAISON_STORAGE__SQLITE__FILE: "some.db" } });
      assert.equal(fromEnv.config.storage.sqlite?.file, resolve("some.db"));
      const byDefault = await loadConfig({ file: await file("minimal.yaml", minimal), env: {} });
      assert.equal(byDefault.config.storage.sqlite?.file, resolve("data/liaison.db"));
    });

    it("an empty section is all of its defaults, or nothing where it may be nothing", async () => {
      const withDkim = (dkim: string) => minimal.replace("smtp: {", `${dkim}, smtp: {`);
      for (const dkim of ["dkim: null", "dkim: ", "dkim: ~"]) {
        const path = await file("no-dkim.yaml", `${withDkim(dkim)}log:\nlimits:\n`);
        const { config } = await loadConfig({ file: path, env: {} });
        assert.equal(config.mail.dkim, null);
        assert.equal(config.log.level, "info");
        assert.equal(config.limits.mails_per_mailbox.limit, 30);
        assert.deepEqual(config.limits.mails_per_mailbox_daily, { limit: 60, window_seconds: 86_400 });
      }
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      const env = {
        LIAISON_MAIL__DKIM__DOMAIN: "example.com",
        LIAISON_MAIL__DKIM__SELECTOR: "liaison",
        LIAISON_MAIL__DKIM__PRIVATE_KEY: String(privateKey.export({ type: "pkcs8", format: "pem" })),
      };
      const { config } = await loadConfig({ file: await file("dkim.yaml", withDkim("dkim: null")), env });
      assert.equal(config.mail.dkim?.selector, "liaison");
      const half = await faultsOf(await file("half-dkim.yaml", withDkim("dkim: { domain: example.com }")));
      assert.deepEqual(
        half.map(({ key }) => key),
        ["mail.dkim.selector", "mail.dkim.private_key"],
      );
    });

    it("a variable settles what a file leaves faulty", async () => {
      const path = await file(
        "half.yaml",
        minimal.replace(`encryption_key: ${encryptionKey}`, "encryption_key_file: /nowhere/key"),
      );
      assert.deepEqual(await faultsOf(path, { LIAISON_ENCRYPTION_KEY: encryptionKey }), []);
    });
  });

  it("what weakens something is warned of", async () => {
    const path = await file(
      "weak.yaml",
      minimal
        .replace("http://localhost:4400", "http://id.example.com")
        .replace("host: localhost", "host: smtp.example.com")
        .replace("name: Other", "name: Other\n    reauthentication: prompt_only"),
    );
    const { warnings } = await loadConfig({ file: path, env: {} });
    assert.deepEqual(places(warnings), [
      ["issuer", `${path}:2`],
      ["mail.smtp.security", `${path}:5`],
      ["upstreams.other-one.reauthentication", `${path}:14`],
    ]);
  });

  describe("config/example.yaml", () => {
    it("is valid once the secrets are given", async () => {
      const env = {
        LIAISON_ENCRYPTION_KEY: encryptionKey,
        LIAISON_UPSTREAMS__CONSUMER__CLIENT_SECRET: "a secret",
        LIAISON_PORTALS__CUSTOMERSOURCE__CLIENT_SECRET: "a secret of at least 32 characters",
      };
      const { config, warnings } = await loadConfig({ file: example, env });
      assert.equal(config.portals[0]?.id, "customersource");
      assert.deepEqual(warnings, []);
    });

    it("names every key", async () => {
      const text = await readFile(example, "utf8");
      const unnamed = keysOf(configShape).filter(
        (key) => !new RegExp(`(^[ #-]*|[{,] *)${key}:`, "m").test(text),
      );
      assert.deepEqual(unnamed, []);
    });
  });
});

function keysOf(shape: SchemaShape): string[] {
  if (shape.kind === "entries") return keysOf(shape.entry);
  if (shape.kind !== "map") return [];
  return [...shape.keys].flatMap(([key, inner]) => [key, ...keysOf(inner)]);
}
