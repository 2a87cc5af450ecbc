/**
 * What surrounds a configuration: variables that container platforms set, the issuer's one spelling, lengths
 * that end.
 */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type LoadedConfig, loadConfig } from "../../src/config/load.ts";
import { configSchema } from "../../src/config/schema.ts";
import { ConfigError } from "../../src/errors.ts";
import { interactionLifetimeSeconds } from "../../src/oidc/provider.ts";
import { testConfig } from "../support/liaison.ts";

let folder: string;
let file: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "liaison-surroundings-"));
  file = join(folder, "liaison.yaml");
  await writeFile(file, JSON.stringify(testConfig({ broker: 4400, upstream: 1, smtp: 1 }, "liaison.db")));
});
after(() => rm(folder, { recursive: true, force: true }));

const load = (env: Record<string, string>): Promise<LoadedConfig> => loadConfig({ file, env });

async function faultsOf(
  env: Record<string, string>,
): Promise<{ key: string; source: string; problem: string }[]> {
  try {
    await load(env);
  } catch (error) {
    if (error instanceof ConfigError) return [...error.faults];
    throw error;
  }
  return [];
}

describe("variables that Kubernetes and Docker set beside a service called liaison", () => {
  const kubernetes = {
    LIAISON_SERVICE_HOST: "10.96.14.7",
    LIAISON_SERVICE_PORT: "4400",
    LIAISON_SERVICE_PORT_HTTP: "4400",
    LIAISON_SERVICE_PORT_HTTP_INTERNAL2: "4401",
    LIAISON_PORT: "tcp://10.96.14.7:4400",
    LIAISON_PORT_4400_TCP: "tcp://10.96.14.7:4400",
    LIAISON_PORT_4400_TCP_PROTO: "tcp",
    LIAISON_PORT_4400_TCP_PORT: "4400",
    LIAISON_PORT_4400_TCP_ADDR: "10.96.14.7",
    LIAISON_PORT_53_UDP: "udp://10.96.14.7:53",
    LIAISON_PORT_53_UDP_ADDR: "10.96.14.7",
  };

  it("are passed over, and what is set beside them holds", async () => {
    const { config, warnings } = await load({ ...kubernetes, LIAISON_LISTEN__PORT: "4444" });
    assert.equal(config.listen.port, 4444);
    assert.deepEqual(warnings, (await load({})).warnings);
  });

  const refused = [
    "LIAISON_SERVICE_HOSTS",
    "LIAISON_SERVICE_NAME",
    "LIAISON_SERVICE",
    "LIAISON_SERVICE_PORT__X",
    "LIAISON_PORTS",
    "LIAISON_PORT_4400",
    "LIAISON_PORT_TCP",
    "LIAISON_PORT_4400_SCTP",
    "LIAISON_PORT_4400_TCP__ADDR",
    "LIAISON_NAME",
    "LIAISON_ADMIN_SERVICE_HOST",
    "LIAISON_ADMIN_PORT",
    "LIAISON_service_host",
    "LIAISON_HOST",
    "LIAISON_PASSWORD",
  ];
  for (const name of refused) {
    it(`${name} is none of them and refuses`, async () => {
      assert.deepEqual(
        (await faultsOf({ ...kubernetes, [name]: "x" })).map(({ source }) => source),
        [`env ${name}`],
      );
    });
  }

  it("a port's number in LIAISON_PORT is a mistake that is warned of", async () => {
    const { config, warnings } = await load({ LIAISON_PORT: "8080" });
    assert.equal(config.listen.port, 4400);
    const [warning] = warnings.filter(({ source }) => source === "env LIAISON_PORT");
    assert.match(
      `${warning?.key} ${warning?.problem}`,
      /^listen\.port isn't set by LIAISON_PORT.*write LIAISON_LISTEN__PORT/,
    );
  });
});

