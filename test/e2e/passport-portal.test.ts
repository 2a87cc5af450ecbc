/**
 * passport-openidconnect as a portal, registered on the pages: a library that can't do PKCE, and posts its
 * secret.
 */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { anId } from "../support/admin-fixture.ts";
import { bindTo } from "../support/attack-fixture.ts";
import { type ClientDoors, type ClientTry, openDoors } from "../support/client-doors.ts";
import { register, signIn } from "../support/liaison.ts";

/** What of it is used here; its own types are written for Express. */
interface PassportProfile {
  id: string;
  displayName?: string;
  emails?: { value: string }[];
}
type Verified = (error: unknown, user: unknown) => void;
type Strategy = new (
  options: Record<string, unknown>,
  verify: (issuer: string, profile: PassportProfile, verified: Verified) => void,
) => { authenticate(request: object, options?: object): void };

const require = createRequire(import.meta.url);
const { Strategy } = require("passport-openidconnect") as { Strategy: Strategy };

const callback = "http://localhost:9/auth/callback";

describe("passport-openidconnect as a portal", { concurrency: 1 }, () => {
  let open: ClientDoors;
  before(async () => {
    open = await openDoors();
  });
  after(() => open?.close());

  /** Registers one on the pages. Returns its secret, as the page shows it. */
  async function registered(id: string, fields: ClientTry): Promise<string> {
    const made = await open.post("/clients/new?preset=web", "/clients/new/web", {
      name: "Passport",
      id,
      home_url: "http://localhost:9/",
      redirect_uris: callback,
      kinds: "customer",
      ...fields,
    });
    assert.ok(made.isTaken, made.said);
    return /Client secret<code>([\w-]{32,})<\/code>/.exec(made.said)?.[1] ?? assert.fail(made.said);
  }

  function strategyOf(clientID: string, clientSecret: string, more: Record<string, unknown> = {}) {
    const { issuer } = open.fixture;
    const options = {
      issuer,
      authorizationURL: `${issuer}/authorize`,
      tokenURL: `${issuer}/token`,
      userInfoURL: `${issuer}/userinfo`,
      clientID,
      clientSecret,
      callbackURL: callback,
      scope: ["profile", "email", "organization"],
      nonce: true,
      ...more,
    };
    return new Strategy(options, (_issuer, profile, verified) => verified(null, profile));
  }

  /** One request to it, as Passport itself makes it: what becomes of it is called on the strategy. */
  const authenticate = (strategy: ReturnType<typeof strategyOf>, request: object) =>
    new Promise<{ location?: string; profile?: PassportProfile }>((resolve, reject) => {
      const one = Object.assign(Object.create(strategy) as typeof strategy, {
        redirect: (location: string) => resolve({ location }),
        success: (profile: PassportProfile) => resolve({ profile }),
        fail: (challenge: unknown) => reject(new Error(JSON.stringify(challenge))),
        error: reject,
      });
      one.authenticate(request);
    });

  /** By itself it reads the ID token alone; asked to, userinfo. */
  const ways: [how: string, registration: ClientTry, options: Record<string, unknown>][] = [
    ["from its ID token", { claims_in_id_token: "true" }, {}],
    ["from userinfo", { token_endpoint_auth_method: "client_secret_post" }, { skipUserProfile: false }],
  ];
  for (const [how, registration, options] of ways) {
    it(`that is exempt from PKCE signs somebody in; its profile, ${how}, is the organization's`, async () => {
      const { fixture } = open;
      const clientId = anId();
      const secret = await registered(clientId, { pkce_required: "false", ...registration });
      const strategy = strategyOf(clientId, secret, options);
      const [id, person] = [anId(), fixture.stranger()];
      const email = `${id}@northwind.example`;
      await register(fixture, { id: asOrganizationId(id), name: "Northwind" }, [
        { id: `p-${id}`, email, name: "Ann of Northwind" },
      ]);
      const accountId = await bindTo(fixture, person, `p-${id}`);

      const session = {};
      const { location = "" } = await authenticate(strategy, { query: {}, session });
      const asked = new URL(location);
      assert.equal(asked.searchParams.get("code_challenge"), null);
      const started = { url: asked, codeVerifier: "", state: "", nonce: "" };
      const back = await signIn(fixture.browser(), started, person);
      assert.ok(back.url.href.startsWith(`${callback}?`), back.url.href);
      const { profile } = await authenticate(strategy, {
        query: Object.fromEntries(back.url.searchParams),
        session,
      });
      assert.deepEqual(
        [profile?.id, profile?.displayName, profile?.emails],
        [accountId, "Ann of Northwind", [{ value: email }]],
      );
    });
  }

  it("that isn't is told so by its error, and gets no code", async () => {
    const clientId = anId();
    const strategy = strategyOf(clientId, await registered(clientId, {}));
    const { location = "" } = await authenticate(strategy, { query: {}, session: {} });
    const { headers } = await open.fixture.browser().once(location);
    const back = new URL(headers.get("location") ?? "");
    assert.equal(back.searchParams.get("error"), "invalid_request");
    assert.match(back.searchParams.get("error_description") ?? "", /PKCE/);
    assert.equal(back.searchParams.get("code"), null);
  });
});
