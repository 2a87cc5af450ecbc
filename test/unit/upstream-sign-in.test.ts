import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLocalJWKSet, decodeJwt, jwtVerify } from "jose";
import { asUpstreamId } from "../../src/domain/ids.ts";
import type { CompletedSignIn } from "../../src/upstream/upstreams.ts";
import {
  ISSUER,
  REDEEM,
  refusal,
  SIGN_IN,
  sender,
  upstream,
  useUpstreams,
} from "../support/upstream-fixture.ts";
import { PEER_CLIENT, startUpstreamPeer } from "../support/upstream-peer.ts";

const fixture = useUpstreams();

describe("upstream sign-in with an independent oidc-provider", () => {
  const people = {
    anna: { email: "anna@mail.example", name: "Anna Berg" },
    bo: { email: "bo@mail.example", name: "Bo Holm" },
  };
  const start = (id: string) =>
    startUpstreamPeer({ redirectUris: [`${ISSUER}/upstream/${id}/callback`], people });

  it("proves the identity, and finds the same account the next time", async (t) => {
    const peer = await start("peer");
    t.after(() => peer.close());
    const parties = fixture.relyingParty([upstream("peer", peer.issuer)]);
    assert.deepEqual(peer.requests, [], "nothing is fetched before the first sign-in");

    const accounts: string[] = [];
    for (const loginHint of ["anna", "anna", "bo"]) {
      const { url, browsers } = await fixture.begin(parties, { upstreamId: asUpstreamId("peer"), loginHint });
      const completed = await parties.complete({
        sender,
        upstreamId: asUpstreamId("peer"),
        url: await peer.signIn(url),
        browsers,
      });
      const { email, name } = people[loginHint === "bo" ? "bo" : "anna"];
      const account = { upstreamId: "peer", issuer: peer.issuer, subject: loginHint };
      const identity = { ...account, email, emailVerified: false, displayName: name };
      assert.deepEqual(completed.identity, identity);
      assert.ok(Math.abs(completed.authTime * 1000 - fixture.now) < 30_000);
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
    const parties = fixture.relyingParty([upstream("peer", peer.issuer)]);
    const { url, browsers } = await fixture.begin(parties, {
      upstreamId: asUpstreamId("peer"),
      ...REDEEM,
      loginHint: "bo",
    });
    assert.equal(url.searchParams.get("prompt"), "login");
    assert.equal(url.searchParams.get("max_age"), "0");
    const completed = await parties.complete({
      sender,
      upstreamId: asUpstreamId("peer"),
      url: await peer.signIn(url),
      browsers,
    });
    assert.equal(completed.transaction.maxAgeSeconds, 0);
    assert.deepEqual(completed.transaction.purpose, REDEEM.purpose);
  });

  it("a request is pushed where the upstream takes no other, refused ones are no sign-in", async (t) => {
    const redirectUris = [`${ISSUER}/upstream/peer/callback`];
    const peer = await startUpstreamPeer({ redirectUris, people, pushedOnly: true });
    t.after(() => peer.close());
    const parties = fixture.relyingParty([upstream("peer", peer.issuer)]);
    const { url, browsers } = await fixture.begin(parties, {
      upstreamId: asUpstreamId("peer"),
      ...REDEEM,
      loginHint: "bo",
    });
    assert.deepEqual([...url.searchParams.keys()].sort(), ["client_id", "request_uri"]);
    const completed = await parties.complete({
      sender,
      upstreamId: asUpstreamId("peer"),
      url: await peer.signIn(url),
      browsers,
    });
    assert.equal(completed.identity.subject, "bo");
    const other = fixture.relyingParty([upstream("peer", peer.issuer, { client_secret: "another-secret" })]);
    await assert.rejects(
      fixture.begin(other, { upstreamId: asUpstreamId("peer") }),
      refusal("upstream_rejected"),
    );
  });

  it("U3 a foreign code pasted into one's own flow is refused", async (t) => {
    const peer = await start("peer");
    t.after(() => peer.close());
    const parties = fixture.relyingParty([upstream("peer", peer.issuer)]);
    const victim = await fixture.begin(parties, { upstreamId: asUpstreamId("peer"), loginHint: "anna" });
    const attacker = await fixture.begin(parties, { upstreamId: asUpstreamId("peer"), loginHint: "bo" });
    const stolen = (await peer.signIn(victim.url)).searchParams.get("code") ?? assert.fail();
    const callback = await peer.signIn(attacker.url);
    callback.searchParams.set("code", stolen);
    await assert.rejects(
      parties.complete({
        sender,
        upstreamId: asUpstreamId("peer"),
        url: callback,
        browsers: attacker.browsers,
      }),
      refusal("upstream_rejected"),
    );
  });

  it("U11 one subject at two issuers makes two identities and two accounts", async (t) => {
    const [one, two] = await Promise.all([start("one"), start("two")]);
    t.after(() => Promise.all([one.close(), two.close()]));
    const parties = fixture.relyingParty([upstream("one", one.issuer), upstream("two", two.issuer)]);
    const completed: CompletedSignIn[] = [];
    for (const [upstreamId, peer] of [["one", one] as const, ["two", two] as const]) {
      const { url, browsers } = await fixture.begin(parties, {
        upstreamId: asUpstreamId(upstreamId),
        loginHint: "anna",
      });
      completed.push(
        await parties.complete({
          sender,
          upstreamId: asUpstreamId(upstreamId),
          url: await peer.signIn(url),
          browsers,
        }),
      );
    }
    const [first, second] = completed;
    assert.equal(first?.identity.subject, second?.identity.subject);
    assert.notEqual(first?.identity.issuer, second?.identity.issuer);
    assert.notEqual(first?.accountId, second?.accountId);
  });
});

describe("what is sent off", () => {
  it("has state, nonce and PKCE of its own each time, nothing of what its browser is known by", async () => {
    const parties = fixture.theLiar();
    const [one, two] = [
      await fixture.begin(parties, { loginHint: "anna@mail.example" }),
      await fixture.begin(parties),
    ];
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

    for (const browser of one.browsers) assert.equal(one.url.href.includes(browser), false);
  });

  it("the credentials go in the way that the upstream takes", async () => {
    fixture.liar.lies.metadata = { token_endpoint_auth_methods_supported: ["client_secret_post"] };
    await fixture.signIn(fixture.theLiar());
    assert.equal(fixture.liar.tokenRequests[0]?.get("client_secret"), PEER_CLIENT.client_secret);
    fixture.liar.lies.metadata = {};
    await fixture.signIn(fixture.theLiar());
    assert.equal(fixture.liar.tokenRequests[1]?.has("client_secret"), false);
  });

  it("a configured method goes before what the document offers", async () => {
    fixture.liar.lies.metadata = { token_endpoint_auth_methods_supported: ["client_secret_basic"] };
    await fixture.signIn(fixture.theLiar({ token_endpoint_auth_method: "client_secret_post" }));
    assert.equal(fixture.liar.tokenRequests[0]?.get("client_secret"), PEER_CLIENT.client_secret);
  });

  it("private_key_jwt sends no secret, and an assertion for this issuer alone", async () => {
    for (const algorithm of ["RS256", "ES256"] as const) {
      const party = fixture.theLiar({
        token_endpoint_auth_method: "private_key_jwt",
        token_endpoint_auth_signing_alg: algorithm,
        client_secret: null,
      });
      await fixture.signIn(party);
      const sent = fixture.liar.tokenRequests.at(-1) ?? assert.fail();
      assert.equal(sent.has("client_secret"), false);
      const { payload, protectedHeader } = await jwtVerify(
        sent.get("client_assertion") ?? "",
        createLocalJWKSet(party.jwks()),
      );
      assert.equal(protectedHeader.alg, algorithm);
      assert.equal(
        payload.aud,
        fixture.liar.issuer,
        "no endpoint, which another upstream could have named as its own",
      );
      assert.deepEqual([payload.iss, payload.sub], [PEER_CLIENT.client_id, PEER_CLIENT.client_id]);
      assert.ok((payload.exp ?? 0) - (payload.iat ?? 0) <= 60);
    }
  });

  it("an assertion is dated by the upstream's clock", async () => {
    for (const aheadSeconds of [0, 90, -90]) {
      fixture.aheadSeconds = aheadSeconds;
      for (const [headers, offset] of [
        [{}, aheadSeconds],
        [{ age: "5" }, 0],
      ] as const) {
        fixture.liar.lies = { headers };
        await fixture.signIn(
          fixture.theLiar({ token_endpoint_auth_method: "private_key_jwt", client_secret: null }),
        );
        const {
          iat = 0,
          nbf,
          exp,
        } = decodeJwt(fixture.liar.tokenRequests.at(-1)?.get("client_assertion") ?? "");
        const now = Math.floor(fixture.now / 1000);
        assert.equal(iat, now + offset, "a cache's date tells nothing");
        assert.deepEqual([nbf, exp], [iat, iat + 60]);
      }
    }
  });

  it("configured parameters go along, and never take the place of ours", async () => {
    const authorize_parameters = { acr_values: "high", prompt: "select_account" };
    const party = fixture.theLiar({ authorize_parameters, response_mode: "form_post" });
    const sent = (await fixture.begin(party)).url.searchParams;
    assert.deepEqual(
      ["acr_values", "prompt", "response_mode"].map((name) => sent.getAll(name)),
      [["high"], ["select_account"], ["form_post"]],
    );
    assert.equal((await fixture.begin(party, REDEEM)).url.searchParams.get("prompt"), "login");
    const unproven = fixture.theLiar({ authorize_parameters, reauthentication: "prompt_only" });
    assert.equal((await fixture.begin(unproven, REDEEM)).url.searchParams.get("prompt"), "select_account");
    const bent = fixture.theLiar({
      authorize_parameters: { state: "x", nonce: "y", scope: "z", client_id: "q" },
    });
    const { searchParams } = (await fixture.begin(bent)).url;
    for (const name of ["state", "nonce", "scope", "client_id"])
      assert.equal(searchParams.getAll(name).length, 1);
    assert.ok(!["x", "y", "z", "q"].includes(searchParams.get("state") ?? ""));
    assert.equal(searchParams.get("client_id"), PEER_CLIENT.client_id);
  });

  it("an unknown upstream is not found", async () => {
    await assert.rejects(
      fixture.begin(fixture.theLiar(), { upstreamId: asUpstreamId("other") }),
      refusal("not_found"),
    );
  });
});

describe("display data", () => {
  it("comes from the ID token without asking userinfo", async () => {
    const { identity } = await fixture.signIn(fixture.theLiar());
    assert.deepEqual([identity.email, identity.displayName], ["person@mail.example", "A Person"]);
    assert.equal(fixture.liar.requests.includes("/userinfo"), false);
  });

  const address = "anna@mail.example";
  const verified: [
    string,
    { claims: Record<string, unknown>; userinfo?: Record<string, unknown>; email?: string },
    boolean,
  ][] = [
    ["true beside the address", { claims: { email: address, email_verified: true } }, true],
    ["nothing", { claims: { email: address } }, false],
    ["false", { claims: { email: address, email_verified: false } }, false],
    ["the text true", { claims: { email: address, email_verified: "true" } }, false],
    ["the number 1", { claims: { email: address, email_verified: 1 } }, false],
    ["a list", { claims: { email: address, email_verified: [true] } }, false],
    [
      "true of another claim's address",
      { claims: { upn: address, email: "other@mail.example", email_verified: true }, email: "upn" },
      false,
    ],
    [
      "true beside the address in userinfo",
      { claims: { email: undefined }, userinfo: { email: address, email_verified: true } },
      true,
    ],
    [
      "true in the ID token, of an address that userinfo alone has",
      { claims: { email: undefined, email_verified: true }, userinfo: { email: address } },
      false,
    ],
    [
      "true in userinfo, of an address that the ID token has",
      { claims: { email: address, name: undefined }, userinfo: { email: address, email_verified: true } },
      false,
    ],
  ];
  for (const [what, { claims, userinfo = {}, email = "email" }, expected] of verified) {
    it(`an address is verified by email_verified alone: ${what}`, async () => {
      fixture.liar.lies = { claims, userinfo };
      const { identity } = await fixture.signIn(fixture.theLiar({ claims: { email, name: "name" } }));
      assert.deepEqual([identity.email, identity.emailVerified], [address, expected]);
    });
  }

  it("is completed from userinfo, bounded and in one line", async () => {
    fixture.liar.lies = {
      claims: { email: undefined, name: "A\r\nB" },
      userinfo: { email: `${"x".repeat(300)}@mail.example` },
    };
    const { identity } = await fixture.signIn(fixture.theLiar());
    assert.equal(identity.displayName, "A B");
    assert.equal(identity.email?.length, 254);
  });

  it("comes from the claims that are configured", async () => {
    fixture.liar.lies.claims = { mail: "mapped@mail.example", display: "Mapped" };
    const { identity } = await fixture.signIn(
      fixture.theLiar({ claims: { email: "mail", name: "display" } }),
    );
    assert.deepEqual([identity.email, identity.displayName], ["mapped@mail.example", "Mapped"]);
  });

  const names: [claims: Record<string, unknown>, userinfo: Record<string, unknown>, name: string | null][] = [
    [{ given_name: "Anna", family_name: "Berg", nickname: "ab" }, { name: undefined }, "Anna Berg"],
    [{ given_name: "Anna" }, { name: undefined }, "Anna"],
    [{ preferred_username: "anna", nickname: "ab" }, { name: undefined }, "anna"],
    [{ nickname: "ab" }, { name: undefined }, "ab"],
    [{ given_name: "Anna" }, { name: "From Userinfo" }, "From Userinfo"],
    [{ given_name: { first: "A" }, nickname: "\u0000" }, { name: undefined }, null],
  ];
  for (const [claims, userinfo, name] of names) {
    it(`a missing name is made of ${JSON.stringify({ ...claims, ...userinfo })}: ${name}`, async () => {
      fixture.liar.lies = { claims: { name: undefined, ...claims }, userinfo };
      assert.equal((await fixture.signIn(fixture.theLiar())).identity.displayName, name);
    });
  }

  it("is absent where there is none", async () => {
    fixture.liar.lies = {
      claims: { email: { $gt: "" }, name: undefined },
      userinfo: { email: "  ", name: 7 },
    };
    const { identity } = await fixture.signIn(fixture.theLiar());
    assert.deepEqual([identity.email, identity.displayName], [null, null]);
  });
});
