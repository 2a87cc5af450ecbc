/** What the configuration takes of mail: addresses, the name in greetings, passwords and access tokens. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { mailDomain } from "../../src/config/derived.ts";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/errors.ts";

describe("the configuration of mail", () => {
  let folder: string;
  let path: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-config-mail-"));
    path = join(folder, "liaison.yaml");
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function load(smtp: string, env: Record<string, string> = {}, from = "no-reply@example.com") {
    const text = `
issuer: http://localhost:4400
encryption_key: ${Buffer.alloc(32, 7).toString("base64")}
deployment: { name: Test, support_email: hjælp@example.com }
mail: { from_name: Test, from_address: "${from}", smtp: { host: mx.example.com${smtp} } }
upstreams:
  - { id: consumer, name: Consumer, issuer: "http://localhost:1", client_id: liaison, client_secret: secret }
`;
    await writeFile(path, text.replace("hjælp@example.com", env["SUPPORT"] ?? "help@example.com"));
    const { SUPPORT: _, ...rest } = env;
    return (await loadConfig({ file: path, env: rest })).config;
  }
  async function faultsOf(...given: Parameters<typeof load>): Promise<string[]> {
    try {
      await load(...given);
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.faults.map(({ key }) => key);
    }
    return [];
  }

  it("takes a domain beyond ASCII, and makes Message-IDs of its A-label", async () => {
    const config = await load("", { SUPPORT: "help@bücher.example" }, "no-reply@Bücher.example");
    assert.equal(mailDomain(config), "xn--bcher-kva.example");
    assert.equal(config.deployment.support_email, "help@bücher.example");
    assert.equal(
      (await load("", {}, "no-reply@пример.xn--p1ai")).mail.from_address,
      "no-reply@пример.xn--p1ai",
    );
  });

  it("refuses what is no one plain address, or beyond ASCII before its @", async () => {
    for (const from of [
      "hjælp@example.com",
      "a b@example.com",
      "a@b",
      " a@example.com",
      "A <a@example.com>",
      "a@b.example, c@d.example",
    ]) {
      assert.deepEqual(await faultsOf("", {}, from), ["mail.from_address"], from);
    }
    assert.deepEqual(await faultsOf("", { SUPPORT: "hjælp@example.com" }), ["deployment.support_email"]);
  });

  it("takes a name with a dot, or an address, as client_name", async () => {
    assert.equal((await load("")).mail.smtp.client_name, null);
    for (const name of ["out.example.com", "a-1.example", "[192.0.2.1]", "[IPv6:2001:db8::1]"]) {
      assert.equal((await load(`, client_name: "${name}"`)).mail.smtp.client_name, name);
    }
    for (const name of [
      "localhost",
      "",
      "192.0.2.1",
      "-a.example",
      "a.example\\r\\nQUIT",
      "bücher.example",
      "[",
      "a..example",
    ]) {
      assert.deepEqual(await faultsOf(`, client_name: "${name}"`), ["mail.smtp.client_name"], name);
    }
  });

  const oauth2 = 'oauth2: { token_endpoint: "https://login.example/token", client_id: c, client_secret: s }';

  it("takes a password or access tokens, and either with a username alone", async () => {
    assert.deepEqual((await load(`, username: u, ${oauth2}`)).mail.smtp.oauth2, {
      token_endpoint: "https://login.example/token",
      client_id: "c",
      client_secret: "s",
      scope: null,
      refresh_token: null,
    });
    assert.deepEqual(await faultsOf(`, username: u, password: p, ${oauth2}`), ["mail.smtp.oauth2"]);
    assert.deepEqual(await faultsOf(`, ${oauth2}`), ["mail.smtp.username"]);
    assert.deepEqual(await faultsOf(", password: p"), ["mail.smtp.username"]);
    assert.deepEqual(await faultsOf(", username: u"), ["mail.smtp.password"]);
  });

  it("takes access tokens' secrets from files and the environment, no token endpoint in clear", async () => {
    const secret = join(folder, "secret");
    await writeFile(secret, "from-a-file\n");
    const env = {
      LIAISON_MAIL__SMTP__OAUTH2__CLIENT_SECRET_FILE: secret,
      LIAISON_MAIL__SMTP__OAUTH2__REFRESH_TOKEN: "from-the-environment",
    };
    const { oauth2: read } = (await load(`, username: u, ${oauth2.replace(", client_secret: s", "")}`, env))
      .mail.smtp;
    assert.deepEqual([read?.client_secret, read?.refresh_token], ["from-a-file", "from-the-environment"]);
    for (const address of ["http://login.example/token", "nowhere", "ftp://login.example/"]) {
      const faults = await faultsOf(
        `, username: u, ${oauth2.replace("https://login.example/token", address)}`,
      );
      assert.deepEqual(faults, ["mail.smtp.oauth2.token_endpoint"], address);
    }
    const local = oauth2.replace("https://login.example/token", "http://127.0.0.1:8080/token");
    assert.notEqual((await load(`, username: u, ${local}`)).mail.smtp.oauth2, null);
  });
});