describe("the issuer", () => {
  const good = [
    "https://id.contoso.example",
    "https://id.contoso.example:8443",
    "https://www.contoso.example/sign-in",
    "https://www.contoso.example/a/b%20c",
    "http://localhost:4400",
    "https://[::1]:4400",
    "https://xn--bcher-kva.example",
  ];
  for (const issuer of good) {
    it(`${issuer} is taken as it is`, async () => {
      assert.equal((await load({ LIAISON_ISSUER: issuer })).config.issuer, issuer);
    });
  }

  it("blanks around it are cut, as around every address", async () => {
    const { config } = await load({ LIAISON_ISSUER: " https://id.contoso.example " });
    assert.equal(config.issuer, "https://id.contoso.example");
  });

  const wrong: [issuer: string, problem: RegExp][] = [
    ["https://secret:hunter2@id.contoso.example", /without user name and password/],
    ["https://hunter2@id.contoso.example/auth", /without user name and password/],
    ["https://@id.contoso.example", /without user name and password/],
    ["https://id.contoso.example:443", /without a port/],
    ["http://id.contoso.example:80/auth", /without a port/],
    ["https://id.contoso.example:", /without a port/],
    ["https://id.contoso.example/", /without query, fragment and trailing slash/],
    ["https://id.contoso.example/auth/", /trailing slash/],
    ["https://id.contoso.example:443/", /trailing slash/],
    ["https://id.contoso.example?a=hunter2", /query/],
    ["https://id.contoso.example/#", /fragment/],
    ["https://ID.contoso.example", /small letters/],
    ["HTTPS://id.contoso.example", /small letters/],
    ["https://id.contoso.example:08443", /small letters/],
    ["https://bücher.example", /xn--/],
    ["https://id.contoso.example.", /without a dot/],
    ["https://id.contoso.example/a/../b", /\. or \.\. in its path/],
    ["https://id.contoso.example//auth", /empty steps/],
    ["https:/id.contoso.example", /./],
    ["https://id.contoso.example\\auth", /./],
    ["ftp://id.contoso.example", /absolute http\(s\) address/],
  ];
  for (const [issuer, problem] of wrong) {
    it(`${JSON.stringify(issuer)} is refused, and how to write it is said`, async () => {
      const [fault, ...others] = await faultsOf({ LIAISON_ISSUER: issuer });
      assert.deepEqual([fault?.key, fault?.source, others], ["issuer", "env LIAISON_ISSUER", []]);
      assert.match(fault?.problem ?? "", problem);
      assert.doesNotMatch(fault?.problem ?? "", /hunter2/);
    });
  }
});

describe("lengths of time that a cookie has to outlive", () => {
  const week = 7 * 86_400;
  const cookieSeconds = 400 * 86_400;

  it("a link lives for a week at most, and browsers keep what waits for it for longer", async () => {
    const { config } = await load({ LIAISON_LINKING__LINK_LIFETIME_SECONDS: String(week) });
    assert.equal(config.linking.link_lifetime_seconds, week);
    assert.ok(interactionLifetimeSeconds(week) > week && interactionLifetimeSeconds(week) <= cookieSeconds);
  });

  const tooLong: Record<string, number> = {
    LIAISON_LINKING__LINK_LIFETIME_SECONDS: week + 1,
    LIAISON_LINKING__RESEND_AFTER_SECONDS: 86_401,
    LIAISON_SESSIONS__IDLE_SECONDS: cookieSeconds + 1,
    LIAISON_SESSIONS__ABSOLUTE_SECONDS: cookieSeconds + 1,
  };
  for (const [name, seconds] of Object.entries(tooLong)) {
    it(`${name} may not be ${seconds}`, async () => {
      assert.deepEqual(
        (await faultsOf({ [name]: String(seconds) })).map(({ source }) => source),
        [`env ${name}`],
      );
      assert.deepEqual(await faultsOf({ [name]: String(seconds - 1) }), []);
    });
  }

  it("the defaults are below all of them", () => {
    const { linking, sessions } = configSchema.parse(
      testConfig({ broker: 4400, upstream: 1, smtp: 1 }, "liaison.db"),
    );
    assert.ok(linking.link_lifetime_seconds < week && sessions.absolute_seconds < cookieSeconds);
  });
});
