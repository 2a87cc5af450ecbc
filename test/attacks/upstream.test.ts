/**
 * Upstreams that lie, and returns from them that nobody began, as the whole application meets them: U1, U3,
 * U5, U11–U13.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asOrganizationId, asProfileId, asUpstreamId, type UpstreamId } from "../../src/domain/ids.ts";
import {
  type Attacked,
  assertUnbound,
  hesitant,
  identityOf,
  mailsTo,
  quiet,
  requestOf,
  returnFromUpstream,
  startAttacked,
} from "../support/attack-fixture.ts";
import { register, signIn } from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";
import { type Lies, type LyingUpstream, PEER_CLIENT, startLyingUpstream } from "../support/upstream-peer.ts";
import { type Page, UserAgent } from "../support/user-agent.ts";

describe("upstreams", () => {
  let liar: LyingUpstream;
  /** Knows the same subject as the liar. */
  let twin: LyingUpstream;
  let liaison: Attacked;
  before(async () => {
    liar = await startLyingUpstream();
    twin = await startLyingUpstream();
    liaison = await startAttacked({
      config: (base) => ({
        ...base,
        upstreams: [
          ...(base["upstreams"] as object[]),
          { id: "liar", name: "Liar", issuer: liar.issuer, ...PEER_CLIENT },
          { id: "twin", name: "Twin", issuer: twin.issuer, ...PEER_CLIENT },
        ],
      }),
    });
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "u5", email: "u5@northwind.example" },
      { id: "u11", email: "u11@northwind.example" },
      { id: "u12", email: "u12@northwind.example" },
    ]);
  });
  after(async () => {
    await liaison?.close();
    await liar.close();
    await twin.close();
  });

  /** A browser that stops at the upstreams' doors. */
  function visitor(): UserAgent {
    return new UserAgent({
      stopAt: ({ origin, port }) => port === "9" || origin === liar.issuer || origin === twin.issuer,
    });
  }

  /** Sent off to an upstream to sign in. */
  async function sentOff(
    name: "Liar" | "Twin",
    browser = visitor(),
  ): Promise<{ browser: UserAgent; leaving: Page }> {
    const choice = await browser.visit((await liaison.customerSource.start()).url);
    return { browser, leaving: await browser.press(choice, new RegExp(name)) };
  }

  const accounts = async () =>
    (await liaison.store.audit.list({ limit: 500 })).filter(({ action }) => action === "account.created")
      .length;

  /** Nobody is signed in by what was just sent, and no identity was written. */
  async function assertNobody(browser: UserAgent, accountsBefore: number): Promise<void> {
    assert.equal(await accounts(), accountsBefore);
    const silent = await browser.visit((await liaison.customerSource.start({ prompt: "none" })).url);
    assert.equal(silent.url.searchParams.get("error"), "login_required");
  }

  it("U1: a callback with an unknown state, none or two is a 400 page and no token request", async () => {
    const { browser, leaving } = await sentOff("Liar");
    const honest = liar.callback(leaving.url);
    const [accountsBefore, tokenRequests] = [await accounts(), liar.tokenRequests.length];
    const changes: ((url: URL) => void)[] = [
      (url) => url.searchParams.set("state", "x".repeat(43)),
      (url) => url.searchParams.delete("state"),
      (url) => url.searchParams.set("state", ""),
      (url) => url.searchParams.append("state", "x"),
    ];
    for (const change of changes) {
      const callback = new URL(honest);
      change(callback);
      const page = await returnFromUpstream(browser, callback);
      assert.equal(page.status, 400, callback.search);
      assert.match(page.text, /CustomerSource/, "how to begin again");
      assert.deepEqual(page.headers.getSetCookie(), []);
    }
    assert.equal(liar.tokenRequests.length, tokenRequests);
    await assertNobody(browser, accountsBefore);
  });

  it("U1: a callback begun in another browser or upstream is a 400 page and no token request", async () => {
    const attacker = await sentOff("Liar");
    const callback = liar.callback(attacker.leaving.url);
    const [accountsBefore, tokenRequests] = [await accounts(), liar.tokenRequests.length];
    const victims = [visitor(), (await sentOff("Liar")).browser];
    for (const victim of victims) {
      const page = await returnFromUpstream(victim, callback);
      assert.equal(page.status, 400);
      assert.match(page.text, /CustomerSource/, "how to begin again");
      await assertNobody(victim, accountsBefore);
    }
    const mixedUp = new URL(callback.href.replace("/upstream/liar/", "/upstream/twin/"));
    const mixed = await returnFromUpstream(attacker.browser, mixedUp);
    assert.equal(mixed.status, 400);
    assert.equal(liar.tokenRequests.length + twin.tokenRequests.length, tokenRequests);
    const page = await returnFromUpstream(attacker.browser, callback);
    assert.match(page.heading, /email address registered/, "the right browser can still finish");
    assert.equal((await returnFromUpstream(attacker.browser, callback)).status, 400, "once");
    assert.equal(liar.tokenRequests.length, tokenRequests + 1);
  });

  it("U3: a foreign code pasted into one's own flow is refused", async () => {
    const arrived = async () => {
      const browser = hesitant();
      const stopped = await signIn(browser, await liaison.customerSource.start(), liaison.stranger());
      return { browser, callback: stopped.url };
    };
    const [victim, attacker] = [await arrived(), await arrived()];
    const pasted = new URL(attacker.callback);
    pasted.searchParams.set("code", victim.callback.searchParams.get("code") ?? "");
    const accountsBefore = await accounts();
    const page = await returnFromUpstream(attacker.browser, pasted);
    assert.equal(page.status, 502);
    assert.equal(page.heading, "We couldn't use the answer of Fabrikam ID");
    await assertNobody(attacker.browser, accountsBefore);
  });

  const now = () => Math.floor(Date.now() / 1000);
  const lies: Record<string, () => Lies> = {
    "a foreign nonce": () => ({ claims: { nonce: "of-another-sign-in" } }),
    "no nonce": () => ({ claims: { nonce: undefined } }),
    "another issuer": () => ({ claims: { iss: "https://other.example" } }),
    "another audience": () => ({ claims: { aud: "another-client" } }),
    "no subject": () => ({ claims: { sub: undefined } }),
    "an expired token": () => ({ claims: { exp: now() - 600, iat: now() - 1200 } }),
    "another key": () => ({ sign: "other-key" }),
    "no signature": () => ({ sign: "none" }),
    "a symmetric signature": () => ({ sign: "hs256" }),
  };
  for (const [what, lie] of Object.entries(lies)) {
    it(`U5: ${what} in the ID token: a page, and nothing is written`, async () => {
      const { browser, leaving } = await sentOff("Liar");
      const accountsBefore = await accounts();
      liar.lies = lie();
      const page = await returnFromUpstream(browser, liar.callback(leaving.url));
      liar.lies = {};
      assert.equal(page.status, 502);
      assert.equal(page.heading, "We couldn't use the answer of Liar");
      assert.match(page.link("Try again"), /\/interaction\//);
      await assertNobody(browser, accountsBefore);
    });
  }

  /** Signs in at a lying upstream as `sub`; returns the page that it leads to. */
  async function arrive(name: "Liar" | "Twin", sub: string, email = `${sub}@mail.example`) {
    const upstream = name === "Liar" ? liar : twin;
    const { browser, leaving } = await sentOff(name);
    upstream.lies = { claims: { sub, email, email_verified: true } };
    const page = await returnFromUpstream(browser, upstream.callback(leaving.url));
    upstream.lies = {};
    return { browser, page };
  }

  /** Opens a mailed link and signs in for it as the upstream says. */
  async function redeem(link: string, lie: Lies): Promise<Page> {
    const browser = visitor();
    const leaving = await browser.press(await browser.visit(link), "Continue to sign in");
    liar.lies = lie;
    const page = await returnFromUpstream(browser, liar.callback(leaving.url));
    liar.lies = {};
    return page;
  }

  it("U5, U15: a lie at redemption binds nothing, and the link still works", async () => {
    const { browser, page } = await arrive("Liar", "u5");
    await browser.press(page, "Continue", { email: "u5@northwind.example" });
    const [mail] = await mailsTo(liaison, "u5@northwind.example", 1);
    const link = linkIn(mail ?? assert.fail());
    const unacceptable = "502 We couldn't use the answer of Liar";
    const stale = "403 Liar didn't ask you to sign in again";
    for (const [lie, heading] of [
      [{ claims: { sub: "u5", nonce: "of-another-sign-in" } }, unacceptable],
      [{ claims: { sub: "u5" }, sign: "other-key" }, unacceptable],
      [{ claims: { sub: "u5", auth_time: undefined } }, stale],
      [{ claims: { sub: "u5", auth_time: now() - 3600 } }, stale],
    ] satisfies [Lies, string][]) {
      const refused = await redeem(link, lie);
      assert.equal(`${refused.status} ${refused.heading}`, heading);
      await assertUnbound(liaison, "u5");
    }
    for (const sub of ["U5", "u5 ", "u5\u0000", "u 5"]) {
      const refused = await redeem(link, { claims: { sub } });
      assert.ok([403, 502].includes(refused.status), sub);
      await assertUnbound(liaison, "u5");
    }
    assert.equal((await requestOf(liaison, link)).state, "pending");
    assert.equal((await redeem(link, { claims: { sub: "u5" } })).heading, "Your account is linked");
  });

  it("U11: the same subject at two issuers is two people", async () => {
    const first = await arrive("Liar", "u11");
    await first.browser.press(first.page, "Continue", { email: "u11@northwind.example" });
    const [mail] = await mailsTo(liaison, "u11@northwind.example", 1);
    assert.equal(
      (await redeem(linkIn(mail ?? assert.fail()), { claims: { sub: "u11" } })).heading,
      "Your account is linked",
    );

    const second = await arrive("Twin", "u11");
    assert.match(second.page.heading, /email address registered/, "whom nothing is linked to");
    const accountOf = async (issuer: string, upstreamId: UpstreamId) => {
      const identity = { issuer, upstreamId, subject: "u11", email: null, displayName: null };
      return (await liaison.store.accounts.signIn(identity, liaison.clock.now())).id;
    };
    const [one, other] = [
      await accountOf(liar.issuer, asUpstreamId("liar")),
      await accountOf(twin.issuer, asUpstreamId("twin")),
    ];
    assert.notEqual(one, other);
    const { profile } = (await liaison.store.directory.membership(asProfileId("u11"))) ?? assert.fail();
    assert.equal(profile.accountId, one);
  });

  it("U12: an upstream's verified email equal to a registered one binds nothing, mails nobody", async () => {
    await quiet(liaison);
    const mailsBefore = liaison.mailbox.mails.length;
    const { page, browser } = await arrive("Liar", "u12", "u12@northwind.example");
    assert.match(page.heading, /email address registered/);
    const again = await browser.visit(page.url);
    assert.match(again.heading, /email address registered/);
    assert.ok(!again.body.includes('value="u12@'), "nor is it suggested");
    await quiet(liaison);
    assert.equal(liaison.mailbox.mails.length, mailsBefore);
    await assertUnbound(liaison, "u12");
  });

  it("U13: forged results posted to an interaction do nothing without a completed callback", async () => {
    const victim = liaison.stranger();
    const { id: accountId } = await liaison.store.accounts.signIn(
      identityOf(liaison, victim),
      liaison.clock.now(),
    );
    const browser = visitor();
    const choice = await browser.visit((await liaison.customerSource.start()).url);
    const base = choice.url.href.replace(/\/upstreams.*/, "");
    const { fields } = choice.form(/Liar/);
    const accountsBefore = await accounts();
    const forgeries: Record<string, string>[] = [
      { "login[accountId]": accountId, "login[remember]": "true" },
      { "result[login][accountId]": accountId },
      { login: JSON.stringify({ accountId }), result: JSON.stringify({ login: { accountId } }) },
      { accountId, prompt: "login", "__proto__[accountId]": accountId },
      { "select_account[profile_id]": "u12", profile_id: "u12", email: "u12@northwind.example" },
    ];
    for (const forgery of forgeries) {
      for (const path of [
        "",
        "/sign-in",
        "/address",
        "/resend",
        "/profile",
        "/status",
        "/login",
        "/confirm",
        "?returned",
      ]) {
        const body = new URLSearchParams({ csrf: fields.get("csrf") ?? "", ...forgery });
        await browser.visit(base + path, { method: "POST", body });
        const json = { "content-type": "application/json" };
        const text = JSON.stringify({ login: { accountId }, ...forgery, csrf: fields.get("csrf") });
        await fetch(base + path, {
          method: "POST",
          body: text,
          headers: { ...json, cookie: await browser.jar.getCookieString(base) },
        });
        await browser.visit(`${base}${path}${path.includes("?") ? "&" : "?"}${body}`);
      }
    }
    const uid = base.split("/").at(-1);
    await browser.visit(`${liaison.issuer}/authorize/${uid}?${new URLSearchParams(forgeries[0])}`);
    await assertNobody(browser, accountsBefore);
    await quiet(liaison);
    await assertUnbound(liaison, "u12");
    assert.ok(!browser.cookiesSet.some((line) => line.startsWith("liaison.session=")));
  });
});
