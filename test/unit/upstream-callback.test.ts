import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { asUpstreamId } from "../../src/domain/ids.ts";
import type { SecretHash } from "../../src/domain/records.ts";
import { hashSecret } from "../../src/domain/secrets.ts";
import { LiaisonError } from "../../src/errors.ts";
import type { UpstreamSignInError } from "../../src/upstream/failures.ts";
import type { Upstreams } from "../../src/upstream/upstreams.ts";
import {
  ISSUER,
  REDEEM,
  refusal,
  SIGN_IN,
  sender,
  upstream,
  useUpstreams,
} from "../support/upstream-fixture.ts";
import type { Lies } from "../support/upstream-peer.ts";

const fixture = useUpstreams();

describe("U1 callbacks that nobody here began", () => {
  /** `withBegin`: what they get who have begun another sign-in in their browser. */
  const cases: [why: string, withBegin: string, change: (url: URL) => void][] = [
    ["unknown state", "sign_in_expired", (url) => url.searchParams.set("state", "x".repeat(43))],
    ["no state", "sign_in_mismatch", (url) => url.searchParams.delete("state")],
    ["two states", "sign_in_mismatch", (url) => url.searchParams.append("state", "x")],
  ];
  for (const [why, withBegin, change] of cases) {
    it(`U1 ${why}: no token request`, async () => {
      const parties = fixture.theLiar();
      const { url, browsers } = await fixture.begin(parties);
      const callback = fixture.liar.callback(url);
      change(callback);
      await assert.rejects(
        parties.complete({ sender, upstreamId: asUpstreamId("liar"), url: callback, browsers }),
        refusal(withBegin),
      );
      await assert.rejects(
        parties.complete({ sender, upstreamId: asUpstreamId("liar"), url: callback, browsers: [] }),
        refusal("sign_in_mismatch"),
      );
      assert.equal(fixture.liar.tokenRequests.length, 0);
    });
  }

  it("U1 begun in another browser: no token request, and the right browser can still finish", async () => {
    const parties = fixture.theLiar();
    const { url, browsers } = await fixture.begin(parties);
    const callback = fixture.liar.callback(url);
    const complete = (given: SecretHash[]) =>
      parties.complete({ sender, upstreamId: asUpstreamId("liar"), url: callback, browsers: given });
    await assert.rejects(complete([]), refusal("sign_in_mismatch"));
    await assert.rejects(complete([hashSecret("another's")]), refusal("sign_in_expired"));
    assert.equal(fixture.liar.tokenRequests.length, 0);
    assert.equal((await complete([hashSecret("earlier"), ...browsers])).identity.subject, "person-1");
  });

  it("U1 a second use, even at the same time, makes no second token request", async () => {
    const parties = fixture.theLiar();
    const { url, browsers } = await fixture.begin(parties);
    const callback = fixture.liar.callback(url);
    const tries = Array.from({ length: 10 }, () =>
      parties.complete({ sender, upstreamId: asUpstreamId("liar"), url: callback, browsers }),
    );
    const settled = await Promise.allSettled(tries);
    assert.equal(settled.filter(({ status }) => status === "fulfilled").length, 1);
    for (const one of settled) {
      if (one.status === "fulfilled") continue;
      refusal("sign_in_expired")(one.reason);
      assert.deepEqual(one.reason.purpose, SIGN_IN.purpose, "where its browser can look what came of it");
    }
    assert.equal(fixture.liar.tokenRequests.length, 1);
  });

  it("U1 an hour later is too late", async () => {
    const parties = fixture.theLiar();
    const { url, browsers } = await fixture.begin(parties);
    fixture.now += 3600_000;
    const late = parties.complete({
      sender,
      upstreamId: asUpstreamId("liar"),
      url: fixture.liar.callback(url),
      browsers,
    });
    await assert.rejects(late, refusal("sign_in_expired"));
    assert.equal(fixture.liar.tokenRequests.length, 0);
  });

  it("U4 a state of one upstream on another's callback is refused", async () => {
    const parties = fixture.relyingParty([
      upstream("liar", fixture.liar.issuer),
      upstream("other", fixture.liar.issuer),
    ]);
    const { url, browsers } = await fixture.begin(parties);
    const callback = fixture.liar.callback(url);
    await assert.rejects(
      parties.complete({ sender, upstreamId: asUpstreamId("other"), url: callback, browsers }),
      LiaisonError,
    );
    assert.equal(fixture.liar.tokenRequests.length, 0);
    assert.equal(
      (await parties.complete({ sender, upstreamId: asUpstreamId("liar"), url: callback, browsers })).identity
        .upstreamId,
      "liar",
    );
  });
});

