/**
 * What the configuration may ask of a sign-in to the administration, and what of it nobody could ever meet.
 */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import { opensAdministration } from "../../src/domain/administration.ts";
import { asUpstreamId } from "../../src/domain/ids.ts";
import { ConfigError } from "../../src/errors.ts";

const head = `
issuer: http://localhost:4400
encryption_key: ${Buffer.alloc(32, 7).toString("base64")}
deployment: { name: Test, support_email: support@example.com }
mail: { from_name: Test, from_address: no-reply@example.com, smtp: { host: localhost, security: none } }
upstreams:
  - { id: corp, name: Corp, client_id: liaison, client_secret: s, issuer: https://corp.example }
  - { id: home, name: Home, client_id: liaison, client_secret: s, issuer: https://home.example }
`;

describe("what the administration asks of a sign-in", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-config-administration-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function load(
    administration: string,
    env: Record<string, string> = {},
  ): Promise<Config["administration"]> {
    const file = join(folder, "liaison.yaml");
    await writeFile(file, `${head}administration: ${administration}\n`);
    return (await loadConfig({ file, env })).config.administration;
  }

  async function faultsOf(administration: string): Promise<[string, string][]> {
    try {
      await load(administration);
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      return error.faults.map(({ key, problem }): [string, string] => [key, problem]);
    }
    return [];
  }

  it("is nothing by default, and otherwise as it is written, in files and the environment", async () => {
    const nothing = { upstreams: [], acr_values: [], amr_values: [] };
    const { upstreams, acr_values, amr_values } = await load("{}");
    assert.deepEqual({ upstreams, acr_values, amr_values }, nothing);
    const written = await load(
      "{ upstreams: [corp], acr_values: [urn:corp:mfa, '2'], amr_values: [pwd, otp] }",
    );
    assert.deepEqual(written.acr_values, ["urn:corp:mfa", "2"]);
    assert.deepEqual([written.upstreams, written.amr_values], [["corp"], ["pwd", "otp"]]);
    const env = {
      LIAISON_ADMINISTRATION__UPSTREAMS: "home, corp",
      LIAISON_ADMINISTRATION__AMR_VALUES: "mfa",
    };
    const given = await load("{ upstreams: [corp] }", env);
    assert.deepEqual([given.upstreams, given.amr_values], [["home", "corp"], ["mfa"]]);
  });

  it("names an upstream that there is, and values that an ID token can hold", async () => {
    assert.deepEqual(await faultsOf("{ upstreams: [corp, crop] }"), [
      ["administration.upstreams[1]", "no entry of upstreams has this id"],
    ]);
    const [[key = "", problem = ""] = []] = await faultsOf("{ acr_values: ['one two'] }");
    assert.deepEqual([key, /without blanks/.test(problem)], ["administration.acr_values[0]", true]);
    assert.equal((await faultsOf("{ amr_values: [''] }")).length, 1);
    assert.equal((await faultsOf("{ acr_value: [a] }")).length, 1);
    assert.equal((await faultsOf("{ upstreams: corp }")).length, 1);
  });

  it("is met by one of the upstreams, one of the acr values and all of the amr values", () => {
    const demand = { upstreams: ["corp"], acr_values: ["a", "b"], amr_values: ["pwd", "otp"] };
    const enough = { upstreamId: asUpstreamId("corp"), acr: "b", amr: ["otp", "x", "pwd"] };
    const nothing = { upstreams: [], acr_values: [], amr_values: [] };
    assert.equal(opensAdministration(demand, enough), true);
    for (const less of [
      { upstreamId: asUpstreamId("home") },
      { acr: null },
      { acr: "c" },
      { amr: ["pwd"] },
      { amr: [] },
    ]) {
      assert.equal(opensAdministration(demand, { ...enough, ...less }), false, JSON.stringify(less));
    }
    assert.equal(opensAdministration(nothing, undefined), true);
    for (const one of ["upstreams", "acr_values", "amr_values"] as const) {
      const asked = { ...nothing, [one]: demand[one] };
      assert.equal(opensAdministration(asked, undefined), false, "of a sign-in nothing is known");
      assert.equal(opensAdministration(asked, enough), true, one);
    }
  });
});
