import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { configSchema } from "../../src/config/schema.ts";
import { warningsOf } from "../../src/config/warnings.ts";
import { testConfig } from "../support/liaison.ts";

/**
 * The keys that are warned of, with an issuer and an upstream of these addresses, and portals at home on
 * `portal`.
 */
function warned(issuer: string, upstream: string, portal: string): string[] {
  const base = testConfig({ broker: 1, upstream: 1, smtp: 1 }, "liaison.db");
  const entries = base["portals"] as { id: string; redirect_uris: string[] }[];
  const [first, second] = entries;
  const config = configSchema.parse({
    ...base,
    issuer,
    upstreams: [{ ...(base["upstreams"] as object[])[0], issuer: upstream }],
    portals: [
      { ...first, home_url: `${portal}/`, redirect_uris: [`${portal}/callback`] },
      { ...second, redirect_uris: [`${portal}/callback`] },
    ],
  });
  return warningsOf(config).map(({ key }) => key);
}

describe("other services under the broker's host name", () => {
  it("are warned of, each by its key: browsers send them our cookies", () => {
    const id = "https://id.contoso.example";
    assert.deepEqual(warned(id, `${id}:8443`, `${id}:9443`), [
      "upstreams.fabrikam.issuer",
      "portals.customersource.home_url",
      "portals.partnersource.redirect_uris",
    ]);
  });

  it("aren't on other hosts of the domain, on the issuer's own origin, or on loopback", () => {
    const id = "https://id.contoso.example";
    assert.deepEqual(warned(id, "https://consumer.contoso.example", "https://www.contoso.example"), []);
    assert.deepEqual(warned(`${id}/auth`, "https://consumer.example", id), []);
    assert.deepEqual(warned("http://localhost:4400", "http://localhost:4401", "http://localhost:4402"), []);
  });
});

describe("an upstream's quirks", () => {
  const problems = (entry: object): string[] => {
    const base = testConfig({ broker: 1, upstream: 1, smtp: 1 }, "liaison.db");
    const config = configSchema.parse({
      ...base,
      upstreams: [{ ...(base["upstreams"] as object[])[0], ...entry }],
    });
    return warningsOf(config)
      .filter(({ key }) => key === "upstreams.fabrikam.quirks")
      .map(({ problem }) => problem);
  };

  it("are warned of where a stolen code could be used, or nothing asks for a fresh sign-in", () => {
    assert.match(problems({ quirks: ["no_nonce", "no_pkce"] }).join(), /a code that is stolen/);
    for (const entry of [
      { quirks: ["no_prompt_login", "no_max_age"] },
      { quirks: ["no_prompt_login"], reauthentication: "prompt_only" },
    ]) {
      assert.match(problems(entry).join(), /nothing asks for a fresh sign-in/);
    }
  });

  it("aren't where something else does", () => {
    for (const entry of [
      {},
      { quirks: ["no_nonce"] },
      { quirks: ["no_pkce", "no_max_age"] },
      { quirks: ["no_prompt_login"] },
      {
        quirks: ["no_prompt_login"],
        reauthentication: "prompt_only",
        authorize_parameters: { prompt: "consent" },
      },
    ]) {
      assert.deepEqual(problems(entry), []);
    }
  });
});
