/**
 * What the OpenID Foundation's Basic OP plan (`oidcc-basic-certification-test-plan`) sends: one test a
 * module, named as there, in our own words and with what lies beside it. The module that waits is in
 * basic.full.ts.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { decodeProtectedHeader } from "jose";
import {
  type Granted,
  halfHash,
  SuiteClient,
  type SuiteFixture,
  startSuite,
  suitePortal,
  suiteUris,
} from "../support/suite-client.ts";

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("the Foundation's Basic OP plan", { concurrency: 1 }, () => {
  let suite: SuiteFixture;
  let client: SuiteClient;
  let second: SuiteClient;
  let posting: SuiteClient;
  before(async () => {
    suite = await startSuite([
      suitePortal("suite"),
      suitePortal("suite2"),
      suitePortal("suite-post", { token_endpoint_auth_method: "client_secret_post" }),
    ]);
    const { issuer } = suite.liaison;
    client = await SuiteClient.discover(issuer, "suite");
    second = await SuiteClient.discover(issuer, "suite2");
    posting = await SuiteClient.discover(issuer, "suite-post");
  });
  after(() => suite?.close());

  const somebody = () => suite.somebody();

  /** Somebody who signed in once, and what the client got. */
  async function signedIn(parameters: Record<string, string> = {}) {
    const one = await somebody();
    const granted = await client.redeem(await client.authorize(one.browser, one.person, parameters));
    assert.equal(granted.claims.sub, one.accountId);
    return { ...one, granted };
  }

  /** A request that is answered without a word in a session, whatever it asks beside. */
  async function answersAsOrdinary(parameters: Record<string, string>): Promise<Granted> {
    const { browser, accountId } = await signedIn();
    const granted = await client.redeem(await client.visit(browser, parameters));
    assert.equal(granted.claims.sub, accountId);
    const stranger = await somebody();
    const first = await client.redeem(await client.authorize(stranger.browser, stranger.person, parameters));
    assert.equal(first.claims.sub, stranger.accountId);
    return granted;
  }

  async function claimsOf(granted: Granted): Promise<string[]> {
    const { status, body } = await client.userinfo(granted.accessToken);
    assert.equal(status, 200);
    assert.equal(body["sub"], granted.claims.sub);
    return Object.keys(body).filter((name) => name !== "sub");
  }

  it("oidcc-discovery-endpoint-verification: what it names is there, and of use", async () => {
    for (const name of ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"]) {
      assert.ok(client.endpoint(name).startsWith(`${client.issuer}/`));
    }
    const document = (await (await fetch(`${client.issuer}/.well-known/openid-configuration`)).json()) as {
      [name: string]: unknown;
    };
    const lists = (name: string, ...values: string[]) => {
      for (const value of values)
        assert.ok((document[name] as string[]).includes(value), `${name}: ${value}`);
    };
    lists("response_types_supported", "code");
    lists("response_modes_supported", "query", "form_post");
    lists("grant_types_supported", "authorization_code", "refresh_token");
    lists("subject_types_supported", "public");
    lists("id_token_signing_alg_values_supported", "RS256");
    lists("token_endpoint_auth_methods_supported", "client_secret_basic", "client_secret_post");
    lists("code_challenge_methods_supported", "S256");
    lists("scopes_supported", "openid", "profile", "email");
    lists("claims_supported", "sub", "iss", "name", "email", "email_verified");
    assert.equal(document["claims_parameter_supported"], false);
    assert.notEqual(document["request_parameter_supported"], true);
    assert.equal(document["request_uri_parameter_supported"], false);
    const { keys } = (await (await fetch(client.endpoint("jwks_uri"))).json()) as {
      keys: Record<string, unknown>[];
    };
    assert.equal(new Set(keys.map(({ kid }) => kid)).size, keys.length, "each key has a kid of its own");
    for (const key of keys) for (const secret of ["d", "p", "q", "k"]) assert.equal(key[secret], undefined);
  });

  it("oidcc-server: code, tokens and UserInfo, each as the standard has it", async () => {
    const { granted } = await signedIn();
    assert.deepEqual(await claimsOf(granted), []);
    const { at_hash: hash, nonce } = granted.claims;
    if (hash !== undefined) assert.equal(hash, halfHash(granted.accessToken));
    assert.ok(nonce);
  });

  it("oidcc-response-type-missing: an error, at the client; so it is for one that nobody knows", async () => {
    const { browser } = await somebody();
    for (const response_type of [undefined, "", "token", "code token id_token nonsense"]) {
      const error = client.errorOf(await client.visit(browser, { response_type }));
      assert.ok(
        ["invalid_request", "unsupported_response_type"].includes(error ?? ""),
        `${response_type}: ${error}`,
      );
    }
  });

  it("oidcc-idtoken-signature: RS256 by a published key; never unsigned", async () => {
    const { granted } = await signedIn();
    const { alg, kid } = decodeProtectedHeader(granted.idToken);
    const { keys } = (await (await fetch(client.endpoint("jwks_uri"))).json()) as {
      keys: Record<string, unknown>[];
    };
    const key = keys.find((one) => one["kid"] === kid);
    assert.deepEqual([alg, key?.["kty"], key?.["use"]], ["RS256", "RSA", "sig"]);
    const document = (await (await fetch(`${client.issuer}/.well-known/openid-configuration`)).json()) as {
      id_token_signing_alg_values_supported: string[];
    };
    assert.ok(!document.id_token_signing_alg_values_supported.includes("none"));
  });

  for (const by of ["get", "post-header", "post-body"] as const) {
    it(`oidcc-userinfo-${by}: the subject of the ID token, in JSON`, async () => {
      const { granted } = await signedIn({ scope: "openid profile email" });
      const { status, headers, body } = await client.userinfo(granted.accessToken, by);
      assert.equal(status, 200);
      assert.match(headers.get("content-type") ?? "", /^application\/json/);
      assert.equal(body["sub"], granted.claims.sub);
      const wrong = await client.userinfo(`${granted.accessToken}x`, by);
      assert.equal(wrong.status, 401);
      assert.match(wrong.headers.get("www-authenticate") ?? "", /^Bearer/);
    });
  }

  it("oidcc-ensure-request-without-nonce-succeeds-for-code-flow", async () => {
    const { browser, person } = await somebody();
    const granted = await client.redeem(await client.authorize(browser, person, { nonce: undefined }));
    assert.equal("nonce" in granted.claims, false);
  });

  const scopes: [module: string, scope: string, claims: string[]][] = [
    ["scope-profile", "openid profile", ["name"]],
    ["scope-email", "openid email", ["email", "email_verified"]],
    // Organizations register neither, so there is nothing to tell; the request is ordinary.
    ["scope-address", "openid address", []],
    ["scope-phone", "openid phone", []],
    ["scope-all", "openid profile email address phone", ["email", "email_verified", "name"]],
    ["ensure-other-scope-order-succeeds", "email openid", ["email", "email_verified"]],
  ];
  for (const [module, scope, claims] of scopes) {
    it(`oidcc-${module}: ${scope} tells ${claims.join(", ") || "the subject alone"}`, async () => {
      const granted = await answersAsOrdinary({ scope });
      assert.deepEqual((await claimsOf(granted)).toSorted(), claims);
    });
  }

  it("without openid it is no OpenID request: no ID token, and UserInfo isn't had", async () => {
    const { browser } = await signedIn();
    const answered = await client.visit(browser, { scope: "profile", nonce: undefined });
    const code = client.codeOf(answered);
    const { status, body } = await client.token({
      grant_type: "authorization_code",
      code,
      redirect_uri: suiteUris.callback,
    });
    assert.equal(status, 200);
    assert.equal(body["id_token"], undefined);
    const { status: refused } = await client.userinfo(String(body["access_token"]));
    assert.equal(refused, 403);
  });

  const ordinary: [module: string, parameters: Record<string, string>][] = [
    ["display-page", { display: "page" }],
    ["display-popup", { display: "popup" }],
    ["display-page beside one that nobody knows", { display: "hologram" }],
    ["ensure-request-with-unknown-parameter-succeeds", { extra: "foobar" }],
    ["login-hint", { login_hint: "somebody@example.org" }],
    ["ui-locales", { ui_locales: "se" }],
    ["claims-locales", { claims_locales: "se" }],
    ["ensure-request-with-acr-values-succeeds", { acr_values: "1 2" }],
    ["claims-essential", { claims: JSON.stringify({ userinfo: { name: { essential: true } } }) }],
    ["claims-essential beside a malformed one", { claims: "{" }],
  ];
  for (const [module, parameters] of ordinary) {
    it(`oidcc-${module}: the request is answered as an ordinary one`, async () => {
      await answersAsOrdinary(parameters);
    });
  }

  it("oidcc-prompt-login: somebody who is signed in is asked again, and the sign-in is newer", async () => {
    const { browser, person, granted } = await signedIn({ max_age: "10000" });
    await pause(1100);
    const answered = await client.visit(browser, { prompt: "login", max_age: "10000" });
    assert.match(answered.page.body, /name="password"/, "nobody was asked");
    const again = await client.redeem(
      await client.authorize(browser, person, { prompt: "login", max_age: "10000" }),
    );
    assert.equal(again.claims.sub, granted.claims.sub);
    assert.ok(Number(again.claims["auth_time"]) > Number(granted.claims["auth_time"]));
  });

  it("oidcc-prompt-none-not-logged-in: login_required, and no page", async () => {
    const { browser } = await somebody();
    assert.equal(client.errorOf(await client.visit(browser, { prompt: "none" })), "login_required");
    // Together with anything else it says nothing (OpenID Connect Core 1.0, section 3.1.2.1).
    assert.equal(client.errorOf(await client.visit(browser, { prompt: "none login" })), "invalid_request");
  });

  it("oidcc-prompt-none-logged-in: the same sign-in, without a page", async () => {
    const { browser, granted } = await signedIn({ max_age: "10000" });
    const silent = await client.redeem(await client.visit(browser, { prompt: "none", max_age: "10000" }));
    assert.equal(silent.claims.sub, granted.claims.sub);
    assert.equal(silent.claims["auth_time"], granted.claims["auth_time"]);
    const elsewhere = await second.redeem(await second.visit(browser, { prompt: "none" }));
    assert.equal(elsewhere.claims.sub, granted.claims.sub);
  });

  it("oidcc-max-age-1: after a second the person is asked again, and auth_time says when", async () => {
    const { browser, person, granted } = await signedIn({ max_age: "10000" });
    await pause(2100);
    assert.equal(
      client.errorOf(await client.visit(browser, { max_age: "1", prompt: "none" })),
      "login_required",
    );
    assert.match((await client.visit(browser, { max_age: "1" })).page.body, /name="password"/);
    const again = await client.redeem(await client.authorize(browser, person, { max_age: "1" }));
    const authTime = Number(again.claims["auth_time"]);
    assert.ok(authTime > Number(granted.claims["auth_time"]));
    assert.ok(Number(again.claims.iat) - authTime <= 2);
  });

  it("oidcc-max-age-10000: nobody is asked again, and auth_time stays", async () => {
    const { browser, granted } = await signedIn({ max_age: "10000" });
    const again = await client.redeem(await client.visit(browser, { max_age: "10000" }));
    assert.equal(again.claims["auth_time"], granted.claims["auth_time"]);
  });

  it("oidcc-id-token-hint: prompt=none succeeds for the person of the hint, nobody else", async () => {
    const { browser, granted } = await signedIn();
    const hinted = { prompt: "none", id_token_hint: granted.idToken };
    const silent = await client.redeem(await client.visit(browser, hinted));
    assert.equal(silent.claims.sub, granted.claims.sub);
    const other = await signedIn();
    assert.equal(client.errorOf(await client.visit(other.browser, hinted)), "login_required");
    const garbage = { prompt: "none", id_token_hint: `${granted.idToken}x` };
    assert.equal(client.errorOf(await client.visit(browser, garbage)), "invalid_request");
  });

  it("oidcc-codereuse: the second time it is refused, and what the first gave is over", async () => {
    const { browser } = await signedIn();
    const answered = await client.visit(browser);
    const granted = await client.redeem(answered);
    const fields = {
      grant_type: "authorization_code",
      code: client.codeOf(answered),
      redirect_uri: suiteUris.callback,
    };
    const again = await client.token(fields);
    assert.deepEqual([again.status, again.body["error"]], [400, "invalid_grant"]);
    assert.equal((await client.userinfo(granted.accessToken)).status, 401);
  });

  it("a code is good for its client and its address alone", async () => {
    const { browser } = await signedIn();
    const code = client.codeOf(await client.visit(browser));
    const fields = { grant_type: "authorization_code", code };
    for (const answer of [
      await second.token({ ...fields, redirect_uri: suiteUris.callback }),
      await client.token({ ...fields, redirect_uri: suiteUris.withQuery }),
      await client.token({ ...fields, redirect_uri: suiteUris.callback, client_id: "suite2" }),
    ]) {
      assert.ok(answer.status === 400 || answer.status === 401, String(answer.status));
      assert.ok(
        ["invalid_grant", "invalid_request", "invalid_client"].includes(String(answer.body["error"])),
      );
    }
  });

  it("oidcc-ensure-registered-redirect-uri: an error page, and nothing is sent anywhere", async () => {
    const { browser } = await signedIn();
    for (const redirect_uri of [
      `${suiteUris.callback}/unregistered`,
      "https://unregistered.example/",
      undefined,
    ]) {
      const { page, told } = await client.visit(browser, { redirect_uri });
      assert.equal(page.status, 400, String(redirect_uri));
      assert.ok(page.url.href.startsWith(client.issuer));
      assert.deepEqual(told, {});
    }
  });

  it("oidcc-redirect-uri-query-OK: a registered query stays, beside the answer", async () => {
    const { browser } = await signedIn();
    const answered = await client.visit(browser, { redirect_uri: suiteUris.withQuery });
    assert.deepEqual([answered.told["dummy1"], answered.told["dummy2"]], ["lorem", "ipsum"]);
    await client.redeem(answered);
  });

  it("oidcc-redirect-uri-query-mismatch, -added: another query isn't registered", async () => {
    const { browser } = await signedIn();
    for (const query of [
      "?dummy1=lorem",
      "?dummy2=ipsum&dummy1=lorem",
      "?dummy1=lorem&dummy2=ipsum&x=y",
      "?x=y",
    ]) {
      const { page } = await client.visit(browser, { redirect_uri: suiteUris.callback + query });
      assert.equal(page.status, 400, query);
      assert.ok(page.url.href.startsWith(client.issuer), query);
    }
  });

  it("oidcc-ensure-post-request-succeeds: by POST it is the same request", async () => {
    const { browser } = await signedIn();
    const sent = client.parameters();
    const page = await browser.visit(client.endpoint("authorization_endpoint"), {
      method: "POST",
      body: new URLSearchParams(sent),
    });
    await client.redeem({ page, sent, told: Object.fromEntries(page.url.searchParams) });
  });

  it("oidcc-server-client-secret-post: the secret in the form, for a client registered so", async () => {
    const { browser, person } = await somebody();
    const answered = await posting.authorize(browser, person);
    const fields = {
      grant_type: "authorization_code",
      code: posting.codeOf(answered),
      redirect_uri: suiteUris.callback,
    };
    assert.equal(
      (await posting.token({ ...fields, code: "made-up" }, "client_secret_post")).body["error"],
      "invalid_grant",
    );
    const body = new URLSearchParams({ ...fields, client_id: posting.id, client_secret: "wrong" });
    assert.equal((await fetch(posting.endpoint("token_endpoint"), { method: "POST", body })).status, 401);
    await posting.redeem(answered, {}, "client_secret_post");
  });

  it("oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported: rejected", async () => {
    const { browser } = await signedIn();
    const inside = { ...client.parameters(), iss: client.id, aud: client.issuer };
    const request = `${encode({ alg: "none" })}.${encode(inside)}.`;
    assert.equal(client.errorOf(await client.visit(browser, { request })), "request_not_supported");
    const uri = client.errorOf(
      await client.visit(browser, { request_uri: "https://suite.example/request.jwt" }),
    );
    assert.equal(uri, "request_uri_not_supported");
  });

  it("oidcc-ensure-request-object-with-redirect-uri: one inside the object is never used", async () => {
    const { browser } = await signedIn();
    const inside = { ...client.parameters({ redirect_uri: "https://evil.example/" }), iss: client.id };
    const request = `${encode({ alg: "none" })}.${encode(inside)}.`;
    const outside = await client.visit(browser, { request, redirect_uri: undefined });
    assert.equal(outside.page.status, 400);
    assert.ok(outside.page.url.href.startsWith(client.issuer));
    assert.equal(client.errorOf(await client.visit(browser, { request })), "request_not_supported");
  });

  it("oidcc-refresh-token: with offline_access, the same person and client, and it is rotated", async () => {
    const { browser, granted } = await signedIn({ scope: "openid offline_access", prompt: "consent" });
    assert.ok(granted.refreshToken);
    const refresh = (token: string | undefined, by = client) =>
      by.token({ grant_type: "refresh_token", refresh_token: token });
    const foreign = await refresh(granted.refreshToken, second);
    assert.deepEqual([foreign.status, foreign.body["error"]], [400, "invalid_grant"]);
    const answer = await refresh(granted.refreshToken);
    const renewed = await client.granted(answer, granted.claims["nonce"] as string | undefined);
    for (const name of ["iss", "sub", "aud", "auth_time"])
      assert.deepEqual(renewed.claims[name], granted.claims[name]);
    assert.equal((await client.userinfo(renewed.accessToken)).body["sub"], granted.claims.sub);
    assert.notEqual(renewed.refreshToken, granted.refreshToken);
    await browser.press(await client.signOut(browser, {}), "Sign out");
    assert.equal((await refresh(renewed.refreshToken)).status, 200, "it goes on without the session");
  });
});
