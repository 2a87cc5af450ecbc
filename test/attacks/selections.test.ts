/**
 * Switching profiles is the person's: L21 of the threat list, and what a switch does to the sign-in before
 * it.
 */

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { asAccountId, asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import { type Attacked, bindTo, startAttacked } from "../support/attack-fixture.ts";
import { marks } from "../support/chooser.ts";
import { assertTokensEnded, type IssuedTokens } from "../support/ended-tokens.ts";
import { register, signIn, type TestPerson } from "../support/liaison.ts";
import { type PortalTokens, type StartedSignIn, TestPortal } from "../support/portal.ts";
import { StoreControl } from "../support/store-control.ts";
import type { UserAgent } from "../support/user-agent.ts";

describe("selections", { concurrency: 1 }, () => {
  const control = new StoreControl();
  let liaison: Attacked;
  /** Another portal, so that a refresh token may outlive its session. */
  let offline: TestPortal;
  let turn = 0;
  before(async () => {
    liaison = await startAttacked({ strangers: 24, decorate: control.decorate });
    const scope = "openid profile organization offline_access";
    offline = await TestPortal.connect({ ...liaison.customerSource.options, scope });
  });
  after(() => liaison?.close());

  let person: TestPerson;
  let accountId: string;
  let [home, other, third] = ["", "", ""];
  beforeEach(async () => {
    turn += 1;
    [home, other, third] = [`home-${turn}`, `other-${turn}`, `third-${turn}`];
    for (const id of [home, other, third]) {
      await register(liaison, { id: asOrganizationId(`org-${id}`) }, [
        { id, email: `${id}@contoso.example` },
      ]);
    }
    await register(liaison, { id: asOrganizationId(`partner-of-${turn}`), kind: "partner" }, [
      { id: `partner-${turn}`, email: "partner@litware.example" },
    ]);
    person = liaison.stranger();
    accountId = await bindTo(liaison, person, home, other, third, `partner-${turn}`);
  });

  interface Member {
    browser: UserAgent;
    tokens: PortalTokens;
  }

  /** Signs the person in at the portal and chooses `home`. */
  async function member(portal = liaison.customerSource): Promise<Member> {
    const browser = liaison.browser();
    const started = await portal.start(portal === offline ? { prompt: "consent" } : {});
    const page = await signIn(browser, started, person);
    const end = page.status === 0 ? page : await browser.press(page, "Continue", { profile_id: home });
    return { browser, tokens: await portal.exchange(end.url, started) };
  }

  async function profileOf(portal: TestPortal, tokens: PortalTokens): Promise<unknown> {
    return (await portal.userinfo(tokens.access_token, accountId))["profile_id"];
  }

  /** The tokens speak for the profile, at every place that asks. Returns those that the refresh gave. */
  async function assertGoOn(tokens: PortalTokens, profileId: string, portal = liaison.customerSource) {
    assert.equal(await profileOf(portal, tokens), profileId);
    for (const token of [tokens.access_token, tokens.refresh_token ?? ""]) {
      assert.equal((await portal.introspect(token)).active, true);
    }
    const refreshed = await portal.refresh(tokens.refresh_token ?? "");
    assert.equal((await portal.userinfo(refreshed.access_token, accountId))["profile_id"], profileId);
    return refreshed;
  }

  const assertEnded = (tokens: IssuedTokens, portal = liaison.customerSource) =>
    assertTokensEnded(portal, accountId, tokens);

  /** Whom a silent sign-in of the browser speaks for, or the error that the portal is told. */
  async function silently(browser: UserAgent, parameters: Record<string, string> = {}): Promise<string> {
    const started = await liaison.customerSource.start({ prompt: "none", ...parameters });
    const { url } = await browser.visit(started.url);
    const error = url.searchParams.get("error");
    if (error !== null) return error;
    return String(
      await profileOf(liaison.customerSource, await liaison.customerSource.exchange(url, started)),
    );
  }

  /** Opens the chooser and chooses a profile, up to the code. */
  async function switchTo(browser: UserAgent, profileId: string, portal = liaison.customerSource) {
    const prompt = portal === offline ? "consent select_account" : "select_account";
    const started = await portal.start({ prompt });
    const { url } = await browser.press(await browser.visit(started.url), "Continue", {
      profile_id: profileId,
    });
    assert.ok(url.searchParams.has("code"), url.href);
    return { started, callback: url, redeem: () => portal.exchange(url, started) };
  }

  const grants = async () =>
    (
      await liaison.store.administration.grants(
        { accountId: asAccountId(accountId) },
        { after: null, limit: 50 },
        liaison.clock.now(),
      )
    ).items;

  for (const kind of ["bound to the session", "offline"] as const) {
    it(`L21: a link with a hint switches nothing and ends nothing (tokens ${kind})`, async () => {
      const portal = kind === "offline" ? offline : liaison.customerSource;
      const { browser, tokens } = await member(portal);
      const before = await grants();
      const writes = liaison.watch.writes.length;
      const links: Record<string, string>[] = [
        { prompt: "none" },
        {},
        { prompt: "consent" },
        { prompt: "login" },
        { prompt: "select_account" },
        { max_age: "0" },
      ];
      for (const parameters of links) {
        const { url } = await portal.start({ profile_hint: other, ...parameters });
        const page = await browser.visit(url);
        const silent = parameters["prompt"] === "none";
        assert.equal(
          page.url.searchParams.get("error"),
          silent ? "account_selection_required" : null,
          page.url.href,
        );
        assert.equal(page.url.searchParams.get("code"), null);
        await browser.visit(url, { method: "POST", body: url.searchParams });
      }
      const done = liaison.watch.writes.slice(writes);
      assert.ok(
        !done.some((write) => /select|consume|revoke|destroy|leave|remove/i.test(write)),
        done.join(" "),
      );
      assert.deepEqual(await grants(), before);
      await assertGoOn(tokens, home, portal);
      assert.equal(await silently(browser), home);
      assert.equal(await silently(liaison.browser()), "login_required");
    });
  }

  it(
    "L21: the chooser marks what is in use and what is asked for, and continuing without a look changes " +
      "nothing",
    async () => {
      const { browser, tokens } = await member();
      const started = await liaison.customerSource.start({ profile_hint: other });
      const page = await browser.visit(started.url);
      assert.equal(page.heading, "Which profile do you want to use?");
      assert.match(page.text, /another profile than the one that you use at CustomerSource now/);
      assert.deepEqual(
        marks(page),
        [
          [home, "checked", "In use now"],
          [other, null, "Asked for"],
          [third, null, null],
        ].toSorted(),
      );
      const end = await browser.press(page, "Continue");
      const again = await liaison.customerSource.exchange(end.url, started);
      assert.equal(await profileOf(liaison.customerSource, again), home);
      await assertGoOn(tokens, home);
      assert.equal((await grants()).length, 1, "and it is the same grant");
    },
  );

  it("L21: the answer of the chooser is admitted, whatever the request's hint goes on saying", async () => {
    for (const answer of [other, third]) {
      const { browser, tokens } = await member();
      const started = await liaison.customerSource.start({ profile_hint: other });
      const end = await browser.press(await browser.visit(started.url), "Continue", { profile_id: answer });
      await assertGoOn(tokens, home);
      const fresh = await liaison.customerSource.exchange(end.url, started);
      assert.equal(await profileOf(liaison.customerSource, fresh), answer);
      assert.equal(
        await silently(browser, { profile_hint: answer }),
        answer,
        "a hint of what is in use asks nobody",
      );
      assert.equal(await silently(browser, { profile_hint: home }), "account_selection_required");
      assert.equal(
        await silently(browser, { profile_hint: "nobody" }),
        answer,
        "and one of nobody's is none",
      );
      // Back, so that the next turn finds it chosen.
      await (await switchTo(browser, home)).redeem();
    }
  });

  it("a hint says who it is where this session uses no profile yet, and is forgotten then", async () => {
    const { browser } = await member();
    const elsewhere = liaison.browser();
    const started = await liaison.customerSource.start({ profile_hint: other });
    const end = await signIn(elsewhere, started, person);
    assert.equal(
      await profileOf(liaison.customerSource, await liaison.customerSource.exchange(end.url, started)),
      other,
    );
    assert.equal(await silently(browser), home, "the other browser's isn't touched");
    const third = liaison.browser();
    const plain = await liaison.customerSource.start();
    const remembered = await signIn(third, plain, person);
    const tokens = await liaison.customerSource.exchange(remembered.url, plain);
    assert.equal(await profileOf(liaison.customerSource, tokens), home);
  });

  for (const kind of ["bound to the session", "offline"] as const) {
    it(`a switch keeps the old sign-in until the new code is redeemed (tokens ${kind})`, async () => {
      const portal = kind === "offline" ? offline : liaison.customerSource;
      const { browser, tokens } = await member(portal);
      const { redeem } = await switchTo(browser, other, portal);
      const kept = await assertGoOn(tokens, home, portal);
      const fresh = await redeem();
      await assertEnded(kept, portal);
      await assertGoOn(fresh, other, portal);
      assert.deepEqual(
        (await grants()).map(({ profileId }) => profileId),
        [other],
      );
      assert.equal(await silently(browser), other);
    });
  }

  it("a switch whose code is never redeemed, or not by its portal, leaves the old sign-in", async () => {
    const { browser, tokens } = await member();
    const { started, callback } = await switchTo(browser, other);
    await assert.rejects(liaison.partnerSource.exchange(callback, started));
    const wrong: StartedSignIn = { ...started, codeVerifier: "x".repeat(43) };
    await assert.rejects(liaison.customerSource.exchange(callback, wrong));
    await assertGoOn(tokens, home);
    assert.equal((await grants()).length, 2);
    assert.equal(
      await silently(browser),
      other,
      "what was chosen stays chosen: the next code ends the old one",
    );
    assert.equal((await grants()).length, 1);
  });

  it("signing out ends what was being switched from, too", async () => {
    const { browser, tokens } = await member();
    await switchTo(browser, other);
    await browser.press(await browser.visit(`${liaison.issuer}/logout`), "Sign out");
    await assertEnded(tokens);
    assert.deepEqual(await grants(), []);
  });

  async function disable(profileId: string) {
    const { profile } =
      (await liaison.store.directory.membership(asProfileId(profileId))) ?? assert.fail(profileId);
    await liaison.store.directory.putProfile({ ...profile, enabled: false }, "test", liaison.clock.now());
  }

  for (const kind of ["bound to the session", "offline"] as const) {
    it(
      "what was switched from ends with the next code though the last choice was ended meanwhile (tokens " +
        `${kind})`,
      async () => {
        const portal = kind === "offline" ? offline : liaison.customerSource;
        const { browser, tokens } = await member(portal);
        await switchTo(browser, other, portal);
        await switchTo(browser, third, portal);
        await disable(third);
        const kept = await assertGoOn(tokens, home, portal);
        assert.equal(await silently(browser), other);
        await assertEnded(kept, portal);
        assert.deepEqual(
          (await grants()).map(({ profileId }) => profileId),
          [other],
        );
      },
    );
  }

  it("signing out ends what was being switched from though the last choice was ended meanwhile", async () => {
    const { browser, tokens } = await member();
    await switchTo(browser, other);
    await switchTo(browser, third);
    await disable(third);
    await browser.press(await browser.visit(`${liaison.issuer}/logout`), "Sign out");
    assert.deepEqual(await grants(), []);
    await assertEnded(tokens);
  });

  it("a portal is told of an end when what it is on ends, not when a switch comes to nothing", async () => {
    const { browser, tokens } = await member();
    await switchTo(browser, other);
    await switchTo(browser, third);
    // The worker that tells portals waits, so that what is queued stays there.
    control.down.add("administration.claimSignOut");
    try {
      const told = async () => {
        const next = await liaison.store.administration.claimSignOut("test", liaison.clock.now(), 60_000);
        return next && [next.clientId, next.accountId];
      };
      await disable(other);
      assert.equal(await told(), undefined);
      const kept = await assertGoOn(tokens, home);
      await disable(home);
      assert.deepEqual(await told(), ["customersource", accountId]);
      await assertEnded(kept);
    } finally {
      control.down.clear();
    }
  });

  it("two tabs that switch at once: the last choice holds, and each code ends what it may", async () => {
    for (const order of ["first to last", "last to first"] as const) {
      const { browser, tokens } = await member();
      const one = await switchTo(browser, other);
      const two = await switchTo(browser, third);
      if (order === "first to last") {
        const early = await one.redeem();
        const kept = await assertGoOn(early, other);
        const late = await two.redeem();
        await assertEnded(kept);
        await assertGoOn(late, third);
      } else {
        const late = await two.redeem();
        await assert.rejects(one.redeem(), { error: "invalid_grant" });
        await assertGoOn(late, third);
      }
      await assertEnded(tokens);
      assert.equal(await silently(browser), third);
      await (await switchTo(browser, home)).redeem();
    }
  });

  it(
    "two redemptions at once of a switch's code: one wins, the old sign-in ends, and the new one by the " +
      "replay",
    async () => {
      const { browser, tokens } = await member();
      const { redeem } = await switchTo(browser, other);
      const redeemed = await Promise.allSettled([redeem(), redeem(), redeem()]);
      assert.ok(redeemed.filter(({ status }) => status === "fulfilled").length <= 1);
      await assertEnded(tokens);
      assert.deepEqual(await grants(), []);
    },
  );

  it("a profile that is no longer admitted is not left for another one without the person", async () => {
    const { browser, tokens } = await member();
    const organizationOf = async (id: string) =>
      (await liaison.store.directory.organization(asOrganizationId(`org-${id}`))) ?? assert.fail(id);
    const suspend = async (id: string) =>
      await liaison.store.directory.putOrganization(
        { ...(await organizationOf(id)), plan: { status: "suspended", expiresAt: null } },
        "test",
        liaison.clock.now(),
      );
    for (const id of [home, third]) await suspend(id);
    assert.equal(await silently(browser), "account_selection_required");
    assert.equal(await silently(browser, { profile_hint: other }), "account_selection_required");
    const started = await liaison.customerSource.start();
    const page = await browser.visit(started.url);
    assert.match(page.text, /The profile that you used doesn.t open CustomerSource any more/);
    assert.deepEqual(marks(page), [[other, "checked", null]]);
    const end = await browser.press(page, "Continue");
    const fresh = await liaison.customerSource.exchange(end.url, started);
    assert.equal(await profileOf(liaison.customerSource, fresh), other);
    await assert.rejects(liaison.customerSource.refresh(tokens.refresh_token ?? ""));
    assert.equal(await silently(browser), other);
  });

  it("what a person chooses in one tab isn't undone by a sign-in that was under way in another", async () => {
    const browser = liaison.browser();
    await signIn(browser, await liaison.partnerSource.start(), person);
    const { reached, release } = control.pauseNext("accountsAtClients.select");
    const underWay = browser.visit((await liaison.customerSource.start({ profile_hint: home })).url);
    await reached;
    const started = await liaison.customerSource.start();
    const end = await browser.press(await browser.visit(started.url), "Continue", { profile_id: other });
    release();
    const late = await underWay;
    assert.equal(late.heading, "Which profile do you want to use?", `${late.url}`);
    const fresh = await liaison.customerSource.exchange(end.url, started);
    await assertGoOn(fresh, other);
    assert.equal(await silently(browser), other);
  });

  // Last: oidc-provider's own clock stays behind, so that every code has expired after this.
  it("a switch whose code expires leaves the old sign-in alone", async () => {
    const { browser, tokens } = await member();
    const { redeem } = await switchTo(browser, other);
    liaison.clock.advance(liaison.config.tokens.authorization_code_seconds + 1);
    await assert.rejects(redeem(), { error: "invalid_grant" });
    await assertGoOn(tokens, home);
    assert.equal((await grants()).length, 2);
  });
});
