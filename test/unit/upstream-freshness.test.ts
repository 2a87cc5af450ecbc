import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { asUpstreamId } from "../../src/domain/ids.ts";
import type { SignInRequest } from "../../src/upstream/upstreams.ts";
import { REDEEM, refusal, SIGN_IN, sender, useUpstreams } from "../support/upstream-fixture.ts";

const fixture = useUpstreams();

/** The present in whole seconds, by our clock and by the liar's. */
const ours = () => Math.floor(fixture.now / 1000);
const theirs = () => ours() + fixture.aheadSeconds;

/** Checks that a sign-in was refused for a reason that the log tells. */
function refusedFor(code: string, reason: RegExp) {
  return (error: unknown) => refusal(code)(error) && reason.test(String((error as Error).cause));
}

describe("U15 fresh authentication", () => {
  const at = (secondsAgo: number) => ({ claims: { auth_time: ours() - secondsAgo } });
  const cases: [why: string, request: Partial<SignInRequest>, secondsAgo: number, fresh: boolean][] = [
    ["forced, just now", REDEEM, 0, true],
    ["forced, within what rounding hides", REDEEM, 2, true],
    ["forced, a little before the person was sent there", REDEEM, 3, false],
    ["forced, from a session of a minute ago", REDEEM, 60, false],
    ["forced, stale although the portal would take it", { ...REDEEM, maxAge: 3600 }, 3, false],
    ["the portal's max_age kept", { maxAge: 600 }, 602, true],
    ["the portal's max_age exceeded", { maxAge: 600 }, 603, false],
    ["the portal's max_age 0", { maxAge: 0 }, 3, false],
    ["nobody asked", {}, 86_400, true],
  ];
  for (const [why, request, secondsAgo, fresh] of cases) {
    it(`U15 ${why}: ${fresh ? "accepted" : "refused"}`, async () => {
      fixture.liar.lies = at(secondsAgo);
      const completed = fixture.signIn(fixture.theLiar(), request);
      if (!fresh) return await assert.rejects(completed, refusal("upstream_stale"));
      const { maxAge, forced } = { ...SIGN_IN, ...request };
      const asked = forced ? 0 : (maxAge ?? Number.POSITIVE_INFINITY);
      assert.equal((await completed).authTime, ours() - Math.min(secondsAgo, asked), "no older than asked");
    });
  }

  it("U15 counts from the moment the person was sent off", async () => {
    const parties = fixture.theLiar();
    const { url, browsers } = await fixture.begin(parties, REDEEM);
    fixture.liar.lies = at(0);
    fixture.now += 20 * 60_000;
    await parties.complete({
      sender,
      upstreamId: asUpstreamId("liar"),
      url: fixture.liar.callback(url),
      browsers,
    });
  });

  it("U15 without auth_time a forced sign-in is refused, another takes iat", async () => {
    const iat = ours() - 5;
    fixture.liar.lies = { claims: { auth_time: undefined, iat } };
    await assert.rejects(fixture.signIn(fixture.theLiar(), REDEEM), refusal("upstream_stale"));
    await assert.rejects(fixture.signIn(fixture.theLiar(), { maxAge: 600 }), refusal("upstream_stale"));
    assert.equal((await fixture.signIn(fixture.theLiar())).authTime, iat);
  });

  it("U15 the age stays here: what the browser carries is random alone", async () => {
    for (const request of [REDEEM, { maxAge: 600 }, {}]) {
      const { url } = await fixture.begin(fixture.theLiar(), request);
      assert.match(url.searchParams.get("state") ?? "", /^[\w-]{43}$/);
    }
  });

  it("U15 a longer max_age in the browser's address bar bends nothing", async () => {
    fixture.liar.lies = at(3600);
    const parties = fixture.theLiar();
    const { url, browsers } = await fixture.begin(parties, REDEEM);
    url.searchParams.set("max_age", "99999");
    const bent = parties.complete({
      sender,
      upstreamId: asUpstreamId("liar"),
      url: fixture.liar.callback(url),
      browsers,
    });
    await assert.rejects(bent, refusal("upstream_stale"));
  });

  it("an upstream that shows none is told to authenticate", async () => {
    fixture.liar.lies = { claims: { auth_time: undefined } };
    const parties = fixture.theLiar({ reauthentication: "prompt_only" });
    for (const request of [REDEEM, { maxAge: 600 }]) {
      const { url } = await fixture.begin(parties, request);
      assert.equal(url.searchParams.get("prompt"), "login");
      assert.equal(url.searchParams.has("max_age"), false);
    }
    await fixture.signIn(parties, REDEEM);
  });

  it("an upstream that needn't show an age is held to the one it shows", async () => {
    const parties = fixture.theLiar({ reauthentication: "prompt_only" });
    for (const request of [REDEEM, { maxAge: 600 }]) {
      fixture.liar.lies = at(3600);
      await assert.rejects(fixture.signIn(parties, request), refusal("upstream_stale"));
      fixture.liar.lies = at(0);
      assert.equal((await fixture.signIn(parties, request)).authTime, ours());
    }
  });

  it("the portal's wishes are forwarded", async () => {
    const { url } = await fixture.begin(fixture.theLiar(), { prompt: "login", maxAge: 600 });
    assert.equal(url.searchParams.get("prompt"), "login");
    assert.equal(url.searchParams.get("max_age"), "600");
  });
});

