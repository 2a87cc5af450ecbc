/**
 * What the OpenID Foundation's Back-Channel Logout plan
 * (`oidcc-backchannel-rp-initiated-logout-certification-test-plan`) looks at: a client that signs somebody
 * out is sent a logout token, and so is every other client of the session.
 */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { createRemoteJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from "jose";
import { type Listener, startListener } from "../support/admin-listener.ts";
import {
  SuiteClient,
  type SuiteFixture,
  startSuite,
  suitePortal,
  suiteUris,
} from "../support/suite-client.ts";

describe("the Foundation's Back-Channel Logout plan", { concurrency: 1 }, () => {
  let suite: SuiteFixture;
  let client: SuiteClient;
  let second: SuiteClient;
  let hears: Listener;
  let hearsToo: Listener;
  before(async () => {
    hears = await startListener();
    hearsToo = await startListener();
    suite = await startSuite([
      suitePortal("suite", { backchannel_logout_uri: `${hears.origin}/logout` }),
      suitePortal("suite2", { backchannel_logout_uri: `${hearsToo.origin}/logout?kept=1`, name: "Second" }),
    ]);
    client = await SuiteClient.discover(suite.liaison.issuer, "suite");
    second = await SuiteClient.discover(suite.liaison.issuer, "suite2");
  });
  after(async () => {
    await suite?.close();
    await hears?.close();
    await hearsToo?.close();
  });

  /** Reads a logout token as section 2.6 has a client do it. */
  async function read(heard: string | undefined, audience: string): Promise<JWTPayload> {
    const token = heard ?? assert.fail("nothing was heard");
    const { alg, kid, typ } = decodeProtectedHeader(token);
    assert.deepEqual(
      [alg, typ],
      ["RS256", "logout+jwt"],
      "by the algorithm of its ID tokens, and no ID token itself",
    );
    assert.ok(kid);
    const keys = createRemoteJWKSet(new URL(client.endpoint("jwks_uri")));
    const { payload } = await jwtVerify(token, keys, {
      issuer: client.issuer,
      audience,
      requiredClaims: ["iss", "aud", "iat", "exp", "jti", "events"],
    });
    assert.equal(payload.aud, audience);
    assert.deepEqual(payload["events"], { "http://schemas.openid.net/event/backchannel-logout": {} });
    assert.equal("nonce" in payload, false);
    assert.ok(payload.sub !== undefined || payload["sid"] !== undefined);
    const lives = Number(payload.exp) - Number(payload.iat);
    assert.ok(lives > 0 && lives <= 120, "two minutes at the most");
    return payload;
  }

  it("oidcc-backchannel-logout-discovery-endpoint-verification", async () => {
    const answer = await fetch(`${client.issuer}/.well-known/openid-configuration`);
    const document = (await answer.json()) as Record<string, unknown>;
    assert.equal(document["backchannel_logout_supported"], true);
    assert.equal(document["backchannel_logout_session_supported"], true);
  });

  it("oidcc-backchannel-rp-initiated-logout: each client of it is told whose and which", async () => {
    const { browser, person, accountId } = await suite.somebody();
    const { idToken, claims } = await client.redeem(await client.authorize(browser, person));
    const other = await second.redeem(await second.visit(browser));
    assert.ok(claims["sid"]);
    assert.notEqual(claims["sid"], other.claims["sid"], "no two clients can tell that a session is the same");
    const before = [hears.heard.length, hearsToo.heard.length] as const;
    const state = randomUUID();
    const fields = { id_token_hint: idToken, post_logout_redirect_uri: suiteUris.signedOut, state };
    const end = await browser.press(await client.signOut(browser, fields), "Sign out");
    assert.equal(end.url.href, `${suiteUris.signedOut}?state=${state}`);

    await hears.until(before[0] + 1);
    await hearsToo.until(before[1] + 1);
    const told = await read(hears.heard[before[0]]?.token, "suite");
    assert.deepEqual([told.sub, told["sid"]], [accountId, claims["sid"]]);
    const toldToo = await read(hearsToo.heard[before[1]]?.token, "suite2");
    assert.deepEqual([toldToo.sub, toldToo["sid"]], [accountId, other.claims["sid"]]);
    assert.notEqual(told.jti, toldToo.jti);
    assert.equal(await client.isSignedIn(browser), false);
  });

  it("who signs in anew has another sid, and is signed out of that one alone", async () => {
    const { browser, person } = await suite.somebody();
    const other = suite.liaison.browser();
    const first = await client.redeem(await client.authorize(browser, person));
    const elsewhere = await client.redeem(await client.authorize(other, person));
    assert.notEqual(first.claims["sid"], elsewhere.claims["sid"]);
    const before = hears.heard.length;
    await browser.press(await client.signOut(browser, { id_token_hint: first.idToken }), "Sign out");
    await hears.until(before + 1);
    assert.equal((await read(hears.heard[before]?.token, "suite"))["sid"], first.claims["sid"]);
    assert.equal(await client.isSignedIn(other), true);
    assert.equal((await client.userinfo(elsewhere.accessToken)).status, 200);
    assert.equal((await client.userinfo(first.accessToken)).status, 401);
  });

  it("a client that answers 400 is told again; one of 204 isn't", async () => {
    const { browser, person } = await suite.somebody();
    await client.redeem(await client.authorize(browser, person));
    await second.redeem(await second.visit(browser));
    const before = [hears.heard.length, hearsToo.heard.length] as const;
    hears.answers.push(400);
    hearsToo.answers.push(204);
    await browser.press(await client.signOut(browser, {}), "Sign out");
    await hears.until(before[0] + 1);
    await hearsToo.until(before[1] + 1);
    suite.liaison.clock.advance(60);
    suite.liaison.wake("sign-outs");
    await hears.until(before[0] + 2);
    const [once, twice] = hears.heard.slice(before[0]).map(({ token }) => token);
    assert.equal((await read(once, "suite")).jti, (await read(twice, "suite")).jti);
    assert.equal(hearsToo.heard.length, before[1] + 1);
  });
});