describe("answers that are refused", () => {
  it("U2 a wrong iss, or none though advertised, stops before the exchange", async () => {
    for (const iss of ["https://evil.example", `${fixture.liar.issuer}/`, null]) {
      await assert.rejects(fixture.signIn(fixture.theLiar(), {}, { iss }), refusal("upstream_rejected"));
    }
    assert.equal(fixture.liar.tokenRequests.length, 0);
  });

  it("U2 no iss is fine where none is advertised", async () => {
    fixture.liar.lies.metadata = { authorization_response_iss_parameter_supported: undefined };
    assert.equal((await fixture.signIn(fixture.theLiar(), {}, { iss: null })).identity.subject, "person-1");
  });

  for (const name of ["access_denied", "user_cancelled_login", "consent_required", "interaction_required"]) {
    it(`${name} is a refusal, with what it was for; the log has the upstream's word`, async () => {
      const error = await fixture
        .signIn(fixture.theLiar(), REDEEM, { code: null, error: name })
        .catch((thrown) => thrown);
      refusal("upstream_refused")(error);
      assert.deepEqual(error.purpose, REDEEM.purpose);
      assert.equal(error.upstreamId, "liar");
      assert.equal(fixture.liar.tokenRequests.length, 0);
      assert.match(JSON.stringify(fixture.log), new RegExp(`authorization endpoint answered ${name}`));
    });
  }

  const errors: [error: string, code: string, ofAnyAge: string][] = [
    ["server_error", "upstream_unavailable", "upstream_unavailable"],
    ["temporarily_unavailable", "upstream_unavailable", "upstream_unavailable"],
    ["invalid_scope", "upstream_rejected", "upstream_rejected"],
    ["invalid_request", "upstream_stale", "upstream_rejected"],
    ["unauthorized_client", "upstream_rejected", "upstream_rejected"],
    ["unmet_authentication_requirements", "upstream_stale", "upstream_rejected"],
    ["something_of_its_own", "upstream_rejected", "upstream_rejected"],
  ];
  const asked = errors.flatMap(([error, fresh, ofAnyAge]) => [
    { error, code: fresh, when: "a fresh sign-in was asked for", request: REDEEM },
    { error, code: ofAnyAge, when: "any would have done", request: SIGN_IN },
  ]);
  for (const { error, code, when, request } of asked) {
    it(`${error} tells nobody that they cancelled: ${code} where ${when}`, async () => {
      const thrown = await fixture
        .signIn(fixture.theLiar(), request, { code: null, error })
        .catch((caught: unknown) => caught);
      refusal(code)(thrown);
      assert.deepEqual((thrown as UpstreamSignInError).purpose, request.purpose);
      assert.match(String((thrown as LiaisonError).cause), new RegExp(error));
      assert.equal(fixture.liar.tokenRequests.length, 0);
    });
  }

  it("a pushed request that is refused is so for its freshness only where it asked for that", async () => {
    const takeover = (response: ServerResponse) =>
      void response.writeHead(400, { "content-type": "application/json" }).end('{"error":"invalid_request"}');
    fixture.liar.lies.metadata = {
      pushed_authorization_request_endpoint: `${fixture.liar.issuer}/par`,
      require_pushed_authorization_requests: true,
    };
    fixture.liar.lies.answer = { "/par": takeover };
    const parties = fixture.theLiar();
    await assert.rejects(fixture.begin(parties, REDEEM), refusal("upstream_stale"));
    await assert.rejects(fixture.begin(parties, { maxAge: 600 }), refusal("upstream_stale"));
    await assert.rejects(fixture.begin(parties), refusal("upstream_rejected"));
  });

  const seconds = Math.floor(Date.now() / 1000);
  const lies: [why: string, lie: Lies][] = [
    ["U5 wrong iss", { claims: { iss: "https://evil.example" } }],
    ["U5 wrong aud", { claims: { aud: "another-client" } }],
    ["U5 two audiences, authorized to the other", { claims: { aud: ["liaison", "other"], azp: "other" } }],
    ["U5 wrong nonce", { claims: { nonce: "x".repeat(43) } }],
    ["U5 no nonce", { claims: { nonce: undefined } }],
    ["U5 wrong signature", { sign: "other-key" }],
    ["U5 unknown key", { header: { kid: "other" } }],
    ["U5 no sub", { claims: { sub: undefined } }],
    ["U5 null sub", { claims: { sub: null } }],
    ["U5 empty sub", { claims: { sub: "" } }],
    ["U5 a sub that is no string", { claims: { sub: 7 } }],
    ["U5 a sub that a fixture.store could blur", { claims: { sub: "person\ud800" } }],
    ["U5 a sub with NUL", { claims: { sub: "person-1\0" } }],
    ["U5 a sub of 256 characters", { claims: { sub: "x".repeat(256) } }],
    ["U5 no iat", { claims: { iat: undefined } }],
    ["U5 expired", { claims: { iat: seconds - 7200, exp: seconds - 3600 } }],
    ["U6 alg none", { sign: "none" }],
    ["U6 alg none over a real signature", { header: { alg: "none" } }],
    ["U6 HS256 where RS256 is configured", { sign: "hs256" }],
    ["U6 HS256 named in the header alone", { header: { alg: "HS256" } }],
    ["U6 ES256 by a published key, where RS256 is configured", { sign: "es256" }],
    ["U7 another sub from userinfo", { claims: { email: undefined }, userinfo: { sub: "person-2" } }],
  ];
  for (const [why, lie] of lies) {
    it(`${why}: refused, nothing written`, async () => {
      fixture.liar.lies = lie;
      const accounts = { ...fixture.store.accounts, signIn: () => assert.fail("an account was signed in") };
      const parties = fixture.relyingParty([upstream("liar", fixture.liar.issuer)], { accounts });
      await assert.rejects(fixture.signIn(parties), refusal("upstream_rejected"));
      assert.equal(fixture.liar.tokenRequests.length, 1);
    });
  }

  it("U6 what is configured is accepted, and nothing else", async () => {
    fixture.liar.lies = {
      metadata: { id_token_signing_alg_values_supported: ["RS256", "ES256"] },
      sign: "es256",
    };
    const parties = fixture.theLiar({ id_token_signed_response_alg: ["ES256"] });
    assert.equal((await fixture.signIn(parties)).identity.subject, "person-1");
    fixture.liar.lies.sign = "rs256";
    await assert.rejects(fixture.signIn(parties), refusal("upstream_rejected"));
    const both = fixture.theLiar({ id_token_signed_response_alg: ["ES256", "RS256"] });
    await fixture.signIn(both);
  });

  it("D6 errors carry no code, state, token or nonce", async () => {
    fixture.liar.lies = { claims: { nonce: "a-wrong-nonce" } };
    const parties = fixture.theLiar();
    const { url, browsers } = await fixture.begin(parties);
    const callback = fixture.liar.callback(url);
    const error = await parties
      .complete({ sender, upstreamId: asUpstreamId("liar"), url: callback, browsers })
      .catch((thrown) => thrown);
    const told = JSON.stringify([error, error.message, String(error.cause), { ...error.cause }, fixture.log]);
    assert.match(told, /nonce.*OAUTH_JWT_CLAIM_COMPARISON/);
    for (const name of ["code", "state"]) {
      assert.equal(told.includes(callback.searchParams.get(name) ?? assert.fail()), false);
    }
    assert.equal(told.includes("a-wrong-nonce"), false);
    assert.equal(error.cause.cause, undefined);
  });
});

