/** What an upstream's entry may say, and which of its settings contradict each other. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import type { UpstreamConfig } from "../../src/config/schema.ts";
import { ConfigError } from "../../src/errors.ts";

const head = `
issuer: http://localhost:4400
encryption_key: ${Buffer.alloc(32, 7).toString("base64")}
deployment: { name: Test, support_email: support@example.com }
mail: { from_name: Test, from_address: no-reply@example.com, smtp: { host: localhost, security: none } }
upstreams:
  - id: consumer
    name: Consumer
    client_id: liaison
`;
const issuer = "issuer: https://login.example.net";
const secret = "client_secret: a-secret-that-is-never-printed";
const keys = "token_endpoint_auth_method: private_key_jwt";

describe("an upstream's entry", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-config-upstreams-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function load(lines: string[], env: Record<string, string> = {}): Promise<UpstreamConfig> {
    const file = join(folder, "liaison.yaml");
    await writeFile(file, head + lines.map((line) => `    ${line}\n`).join(""));
    const { config } = await loadConfig({ file, env });
    return config.upstreams[0] ?? assert.fail();
  }

  it("has the defaults of a registration: RS256, and what discovery says", async () => {
    const read = await load([issuer, secret]);
    assert.deepEqual(read.id_token_signed_response_alg, ["RS256"]);
    assert.equal(read.token_endpoint_auth_method, null);
    assert.equal(read.response_mode, "query");
    assert.deepEqual(read.authorize_parameters, {});
    assert.deepEqual(read.claims, { email: "email", name: "name" });
    assert.equal(read.trusted_email, false);
  });

  it("is trusted for addresses only where it says so, and of the claim of email_verified", async () => {
    assert.equal((await load([issuer, secret, "trusted_email: true"])).trusted_email, true);
    assert.equal(
      (await load([issuer, secret, "trusted_email: true", "claims: { email: email }"])).trusted_email,
      true,
    );
  });

  it("takes all that is written, one algorithm or several", async () => {
    const read = await load([
      issuer,
      keys,
      "token_endpoint_auth_signing_alg: ES256",
      "id_token_signed_response_alg: PS256",
      "response_mode: form_post",
      "authorize_parameters: { acr_values: high, prompt: select_account }",
      "claims: { email: preferred_username }",
    ]);
    assert.equal(read.client_secret, null);
    assert.equal(read.token_endpoint_auth_signing_alg, "ES256");
    assert.deepEqual(read.id_token_signed_response_alg, ["PS256"]);
    assert.equal(read.response_mode, "form_post");
    assert.deepEqual(read.authorize_parameters, { acr_values: "high", prompt: "select_account" });
    assert.deepEqual(read.claims, { email: "preferred_username", name: "name" });
    const several = await load([
      issuer,
      secret,
      "id_token_signed_response_alg: [ES256, EdDSA]",
      "authorize_parameters:",
    ]);
    assert.deepEqual(several.id_token_signed_response_alg, ["ES256", "EdDSA"]);
    assert.deepEqual(several.authorize_parameters, {});
  });

  it("is filled in by the environment, parameters as a whole", async () => {
    const read = await load([issuer, secret], {
      LIAISON_UPSTREAMS__CONSUMER__ID_TOKEN_SIGNED_RESPONSE_ALG: "ES256,PS256",
      LIAISON_UPSTREAMS__CONSUMER__AUTHORIZE_PARAMETERS: "{ domain_hint: example.com }",
      LIAISON_UPSTREAMS__CONSUMER__CLAIMS__NAME: "nickname",
    });
    assert.deepEqual(read.id_token_signed_response_alg, ["ES256", "PS256"]);
    assert.deepEqual(read.authorize_parameters, { domain_hint: "example.com" });
    assert.equal(read.claims.name, "nickname");
  });

  const own = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "request",
  ];
  const reserved = [
    ...own,
    "request_uri",
    "code_challenge",
    "code_challenge_method",
    "max_age",
    "login_hint",
  ];
  const faults: [lines: string[], key: string, problem: RegExp][] = [
    [[issuer], "client_secret", /is required, unless/],
    [[issuer, secret, keys], "client_secret", /isn't used with/],
    [
      [issuer, secret, "token_endpoint_auth_signing_alg: ES256"],
      "token_endpoint_auth_signing_alg",
      /private_key_jwt alone/,
    ],
    [[issuer, keys, "token_endpoint_auth_signing_alg: HS256"], "token_endpoint_auth_signing_alg", /./],
    [[issuer, secret, "token_endpoint_auth_method: none"], "token_endpoint_auth_method", /./],
    [[issuer, secret, "id_token_signed_response_alg: none"], "id_token_signed_response_alg", /prove nothing/],
    [
      [issuer, secret, "id_token_signed_response_alg: [RS256, HS256]"],
      "id_token_signed_response_alg",
      /prove nothing/,
    ],
    [[issuer, secret, "id_token_signed_response_alg: []"], "id_token_signed_response_alg", /./],
    [[issuer, secret, "response_mode: fragment"], "response_mode", /./],
    [[issuer, secret, "scope: email profile"], "scope", /must contain openid/],
    [
      [issuer, secret, "trusted_email: true", "claims: { email: upn }"],
      "trusted_email",
      /claims.email: email alone/,
    ],
    [[issuer, secret, "trusted_email: 1"], "trusted_email", /./],
    [[issuer, secret, "claims: { email: '' }"], "claims.email", /name of a claim/],
    [[issuer, secret, "claims: { phone: phone }"], "claims.phone", /no known key/],
    [[issuer, secret, "authorize_parameters: text"], "authorize_parameters", /./],
    [[issuer, secret, "authorize_parameters: { 'a b': c }"], "authorize_parameters.a b", /no name/],
    [
      [issuer, secret, "authorize_parameters: { prompt: none }"],
      "authorize_parameters.prompt",
      /must not be none/,
    ],
    ...reserved.map((name): [string[], string, RegExp] => [
      [issuer, secret, `authorize_parameters: { ${name}: x }`],
      `authorize_parameters.${name}`,
      /sent by Liaison itself/,
    ]),
    ...["common", "organizations", "consumers"].map((tenant): [string[], string, RegExp] => [
      [`issuer: https://login.microsoftonline.com/${tenant}/v2.0`, secret],
      "issuer",
      /stands for many tenants/,
    ]),
  ];
  for (const [lines, key, problem] of faults) {
    const what = lines.slice(1).join(", ") || "no secret";
    it(`refuses ${what}${key === "issuer" ? ` of ${lines[0]}` : ""}`, async () => {
      const error = await load(lines).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof ConfigError, String(error));
      const [fault, ...others] = error.faults;
      assert.equal(fault?.key.startsWith(`upstreams.consumer.${key}`), true, fault?.key);
      assert.match(fault?.problem ?? "", problem);
      assert.deepEqual(others, []);
      assert.ok(!error.message.includes("never-printed"));
    });
  }
});