describe("U15 clocks that differ", () => {
  for (const aheadSeconds of [90, -90, 590, -590]) {
    it(`${aheadSeconds} s: a fresh sign-in counts, one of a minute ago doesn't, by our clock`, async () => {
      fixture.aheadSeconds = aheadSeconds;
      const shortLived = () => ({ iat: theirs(), exp: theirs() + 60 });
      for (const request of [REDEEM, { maxAge: 0 }, { maxAge: 50 }]) {
        fixture.liar.lies = { claims: { ...shortLived(), auth_time: theirs() } };
        assert.equal((await fixture.signIn(fixture.theLiar(), request)).authTime, ours());
        fixture.liar.lies = { claims: { ...shortLived(), auth_time: theirs() - 60 } };
        await assert.rejects(fixture.signIn(fixture.theLiar(), request), refusal("upstream_stale"));
      }
      fixture.liar.lies = { claims: { ...shortLived(), auth_time: theirs() - 86_400 } };
      assert.equal((await fixture.signIn(fixture.theLiar())).authTime, ours() - 86_400);
      const unshown = fixture.theLiar({ reauthentication: "prompt_only" });
      fixture.liar.lies = { claims: { ...shortLived(), auth_time: undefined } };
      assert.equal((await fixture.signIn(unshown, REDEEM)).authTime, ours());
    });
  }

  for (const aheadSeconds of [900, -900, 86_400]) {
    it(`${aheadSeconds} s: refused, whatever was asked, for the clocks`, async () => {
      fixture.aheadSeconds = aheadSeconds;
      for (const request of [REDEEM, { maxAge: 600 }, {}]) {
        const refused = fixture.signIn(fixture.theLiar(), request);
        await assert.rejects(
          refused,
          refusedFor("upstream_rejected", /the upstream's clock is \d+ s (ahead of|behind) ours/),
        );
      }
    });
  }

  const undated: [aheadSeconds: number, believed: boolean][] = [
    [50, true],
    [-50, true],
    [90, false],
    [-90, false],
  ];
  for (const [aheadSeconds, believed] of undated) {
    it(`${aheadSeconds} s without a Date: ${believed ? "iat is believed" : "refused"}`, async () => {
      for (const date of [null, "now", "Sunday, 06-Nov-94 08:49:37 GMT"]) {
        fixture.aheadSeconds = aheadSeconds;
        fixture.liar.lies = { date };
        const completed = fixture.signIn(fixture.theLiar(), REDEEM);
        if (believed) assert.equal((await completed).authTime, ours());
        else await assert.rejects(completed, refusedFor("upstream_rejected", /by its iat/));
      }
    });
  }

  it("a token made with the code and delivered a minute later shows an old sign-in to be old", async () => {
    const parties = fixture.theLiar();
    for (const [secondsBefore, code] of [
      [30, "upstream_stale"],
      [0, undefined],
    ] as const) {
      const { url, browsers } = await fixture.begin(parties, REDEEM);
      fixture.liar.lies = { claims: { iat: ours(), exp: ours() + 300, auth_time: ours() - secondsBefore } };
      fixture.now += 60_000;
      const late = parties.complete({
        sender,
        upstreamId: asUpstreamId("liar"),
        url: fixture.liar.callback(url),
        browsers,
      });
      if (code === undefined) await late;
      else await assert.rejects(late, refusal(code));
    }
  });
});

describe("U16 times that can't be", () => {
  const rejectedTimes: Record<string, (name: string) => Record<string, unknown>> = {
    "in milliseconds": (name) => ({ [name]: fixture.now }),
    "a year old in milliseconds": (name) => ({ [name]: fixture.now - 31_536_000_000 }),
    "more than a minute ahead": (name) => ({ [name]: ours() + 65 }),
    "as text": (name) => ({ [name]: String(ours()) }),
    "as a date": (name) => ({ [name]: new Date(fixture.now).toISOString() }),
    negative: (name) => ({ [name]: -1 }),
    "beyond 2^53": (name) => ({ [name]: 2 ** 53 + 2 }),
    "beyond 2^63": (name) => ({ [name]: 1e19 }),
    null: (name) => ({ [name]: null }),
    "a list": (name) => ({ [name]: [ours()] }),
    yes: (name) => ({ [name]: true }),
  };
  const times = ["iat", "auth_time", "nbf"] as const;
  for (const [what, claims] of Object.entries(rejectedTimes)) {
    for (const name of times) {
      it(`${name} ${what}: rejected, with a reason, whatever was asked`, async () => {
        for (const request of [REDEEM, { maxAge: 3600 }, {}]) {
          fixture.liar.lies = { claims: claims(name) };
          await assert.rejects(
            fixture.signIn(fixture.theLiar(), request),
            refusedFor("upstream_rejected", new RegExp(name)),
          );
        }
      });
    }
  }

  it("iat stands in for auth_time by the same rule", async () => {
    for (const claims of Object.values(rejectedTimes)) {
      fixture.liar.lies = { claims: { ...claims("iat"), auth_time: undefined } };
      await assert.rejects(fixture.signIn(fixture.theLiar()), refusal("upstream_rejected"));
    }
  });

  for (const exp of [-60, 0, 1e19, 253_402_300_800, "soon", null]) {
    it(`exp ${exp}: rejected`, async () => {
      fixture.liar.lies = { claims: { exp } };
      await assert.rejects(fixture.signIn(fixture.theLiar()), refusal("upstream_rejected"));
    });
  }

  it("an expired token is rejected, by the upstream's clock", async () => {
    for (const aheadSeconds of [0, 90, -90]) {
      fixture.aheadSeconds = aheadSeconds;
      fixture.liar.lies = { claims: { iat: theirs() - 91, exp: theirs() - 31 } };
      await assert.rejects(fixture.signIn(fixture.theLiar()), refusedFor("upstream_rejected", /exp is/));
      fixture.liar.lies = { claims: { iat: theirs() - 89, exp: theirs() - 29 } };
      await fixture.signIn(fixture.theLiar());
    }
  });

  it("whole seconds are kept of fractions", async () => {
    const fractions = { iat: ours() + 0.889183, exp: ours() + 300.5, nbf: ours() - 0.25 };
    fixture.liar.lies = { claims: { ...fractions, auth_time: undefined } };
    assert.equal((await fixture.signIn(fixture.theLiar())).authTime, ours());
    fixture.liar.lies = { claims: { ...fractions, auth_time: ours() - 100.001 } };
    for (const request of [{}, { maxAge: 600 }]) {
      assert.equal((await fixture.signIn(fixture.theLiar(), request)).authTime, ours() - 101);
    }
    fixture.liar.lies = { claims: { ...fractions, auth_time: ours() + 0.5 } };
    assert.equal((await fixture.signIn(fixture.theLiar(), REDEEM)).authTime, ours());
  });

  it("a time a little ahead of the upstream's clock is told as the present", async () => {
    fixture.liar.lies = { claims: { iat: ours() + 55, exp: ours() + 300, auth_time: ours() + 55 } };
    assert.equal((await fixture.signIn(fixture.theLiar())).authTime, ours());
  });

  it("U15 an auth_time of 0 is none where none is needed, and the oldest of all where one is", async () => {
    fixture.liar.lies = { claims: { auth_time: 0 } };
    const unproven = fixture.theLiar({ reauthentication: "prompt_only" });
    assert.equal((await fixture.signIn(unproven, REDEEM)).authTime, ours());
    await assert.rejects(fixture.signIn(fixture.theLiar(), REDEEM), refusal("upstream_stale"));
    for (const auth_time of [1, -0.5, "0", null]) {
      fixture.liar.lies = { claims: { auth_time } };
      await assert.rejects(fixture.signIn(unproven, REDEEM), String(auth_time));
    }
  });

  it("the start of time is told as it is", async () => {
    fixture.aheadSeconds = 90;
    fixture.liar.lies = { claims: { auth_time: 0 } };
    assert.equal((await fixture.signIn(fixture.theLiar())).authTime, 0);
  });
});
