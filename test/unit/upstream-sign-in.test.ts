import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hashSecret } from "../../src/domain/secrets.ts";
import type { CompletedSignIn } from "../../src/upstream/upstreams.ts";
import { ISSUER, REDEEM, refusal, SIGN_IN, upstream, useUpstreams } from "../support/upstream-harness.ts";
import { PEER_CLIENT, startUpstreamPeer } from "../support/upstream-peer.ts";

const harness = useUpstreams();

describe("upstream sign-in with an independent oidc-provider", () => {
  const people = {
    anna: { email: "anna@mail.example", name: "Anna Berg" },
    bo: { email: "bo@mail.example", name: "Bo Holm" },
  };
  const start = (id: string) => startUpstreamPeer({ redirectUris: [`${ISSUER}/upstream/${id}/callback`], people });

  it("proves the identity, and finds the same account the next time", async (t) => {
    const peer = await start("peer");
    t.after(() => peer.close());
    const parties = harness.relyingParty([upstream("peer", peer.issuer)]);
    assert.deepEqual(peer.requests, [], "nothing is fetched before the first sign-in");

    const accounts: string[] = [];
    for (const loginHint of ["anna", "anna", "bo"]) {
      const { url, cookies } = await harness.begin(parties, { upstreamId: "peer", loginHint });
      const completed = await parties.complete({ upstreamId: "peer", url: await peer.signIn(url), cookies });
      const { email, name } = people[loginHint === "bo" ? "bo" : "anna"];
      const identity = { upstreamId: "peer", issuer: peer.issuer, subject: loginHint, email, displayName: name };
      assert.deepEqual(completed.identity, identity);
      assert.ok(Math.abs(completed.authTime * 1000 - harness.now) < 30_000);
      assert.deepEqual(completed.transaction.purpose, SIGN_IN.purpose);
      accounts.push(completed.accountId);
    }
    assert.equal(accounts[0], accounts[1]);
    assert.notEqual(accounts[0], accounts[2]);
    assert.equal(peer.requests.filter((path: string) => path.startsWith("/.well-known/")).length, 1);
  });

  it("a forced sign-in comes back with a fresh auth_time", async (t) => {
    const peer = await start("peer");
    t.after(() => peer.close());
    const parties = harness.relyingParty([upstream("peer", peer.issuer)]);
    const { url, cookies } = await harness.begin(parties, { upstreamId: "peer", ...REDEEM, loginHint: "bo" });
    assert.equal(url.searchParams.get("prompt"), "login");
    assert.equal(url.searchParams.get("max_age"), "0");
    const completed = await parties.complete({ upstreamId: "peer", url: await peer.signIn(url), cookies });
    assert.equal(completed.transaction.maxAgeSeconds, 0);
    assert.deepEqual(completed.transaction.purpose, REDEEM.purpose);
  });

  it("U3 a foreign code pasted into one's own flow is refused", async (t) => {
    const peer = await start("peer");
    t.after(() => peer.close());
    const parties = harness.relyingParty([upstream("peer", peer.issuer)]);
    const victim = await harness.begin(parties, { upstreamId: "peer", loginHint: "anna" });
    const attacker = await harness.begin(parties, { upstreamId: "peer", loginHint: "bo" });
    const stolen = (await peer.signIn(victim.url)).searchParams.get("code") ?? assert.fail();
    const callback = await peer.signIn(attacker.url);
    callback.searchParams.set("code", stolen);
    await assert.rejects(
      parties.complete({ upstreamId: "peer", url: callback, cookies: attacker.cookies }),
      refusal("upstream_rejected"),
    );
  });

  it("U11 one subject at two issuers makes two identities and two accounts", async (t) => {
    const [one, two] = await Promise.all([start("one"), start("two")]);
    t.after(() => Promise.all([one.close(), two.close()]));
    const parties = harness.relyingParty([upstream("one", one.issuer), upstream("two", two.issuer)]);
    const completed: CompletedSignIn[] = [];
    for (const [upstreamId, peer] of [["one", one] as const, ["two", two] as const]) {
      const { url, cookies } = await harness.begin(parties, { upstreamId, loginHint: "anna" });
      completed.push(await parties.complete({ upstreamId, url: await peer.signIn(url), cookies }));
    }
    const [first, second] = completed;
    assert.equal(first?.identity.subject, second?.identity.subject);
    assert.notEqual(first?.identity.issuer, second?.identity.issuer);
    assert.notEqual(first?.accountId, second?.accountId);
  });
});