describe("what the person can go back to when a callback fails", () => {
  /**
   * Comes back to `parties` with a sign-in that another process of the service began; returns what went
   * wrong.
   */
  async function comeBack(parties: Upstreams): Promise<unknown> {
    const { url, browsers } = await fixture.begin(fixture.theLiar(), REDEEM);
    return await parties
      .complete({ sender, upstreamId: asUpstreamId("liar"), url: fixture.liar.callback(url), browsers })
      .then(
        () => assert.fail("it was completed"),
        (error: unknown) => error,
      );
  }

  it("an upstream that can't be discovered: what the sign-in was for", async () => {
    const discovery = "/.well-known/openid-configuration";
    const { issuer, lies } = fixture.liar;
    const parties = fixture.relyingParty([upstream("liar", issuer)], {
      fetch: (url, init) => {
        lies.answer = { [discovery]: (response) => void response.writeHead(500).end() };
        return fetch(url, init);
      },
    });
    const error = await comeBack(parties);
    refusal("upstream_unavailable")(error);
    assert.deepEqual((error as UpstreamSignInError).purpose, REDEEM.purpose);
    assert.equal((error as UpstreamSignInError).upstreamId, "liar");
  });

  it("a store that can't be reached when the account is signed in: what the sign-in was for", async () => {
    const down = LiaisonError.storeUnavailable("The database can't be used right now.");
    const accounts = { ...fixture.store.accounts, signIn: () => Promise.reject(down) };
    const error = await comeBack(fixture.relyingParty([upstream("liar", fixture.liar.issuer)], { accounts }));
    refusal("store_unavailable")(error);
    assert.deepEqual((error as UpstreamSignInError).purpose, REDEEM.purpose);
  });

  it("no store can be reached when it is taken: nothing is spent, the same callback goes on", async () => {
    const down = LiaisonError.storeUnavailable("The database can't be used right now.");
    const signIns = { ...fixture.store.signIns, take: () => Promise.reject(down) };
    const { url, browsers } = await fixture.begin(fixture.theLiar());
    const callback = { sender, upstreamId: asUpstreamId("liar"), url: fixture.liar.callback(url), browsers };
    const parties = fixture.relyingParty([upstream("liar", fixture.liar.issuer)], { signIns });
    await assert.rejects(parties.complete(callback), refusal("store_unavailable"));
    assert.equal(fixture.liar.tokenRequests.length, 0);
    assert.equal((await fixture.theLiar().complete(callback)).identity.subject, "person-1");
  });

  it("a fault of ours stays one", async () => {
    const accounts = { ...fixture.store.accounts, signIn: () => Promise.reject(new TypeError("ours")) };
    const error = await comeBack(fixture.relyingParty([upstream("liar", fixture.liar.issuer)], { accounts }));
    assert.ok(error instanceof TypeError);
  });

  it("U1 a callback that nobody here began asks the upstream nothing", async () => {
    const fetch = () => assert.fail("a request was sent");
    const parties = fixture.relyingParty([upstream("liar", fixture.liar.issuer)], { fetch });
    const url = new URL(`${ISSUER}/upstream/liar/callback?code=x&state=${"x".repeat(43)}`);
    const complete = parties.complete({
      sender,
      upstreamId: asUpstreamId("liar"),
      url,
      browsers: [hashSecret("made up")],
    });
    await assert.rejects(complete, refusal("sign_in_expired"));
  });
});
