/**
 * What may be registered for a portal: `config check` refuses whatever `serve` would, at its key and line.
 */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pino } from "pino";
import { createApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Config, PortalConfig } from "../../src/config/schema.ts";
import { ConfigError, type ConfigFault } from "../../src/errors.ts";
import type { Store } from "../../src/storage/contract.ts";
import { openStore } from "../../src/storage/open.ts";

const encryptionKey = Buffer.alloc(32, 7).toString("base64");
const secret = "s".repeat(32);

/** By address: whether it may be registered; if not, what the fault says. */
const addresses: [address: string, problem: RegExp | null][] = [
  ["https://p.example/callback", null],
  ["https://p.example/callback?tenant=1", null],
  ["HTTPS://P.example", null],
  ["https://p.example:8443/", null],
  ["https://10.0.0.7/cb", null],
  ["http://localhost/cb", null],
  ["http://localhost:9/cb", null],
  ["http://portal.localhost:9/cb", null],
  ["http://127.0.0.1:9/cb", null],
  ["http://127.7.7.7/cb", null],
  ["http://[::1]:9/cb", null],
  ["x", /absolute/],
  ["/callback", /absolute/],
  ["//p.example/callback", /absolute/],
  ["p.example/callback", /absolute/],
  ["https://", /absolute/],
  ["https://p example/", /absolute/],
  ["https://p.example/cb#fragment", /fragment/],
  ["https://p.example/cb#", /fragment/],
  ["http://localhost:9/cb#fragment", /fragment/],
  ["https:p.example/cb", /begins with https/],
  ["http://p.example/cb", /use https/],
  ["http://10.0.0.7/cb", /use https/],
  ["http://localhost.p.example/cb", /use https/],
  ["http://127.0.0.1.p.example/cb", /use https/],
  ["http://0.0.0.0/cb", /use https/],
  ["com.example.app:/callback", /scheme of its own/],
  ["com.example.app://callback", /scheme of its own/],
  ["myapp://callback", /scheme of its own/],
  ["urn:ietf:wg:oauth:2.0:oob", /scheme of its own/],
  ["javascript:alert(1)", /scheme of its own/],
  ["data:text/html,x", /scheme of its own/],
  ["ftp://p.example/", /scheme of its own/],
  ["ws://localhost/", /scheme of its own/],
];

/** By secret: whether it may be a portal's. */
const secrets: [why: string, secret: string, isTaken: boolean][] = [
  ["all that is printable", ` !"#$%&'()*+,-./09:;<=>?@AZ[\\]^_\`az{|}~`, true],
  ["31 characters", "s".repeat(31), false],
  ["a letter that is not ASCII", `${secret}é`, false],
  ["a line break within", `${secret}\n${secret}`, false],
  ["a tab", `${secret}\t`, false],
];

describe("what a portal registers", () => {
  let folder: string;
  let store: Store;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-config-portals-"));
    store = await openStore({ sqlite: { file: join(folder, "liaison.db") }, encryptionKey });
  });
  after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** As from a file: one key a line, each entry of a list too. JSON strings are YAML. */
  async function check(
    portal: Record<string, unknown>,
  ): Promise<{ config?: Config; faults: readonly ConfigFault[] }> {
    const whole = { client_secret: secret, redirect_uris: ["https://p.example/cb"], ...portal };
    const lines = Object.entries(whole).flatMap(([key, value]) =>
      Array.isArray(value) && value.length > 0
        ? [`    ${key}:`, ...value.map((entry) => `      - ${JSON.stringify(entry)}`)]
        : [`    ${key}: ${JSON.stringify(value)}`],
    );
    const file = join(folder, "liaison.yaml");
    await writeFile(
      file,
      `issuer: http://localhost:4400
encryption_key: ${encryptionKey}
deployment: { name: Test, support_email: support@example.com }
mail: { from_name: Test, from_address: no-reply@example.com, smtp: { host: localhost, security: none } }
upstreams: [{ id: up, name: Up, issuer: "https://up.example", client_id: liaison, client_secret: secret }]
portals:
  - id: p
    name: P
    home_url: https://p.example
    access_policy: { kinds: [customer] }
${lines.join("\n")}
`,
    );
    try {
      return { config: (await loadConfig({ file, env: {} })).config, faults: [] };
    } catch (error) {
      if (error instanceof ConfigError) return { faults: error.faults };
      throw error;
    }
  }

  /** What `serve` says of a configuration that was let through. */
  async function starts(config: Config | undefined): Promise<void> {
    assert.ok(config);
    const app = await createApp({
      config,
      store,
      clock: { now: Date.now },
      logger: pino({ level: "silent" }),
    });
    await app.close();
  }

  const lists = ["redirect_uris", "post_logout_redirect_uris"] as const;
  for (const [address, problem] of addresses) {
    it(`${problem === null ? "takes" : "refuses"} ${address}`, async () => {
      for (const key of lists) {
        const { config, faults } = await check({ [key]: ["https://p.example/first", address] });
        if (problem === null) await starts(config);
        else assertFault(faults, `portals.p.${key}[1]`, problem, address);
      }
      const { config, faults } = await check({ backchannel_logout_uri: address });
      if (problem === null) await starts(config);
      else assertFault(faults, "portals.p.backchannel_logout_uri", problem, address);
    });
  }

  function assertFault(faults: readonly ConfigFault[], key: string, problem: RegExp, value: string): void {
    assert.deepEqual(
      faults.map((fault) => fault.key),
      [key],
    );
    const [fault] = faults;
    assert.match(fault?.source ?? "", /liaison\.yaml:1[1-9]$/);
    assert.match(fault?.problem ?? "", problem);
    if (value.length > 1) assert.ok(!fault?.problem.includes(value));
  }

  it("names every one at once, each by its index and line", async () => {
    const { faults } = await check({
      redirect_uris: ["https://p.example/ok", "x", "http://p.example/"],
      post_logout_redirect_uris: ["app:/x"],
    });
    assert.deepEqual(
      faults.map(({ key, source }) => [key, source.replace(/.*:/, "")]),
      [
        ["portals.p.redirect_uris[1]", "14"],
        ["portals.p.redirect_uris[2]", "15"],
        ["portals.p.post_logout_redirect_uris[0]", "17"],
      ],
    );
  });

  it("of a public client the same", async () => {
    const isPublic = { token_endpoint_auth_method: "none", client_secret: null };
    await starts((await check(isPublic)).config);
    const { faults } = await check({ ...isPublic, redirect_uris: ["com.example.app:/cb"] });
    assertFault(faults, "portals.p.redirect_uris[0]", /scheme of its own/, "com.example.app:/cb");
  });

  for (const [why, value, isTaken] of secrets) {
    it(`${isTaken ? "takes" : "refuses"} a secret with ${why}`, async () => {
      const { config, faults } = await check({ client_secret: value });
      if (isTaken) return await starts(config);
      assertFault(faults, "portals.p.client_secret", /characters/, value);
    });
  }

  const choices: Partial<PortalConfig>[] = [
    { grant_types: [] },
    { grant_types: ["refresh_token"] },
    { id_token_signed_response_alg: "ES256" },
    { token_endpoint_auth_method: "client_secret_post", pkce_required: false },
    {
      initiate_login_uri: "http://p.example/login",
      redirect_uris: ["https://p.example/cb", "https://p.example/cb"],
    },
  ];
  for (const choice of choices) {
    it(`serve takes ${JSON.stringify(choice)} too`, async () => starts((await check(choice)).config));
  }
});