describe("what is sent off", () => {
  it("has state, nonce and PKCE of its own each time, and a cookie bound to the callback", async () => {
    const parties = harness.theLiar();
    const [one, two] = [await harness.begin(parties, { loginHint: "anna@mail.example" }), await harness.begin(parties)];
    const sent = one.url.searchParams;
    assert.equal(sent.get("redirect_uri"), `${ISSUER}/upstream/liar/callback`);
    assert.equal(sent.get("response_type"), "code");
    assert.equal(sent.get("client_id"), PEER_CLIENT.client_id);
    assert.equal(sent.get("code_challenge_method"), "S256");
    assert.equal(sent.get("login_hint"), "anna@mail.example");
    for (const name of ["state", "nonce", "code_challenge"]) {
      assert.match(sent.get(name) ?? "", /^[\w-]{43}$/);
      assert.notEqual(sent.get(name), two.url.searchParams.get(name));
    }
    for (const name of ["prompt", "max_age"]) assert.equal(sent.has(name), false);

    const { value, ...cookie } = one.cookie;
    const name = `liaison.signin.${hashSecret(sent.get("state") ?? "").slice(0, 12)}`;
    assert.deepEqual(cookie, { name, path: "/broker/upstream/liar/callback", secure: false, maxAgeSeconds: 7200 });
    assert.match(value, /^[\w-]{43}$/);
    assert.notEqual(one.cookie.name, two.cookie.name);
    assert.equal(one.url.href.includes(value), false);
    const { path, secure } = cookie;
    assert.deepEqual(parties.cookieOf("liar", harness.liar.callback(one.url)), { name, path, secure });
    assert.equal(parties.cookieOf("liar", new URL(`${ISSUER}/upstream/liar/callback`)), undefined);
  });

  it("S4 the cookie is __Secure- under TLS", async () => {
    const config = upstream("liar", harness.liar.issuer);
    const parties = harness.relyingParty([config], { issuer: "https://liaison.example" });
    const { cookie } = await harness.begin(parties);
    assert.match(cookie.name, /^__Secure-liaison\.signin\.[\w-]{12}$/);
    assert.equal(cookie.secure, true);
    assert.equal(cookie.path, "/upstream/liar/callback");
  });

  it("the credentials go in the way that the upstream takes", async () => {
    harness.liar.lies.metadata = { token_endpoint_auth_methods_supported: ["client_secret_post"] };
    await harness.signIn(harness.theLiar());
    assert.equal(harness.liar.tokenRequests[0]?.get("client_secret"), PEER_CLIENT.client_secret);
    harness.liar.lies.metadata = {};
    await harness.signIn(harness.theLiar());
    assert.equal(harness.liar.tokenRequests[1]?.has("client_secret"), false);
  });

  it("an unknown upstream is not found", async () => {
    await assert.rejects(harness.begin(harness.theLiar(), { upstreamId: "other" }), refusal("not_found"));
  });
});

describe("display data", () => {
  it("comes from the ID token without asking userinfo", async () => {
    const { identity } = await harness.signIn(harness.theLiar());
    assert.deepEqual([identity.email, identity.displayName], ["person@mail.example", "A Person"]);
    assert.equal(harness.liar.requests.includes("/userinfo"), false);
  });

  it("is completed from userinfo, bounded and in one line", async () => {
    harness.liar.lies = {
      claims: { email: undefined, name: "A\r\nB" },
      userinfo: { email: `${"x".repeat(300)}@mail.example` },
    };
    const { identity } = await harness.signIn(harness.theLiar());
    assert.equal(identity.displayName, "A B");
    assert.equal(identity.email?.length, 254);
  });

  it("is absent where there is none", async () => {
    harness.liar.lies = { claims: { email: { $gt: "" }, name: undefined }, userinfo: { email: "  ", name: 7 } };
    const { identity } = await harness.signIn(harness.theLiar());
    assert.deepEqual([identity.email, identity.displayName], [null, null]);
  });
});
