import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SignInRequest } from "../../src/upstream/upstreams.ts";
import { REDEEM, refusal, useUpstreams } from "../support/upstream-harness.ts";

const harness = useUpstreams();

describe("U15 fresh authentication", () => {
  const at = (secondsAgo: number) => ({ claims: { auth_time: Math.floor(harness.now / 1000) - secondsAgo } });
  const cases: [why: string, request: Partial<SignInRequest>, secondsAgo: number, fresh: boolean][] = [
    ["forced, just now", REDEEM, 0, true],
    ["forced, within the skew", REDEEM, 55, true],
    ["forced, stale", REDEEM, 65, false],
    ["forced, stale although the portal would take it", { ...REDEEM, maxAge: 3600 }, 65, false],
    ["the portal's max_age kept", { maxAge: 600 }, 655, true],
    ["the portal's max_age exceeded", { maxAge: 600 }, 665, false],
    ["the portal's max_age 0", { maxAge: 0 }, 65, false],
    ["nobody asked", {}, 86_400, true],
  ];
  for (const [why, request, secondsAgo, fresh] of cases) {
    it(`U15 ${why}: ${fresh ? "accepted" : "refused"}`, async () => {
      harness.liar.lies = at(secondsAgo);
      const completed = harness.signIn(harness.theLiar(), request);
      if (!fresh) return await assert.rejects(completed, refusal("upstream_stale"));
      assert.equal((await completed).authTime, Math.floor(harness.now / 1000) - secondsAgo);
    });
  }

  it("U15 counts from the moment the person was sent off", async () => {
    const parties = harness.theLiar();
    const { url, browsers } = await harness.begin(parties, REDEEM);
    harness.liar.lies = at(0);
    harness.now += 20 * 60_000;
    await parties.complete({ upstreamId: "liar", url: harness.liar.callback(url), browsers });
  });

  it("U15 without auth_time a forced sign-in is refused, another takes iat", async () => {
    const iat = Math.floor(Date.now() / 1000) - 5;
    harness.liar.lies = { claims: { auth_time: undefined, iat } };
    await assert.rejects(harness.signIn(harness.theLiar(), REDEEM), refusal("upstream_stale"));
    await assert.rejects(harness.signIn(harness.theLiar(), { maxAge: 600 }), refusal("upstream_stale"));
    assert.equal((await harness.signIn(harness.theLiar())).authTime, iat);
  });

  it("U15 the age stays here: what the browser carries is random alone", async () => {
    for (const request of [REDEEM, { maxAge: 600 }, {}]) {
      const { url } = await harness.begin(harness.theLiar(), request);
      assert.match(url.searchParams.get("state") ?? "", /^[\w-]{43}$/);
    }
  });

  it("U15 a longer max_age in the browser's address bar bends nothing", async () => {
    harness.liar.lies = at(3600);
    const parties = harness.theLiar();
    const { url, browsers } = await harness.begin(parties, REDEEM);
    url.searchParams.set("max_age", "99999");
    const bent = parties.complete({ upstreamId: "liar", url: harness.liar.callback(url), browsers });
    await assert.rejects(bent, refusal("upstream_stale"));
  });

  it("an upstream that shows none is told to authenticate", async () => {
    harness.liar.lies = { claims: { auth_time: undefined } };
    const parties = harness.theLiar({ reauthentication: "prompt_only" });
    for (const request of [REDEEM, { maxAge: 600 }]) {
      const { url } = await harness.begin(parties, request);
      assert.equal(url.searchParams.get("prompt"), "login");
      assert.equal(url.searchParams.has("max_age"), false);
    }
    await harness.signIn(parties, REDEEM);
  });

  it("the portal's wishes are forwarded", async () => {
    const { url } = await harness.begin(harness.theLiar(), { prompt: "login", maxAge: 600 });
    assert.equal(url.searchParams.get("prompt"), "login");
    assert.equal(url.searchParams.get("max_age"), "600");
  });
});
