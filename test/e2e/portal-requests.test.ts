/**
 * What portals send that isn't quite as the standards have it, what discovery tells them, and what their
 * developers are told.
 */

import assert from "node:assert/strict";
import { after, before, describe, it, mock } from "node:test";
import { pino } from "pino";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { type AdminFixture, machineToken, makeClient, startAdminFixture } from "../support/admin-fixture.ts";
import {
  type Liaison,
  linkByMail,
  people,
  portalSecret,
  register,
  signIn,
  startLiaison,
} from "../support/liaison.ts";
import type { PortalTokens, StartedSignIn } from "../support/portal.ts";
import type { UserAgent } from "../support/user-agent.ts";

const basic = { authorization: `Basic ${Buffer.from(`customersource:${portalSecret}`).toString("base64")}` };

describe("what portals send", () => {
  let liaison: Liaison;
  let browser: UserAgent;
  const logged: string[] = [];
  /** What is written beside the log, by whatever library. */
  const raw: unknown[] = [];

  before(async () => {
    for (const name of ["info", "warn", "log", "error"] as const) {
      mock.method(console, name, (line: unknown) => void raw.push(line));
    }
    const logger = pino({ level: "info" }, { write: (line: string) => void logged.push(line) });
    liaison = await startLiaison({ logger });
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "p-ann", email: "ann@northwind.example", name: "Ann" },
    ]);
    browser = liaison.browser();
    await linkByMail(
      liaison,
      browser,
      await liaison.customerSource.start(),
      people.ann,
      "ann@northwind.example",
    );
  });
  after(async () => {
    mock.restoreAll();
    await liaison.close();
  });

  async function redeem(started: StartedSignIn): Promise<PortalTokens> {
    return await liaison.customerSource.exchange((await signIn(browser, started, people.ann)).url, started);
  }

  for (const scope of [
    " openid  profile ",
    "openid\tprofile\n",
    "openid profile openid",
    "openid profile groups ",
  ]) {
    it(`scope ${JSON.stringify(scope)} is openid and profile, by GET, by POST and pushed`, async () => {
      const started = await liaison.customerSource.start({ scope });
      assert.equal((await redeem(started)).scope?.split(" ").toSorted().join(" "), "openid profile");

      const posted = await liaison.customerSource.start({ scope });
      const endpoint = new URL(posted.url.pathname, liaison.issuer);
      const end = await browser.visit(endpoint, { method: "POST", body: posted.url.searchParams });
      assert.ok(end.url.searchParams.has("code"), end.url.href);

      const pushed = await liaison.customerSource.start({ scope });
      const body = pushed.url.searchParams;
      const answer = await fetch(`${liaison.issuer}/par`, { method: "POST", headers: basic, body });
      assert.equal(answer.status, 201, await answer.clone().text());
      const { request_uri: uri } = (await answer.json()) as { request_uri: string };
      endpoint.search = String(new URLSearchParams({ client_id: "customersource", request_uri: uri }));
      assert.ok((await browser.visit(endpoint)).url.searchParams.has("code"));
    });
  }

  for (const resource of ["https://api.example", "no address", ""]) {
    it(`${JSON.stringify(resource)} is ignored as unknown parameters are, writing nothing raw`, async () => {
      const started = await liaison.customerSource.start({ resource, audience: "x", foo: "bar" });
      const tokens = await redeem(started);
      assert.equal(tokens.claims()?.aud, "customersource");
      assert.deepEqual(raw, []);
    });
  }

  it("discovery lists what a portal can have, and none of the administration's scopes", async () => {
    for (const name of ["openid-configuration", "oauth-authorization-server"]) {
      const answer = await fetch(`${liaison.issuer}/.well-known/${name}`);
      const found = (await answer.json()) as Record<string, unknown>;
      assert.deepEqual(found["scopes_supported"], [
        "openid",
        "offline_access",
        "profile",
        "email",
        "organization",
      ]);
      assert.deepEqual((found["token_endpoint_auth_methods_supported"] as string[]).toSorted(), [
        "client_secret_basic",
        "client_secret_post",
        "none",
      ]);
      assert.equal(found["token_endpoint_auth_signing_alg_values_supported"], undefined);
    }
  });

  it("the log says which address came and which are registered; the page tells neither", async () => {
    const came = "http://localhost:9/customersource/callback/";
    const out = "http://localhost:9/customersource/signed-out/";
    const { id_token: hint = "" } = await redeem(await liaison.customerSource.start());
    const asked = new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: out });
    for (const [address, sent, registered] of [
      [(await liaison.customerSource.start({ redirect_uri: came })).url, came, came.slice(0, -1)],
      [new URL(`${liaison.issuer}/logout?${asked}`), out, out.slice(0, -1)],
    ] as const) {
      logged.length = 0;
      const page = await browser.visit(address);
      assert.equal(page.status, 400);
      assert.ok(!page.body.includes("localhost:9/customersource/"), page.text);
      const lines = logged.map((line) => JSON.parse(line) as Record<string, unknown>);
      const told = lines.find((line) => line["client_id"] === "customersource");
      assert.equal(told?.["came"], sent);
      assert.deepEqual(told?.["registered"], [registered]);
      assert.ok(!logged.join("").includes(hint));
    }
    await browser.visit(
      (await liaison.customerSource.start({ redirect_uri: `${came}${"x".repeat(1800)}` })).url,
    );
    assert.ok(logged.join("").length < 4000, "anybody can send a long one");
  });
});

describe("what machines send", () => {
  let fixture: AdminFixture;
  before(async () => {
    fixture = await startAdminFixture();
  });
  after(() => fixture?.close());

  it(
    "scopes of the administration are had, with blanks around them, too, though discovery doesn't list " +
      "them",
    async () => {
      const machine = await makeClient(fixture, "machine", { scopes: ["directory:write"] });
      for (const scope of ["directory:write", " directory:write  "]) {
        const token = await machineToken(fixture, machine, scope);
        assert.ok(token.length > 0);
      }
    },
  );
});
