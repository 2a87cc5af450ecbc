/**
 * Cookies that somebody planted, part by part: L20 of the threat list. test/browser/planted-cookies.test.ts
 * plays the same in a real browser, which has its own say in what can be planted.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import {
  type Attacked,
  askForLink,
  bindTo,
  hesitant,
  returnFromUpstream,
  startAttacked,
} from "../support/attack-fixture.ts";
import { openLink, register, signIn, signInUpstream, type TestPerson } from "../support/liaison.ts";
import type { StartedSignIn } from "../support/portal.ts";
import { type Page, UserAgent } from "../support/user-agent.ts";

const otherBrowser = "This browser can't go on with this sign-in";

describe("planted cookies", () => {
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked({ strangers: 40 });
    await register(liaison, { id: asOrganizationId("contoso"), kind: "operator" }, [
      { id: "operator-1", email: "one@contoso.example" },
      { id: "operator-2", email: "two@contoso.example" },
    ]);
    await register(
      liaison,
      { id: asOrganizationId("northwind") },
      Array.from({ length: 20 }, (_, index) => ({
        id: `l20-${index}`,
        email: `l20-${index}@northwind.example`,
      })),
    );
  });
  after(() => liaison?.close());

  let used = 0;
  /** A person with a profile that is bound to their account. */
  async function linked(): Promise<TestPerson & { accountId: string; profileId: string }> {
    const person = liaison.stranger();
    const profileId = `l20-${used++}`;
    return { ...person, profileId, accountId: await bindTo(liaison, person, profileId) };
  }

  /** Her own sign-in at the portal, whatever her browser would rather stop at. */
  async function ownSignIn(browser: UserAgent, her: TestPerson, parameters: Record<string, string> = {}) {
    const started = await liaison.customerSource.start(parameters);
    const page = await signIn(browser, started, her);
    return {
      started,
      end:
        page.url.pathname.endsWith("/callback") && page.url.port !== "9"
          ? await returnFromUpstream(browser, page.url)
          : page,
    };
  }

  const cookiesOf = async ({ jar }: UserAgent, url: string, kind: RegExp) =>
    (await jar.getCookies(url, { allPaths: true })).filter(({ key }) => kind.test(key));

  /** Puts cookies of one browser into another, as a neighbour can. */
  async function plant(from: UserAgent, to: UserAgent, kind: RegExp): Promise<void> {
    for (const cookie of await cookiesOf(from, liaison.issuer, kind)) {
      await to.jar.setCookie(cookie.clone() ?? assert.fail(), liaison.issuer);
    }
  }

  interface Begun {
    planter: UserAgent;
    started: StartedSignIn;
    /** The upstream's page that the planter came to. */
    login: Page;
    uid: string;
  }

  /** A planter's sign-in, up to the upstream's door. */
  async function begun(parameters: Record<string, string> = {}): Promise<Begun> {
    const planter = hesitant();
    const started = await liaison.customerSource.start(parameters);
    const login = await planter.press(await planter.visit(started.url), /Fabrikam ID/);
    const [interaction] = await cookiesOf(planter, liaison.issuer, /^liaison\.interaction$/);
    return { planter, started, login, uid: interaction?.value ?? assert.fail("no interaction") };
  }

  /** She signs in upstream for the planter's sign-in, with the planted cookies of a kind in her browser. */
  async function sheSignsIn({ planter, login }: Begun, her: TestPerson, kind: RegExp) {
    const browser = hesitant();
    await plant(planter, browser, kind);
    const callback = await signInUpstream(browser, await browser.visit(authorizationOf(planter)), her);
    assert.match(callback.url.pathname, /\/callback$/, login.url.href);
    return { browser, callback: callback.url };
  }

  /** The address at the upstream that a browser was sent to last. */
  function authorizationOf({ visited }: UserAgent): string {
    const found = visited.findLast(
      (address) => address.includes("redirect_uri=") && address.includes("%2Fupstream%2F"),
    );
    return found ?? assert.fail("was not sent to an upstream");
  }

  const signedInAs = async (end: Page, started: StartedSignIn) =>
    (await liaison.customerSource.exchange(end.url, started)).claims()?.sub;

  it("L20: without the cookie of its begin her callback isn't taken, whatever she has begun", async () => {
    const his = await begun();
    const her = liaison.stranger();
    const { browser, callback } = await sheSignsIn(his, her, /^liaison\.(interaction|resume)/);
    for (const hasBegun of [false, true]) {
      if (hasBegun) await browser.visit((await liaison.customerSource.start({ upstream: "fabrikam" })).url);
      const page = await returnFromUpstream(browser, callback);
      assert.equal(page.status, 400);
    }
    const accounts = await liaison.store.administration.accounts(
      { search: her.email },
      { after: null, limit: 1 },
    );
    assert.deepEqual(accounts.items, [], "the upstream wasn't asked who she is");
    const picked = await his.planter.visit(`${liaison.issuer}/interaction/${his.uid}?returned`);
    assert.equal(picked.heading, "Sign in to CustomerSource");
  });

  it("L20: what her sign-in made isn't had there, with or without its cookie in her browser", async () => {
    const her = await linked();
    const his = await begun();
    const { browser, callback } = await sheSignsIn(his, her, /^liaison\.signin/);
    const page = await returnFromUpstream(browser, callback);
    assert.equal(`${page.status} ${page.heading}`, `400 ${otherBrowser}`);
    assert.match(page.text, /Start again/);
    for (const path of [`?returned`, "", "/upstreams"]) {
      const seen = await his.planter.visit(`${liaison.issuer}/interaction/${his.uid}${path}`);
      assert.equal(seen.heading, "Sign in to CustomerSource", path);
    }
    const resumed = await his.planter.visit(`${liaison.issuer}/authorize/${his.uid}`);
    assert.notEqual(resumed.status, 0, "the planter is at the portal");

    const { started, end } = await ownSignIn(browser, her);
    assert.equal(await signedInAs(end, started), her.accountId, "her own sign-in works");
  });

  it(
    "L20: what her sign-in made isn't had at the resume: the code is for the browser that brought the " +
      "callback",
    async () => {
      const her = await linked();
      const his = await begun();
      // Without the resume's cookie her browser leaves the result where it is.
      const { browser, callback } = await sheSignsIn(his, her, /^liaison\.(signin|interaction)/);
      const page = await returnFromUpstream(browser, callback);
      assert.equal(page.status, 400);
      assert.match(page.url.pathname, /^\/authorize\//);
      const resumed = await his.planter.visit(`${liaison.issuer}/authorize/${his.uid}`);
      assert.equal(`${resumed.status} ${resumed.heading}`, `400 ${otherBrowser}`);
      assert.deepEqual(
        await cookiesOf(his.planter, liaison.issuer, /^liaison\.session$/),
        [],
        "and no session is made",
      );
      const seen = await his.planter.visit(`${liaison.issuer}/interaction/${his.uid}?returned`);
      assert.equal(`${seen.status} ${seen.heading}`, `400 ${otherBrowser}`);
    },
  );

  it("L20: with all of them planted she is signed in in her own browser, the planter nowhere", async () => {
    const her = await linked();
    const his = await begun();
    const { browser, callback } = await sheSignsIn(his, her, /^liaison\./);
    const end = await returnFromUpstream(browser, callback);
    assert.equal(
      end.status,
      0,
      "the answer to his portal's request comes to her browser, where his portal knows nobody",
    );
    for (const path of [`/interaction/${his.uid}?returned`, `/authorize/${his.uid}`]) {
      assert.equal((await his.planter.visit(liaison.issuer + path)).status, 400, path);
    }
  });

  it("L20: a session of the planter's, planted, isn't what her own sign-in is made in", async () => {
    const [his, her] = [await linked(), await linked()];
    const planter = liaison.browser();
    await signIn(planter, await liaison.customerSource.start(), his);
    const browser = liaison.browser();
    await plant(planter, browser, /^liaison\.session/);
    const started = await liaison.customerSource.start({ prompt: "login" });
    const page = await signIn(browser, started, her);
    // Her account isn't the session's, which is ended first.
    const end = page.status === 0 ? page : await browser.press(page, /Continue|Go on/);
    assert.equal(await signedInAs(end, started), her.accountId);
    const stillHis = await planter.visit((await liaison.customerSource.start({ prompt: "none" })).url);
    assert.equal(stillHis.url.searchParams.get("error"), "login_required", "it is nobody's any more");
  });

  it(
    "L20: who comes back for somebody else's sign-in is nobody here afterwards, whatever was planted " +
      "besides",
    async () => {
      const [him, her] = [await linked(), await linked()];
      const own = hesitant();
      await ownSignIn(own, him);
      const started = await liaison.customerSource.start({ prompt: "login" });
      const login = await own.visit(started.url);
      const his = { planter: own, started, login, uid: "" };
      const { browser, callback } = await sheSignsIn(his, her, /^liaison\.(signin|session)/);
      const lost = await returnFromUpstream(browser, callback);
      assert.equal(`${lost.status} ${lost.heading}`, `400 ${otherBrowser}`);
      const silent = await browser.visit((await liaison.customerSource.start({ prompt: "none" })).url);
      assert.equal(silent.url.searchParams.get("error"), "login_required", "his session isn't hers");
      const again = await ownSignIn(browser, her);
      assert.equal(await signedInAs(again.end, again.started), her.accountId);
      const stays = await own.visit((await liaison.customerSource.start({ prompt: "none" })).url);
      assert.notEqual(stays.url.searchParams.get("code"), null, "and still his");
    },
  );

  it("L20: a step that stands on the planter's session is shown to nobody else", async () => {
    const person = await linked();
    await bindTo(liaison, person, `l20-${used++}`);
    const planter = liaison.browser();
    await signIn(planter, await liaison.customerSource.start(), person);
    const chooser = await planter.visit(
      (await liaison.customerSource.start({ prompt: "select_account" })).url,
    );
    assert.match(chooser.heading, /profile/i, chooser.text);
    const browser = liaison.browser();
    await plant(planter, browser, /^liaison\.(interaction|resume)/);
    const seen = await browser.visit(chooser.url);
    assert.equal(`${seen.status} ${seen.heading}`, `400 ${otherBrowser}`);
    assert.equal((await planter.visit(chooser.url)).heading, chooser.heading, "and to the planter still");
  });

  it("L20: an inquiry of the planter's, planted, is shown in no interaction but his", async () => {
    const { browser: planter } = await askForLink(liaison, liaison.stranger(), "l20-19@northwind.example");
    const [inquiry] = await cookiesOf(planter, liaison.issuer, /^liaison\.inquiry$/);
    const browser = liaison.browser();
    const linkStep = await signIn(browser, await liaison.customerSource.start(), liaison.stranger());
    const planted = inquiry?.clone() ?? assert.fail("no inquiry");
    planted.path = "/interaction";
    await browser.jar.setCookie(planted, liaison.issuer);
    const page = await browser.visit(linkStep.url);
    assert.equal(page.heading, linkStep.heading, "she isn't told to check an email that she never asked for");
  });

  it("L20: a code for the administration is redeemed in the session of its issue alone", async () => {
    const [his, her] = [liaison.stranger(), liaison.stranger()];
    await bindTo(liaison, his, "operator-1");
    await bindTo(liaison, her, "operator-2");
    const stopAt = ({ pathname }: URL) => pathname === "/admin/callback";
    const planter = new UserAgent({ stopAt });
    const login = await planter.press(await planter.visit(`${liaison.issuer}/admin`), /Fabrikam ID/);
    const stopped = await signInUpstream(planter, login, his);
    assert.equal(stopped.url.pathname, "/admin/callback");
    const browser = new UserAgent({ stopAt });
    const hers = await browser.press(await browser.visit(`${liaison.issuer}/admin`), /Fabrikam ID/);
    await signInUpstream(browser, hers, her);
    for (const cookie of await cookiesOf(planter, liaison.issuer, /^liaison\.console\.begin/)) {
      await browser.jar.setCookie(cookie.clone() ?? assert.fail(), liaison.issuer);
    }
    assert.equal((await browser.once(stopped.url)).status, 400);
    assert.deepEqual(
      await cookiesOf(browser, liaison.issuer, /^liaison\.console$/),
      [],
      "nobody is signed in by it",
    );
    assert.equal((await planter.once(stopped.url)).status, 303, "the code is the planter's still");
  });

  for (const path of ["/authorize", "/"]) {
    it(
      `L20: a session's cookie beside hers, for ${path}: neither is believed, and the next request has ` +
        "one again",
      async () => {
        const [his, her] = [await linked(), await linked()];
        const planter = liaison.browser();
        await signIn(planter, await liaison.customerSource.start(), his);
        const browser = liaison.browser();
        const parameters = path === "/" ? { prompt: "login" } : {};
        const first = await liaison.customerSource.start();
        await signIn(browser, first, her);
        for (const cookie of await cookiesOf(planter, liaison.issuer, /^liaison\.session/)) {
          const planted = cookie.clone() ?? assert.fail();
          planted.path = path;
          await browser.jar.setCookie(planted, liaison.issuer);
        }
        let end: Page | undefined;
        for (let turn = 0; turn < 2 && end?.status !== 0; turn += 1) {
          const started = await liaison.customerSource.start(parameters);
          const page = await signIn(browser, started, her);
          end = page.status === 0 ? page : await browser.press(page, /Continue|Go on/);
          if (end.status === 0) assert.equal(await signedInAs(end, started), her.accountId);
        }
        assert.equal(end?.status, 0, "her own sign-in works");
      },
    );
  }

  it("who goes back to a sign-in of their own that is over loses nothing", async () => {
    const browser = liaison.browser();
    const linkStep = await signIn(browser, await liaison.customerSource.start(), liaison.stranger());
    const before = browser.visited.filter((address) => address.endsWith("?returned"));
    const over = await browser.visit(before.at(-1) ?? assert.fail());
    assert.equal(over.heading, "This sign-in is over");
    assert.deepEqual(over.headers.getSetCookie(), []);
    const own = await browser.visit(linkStep.url);
    assert.equal(own.heading, linkStep.heading);
  });

  it("tabs that begin at once all come back to where they were, and begin by one cookie then", async () => {
    const her = await linked();
    const browser = hesitant();
    const starts = await Promise.all(
      [1, 2, 3].map(() => liaison.customerSource.start({ upstream: "fabrikam" })),
    );
    const led = async (addresses: (string | URL)[]) => {
      const pages = await Promise.all(addresses.map((address) => browser.once(address)));
      return pages.map(({ headers, text }) => headers.get("location") ?? assert.fail(text));
    };
    const sentTo = await led(await led(starts.map(({ url }) => url)));
    for (const [index, started] of starts.entries()) {
      const page = await browser.visit(sentTo[index] ?? assert.fail());
      const stopped = page.body.includes('name="password"') ? await signInUpstream(browser, page, her) : page;
      const end = await returnFromUpstream(browser, stopped.url);
      assert.equal(end.status, 0, `tab ${index}: ${end.text}`);
      assert.equal(await signedInAs(end, started), her.accountId);
    }
    const begins = async () => (await cookiesOf(browser, liaison.issuer, /^liaison\.signin/)).length;
    const before = await begins();
    assert.ok(before <= 3);
    for (let turn = 0; turn < 3; turn += 1) {
      await browser.visit((await liaison.customerSource.start({ prompt: "login" })).url);
    }
    assert.equal(await begins(), before);
  });

  it("several callbacks of one person at once: each ends on what is so", async () => {
    const her = await linked();
    const browser = hesitant();
    const started = await liaison.customerSource.start();
    const login = await browser.press(await browser.visit(started.url), /Fabrikam ID/);
    const { url: callback } = await signInUpstream(browser, login, her);
    const answers = await Promise.all(Array.from({ length: 6 }, () => browser.once(callback)));
    for (const { status, headers } of answers) {
      assert.equal(status, 303);
      assert.match(headers.get("location") ?? "", /\/interaction\/[\w-]+\?returned(&again=1)?$/);
    }
    const location = new URL(answers[0]?.headers.get("location") ?? "");
    const ends = await Promise.all(Array.from({ length: 3 }, () => browser.visit(location)));
    assert.ok(
      ends.some(({ status }) => status === 0),
      "she is at the portal",
    );
    for (const end of ends.filter(({ status }) => status !== 0))
      assert.equal(end.heading, "This sign-in is over");
    const late = await browser.once(callback);
    const page = await browser.visit(late.headers.get("location") ?? assert.fail(late.text));
    assert.equal(page.heading, "This sign-in is over", "and later, too");
  });

  it("several callbacks of one link at once: each ends on the page that says it is linked", async () => {
    const person = liaison.stranger();
    const { link } = await askForLink(liaison, person, "l20-18@northwind.example");
    const browser = hesitant();
    const login = await browser.press(await browser.visit(link), "Continue to sign in");
    const { url: callback } = await signInUpstream(browser, login, person);
    const ends = await Promise.all(Array.from({ length: 5 }, () => returnFromUpstream(browser, callback)));
    for (const end of ends) assert.equal(end.heading, "Your account is linked");
    assert.equal(
      (await returnFromUpstream(browser, callback)).heading,
      "Your account is linked",
      "and later, too",
    );
    const again = await openLink(liaison.browser(), link, person).catch(() => undefined);
    assert.equal(again, undefined, "in another browser the link is spent");
    const { profile } = (await liaison.store.directory.membership(asProfileId("l20-18"))) ?? assert.fail();
    assert.notEqual(profile.accountId, null);
  });
});
