/**
 * Cookies planted beside a person's own, in numbers, or at the very moment when something is under way: L20
 * of the threat list, where nothing of hers may be had and her own sign-in has to work in the end.
 * planted-cookies.test.ts has the plain ways.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { pino } from "pino";
import { Cookie } from "tough-cookie";
import { createApp } from "../../src/app.ts";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import {
  type Attacked,
  askForLink,
  bindTo,
  hesitant,
  returnFromUpstream,
  startAttacked,
} from "../support/attack-fixture.ts";
import { register, signIn, signInUpstream, type TestPerson } from "../support/liaison.ts";
import type { StartedSignIn } from "../support/portal.ts";
import { StoreControl } from "../support/store-control.ts";
import { type Page, UserAgent } from "../support/user-agent.ts";

describe("cookies planted beside", { concurrency: 1 }, () => {
  const control = new StoreControl();
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked({ strangers: 40, decorate: control.decorate });
    const profiles = Array.from({ length: 30 }, (_, index) => ({
      id: `beside-${index}`,
      email: `beside-${index}@northwind.example`,
    }));
    await register(liaison, { id: asOrganizationId("northwind") }, profiles);
    await register(liaison, { id: asOrganizationId("contoso"), kind: "operator" }, [
      { id: "operator-1", email: "one@contoso.example" },
      { id: "operator-2", email: "two@contoso.example" },
      { id: "operator-3", email: "three@contoso.example" },
    ]);
  });
  after(() => liaison?.close());

  let used = 0;
  let administrators = 0;
  type Linked = TestPerson & { accountId: string; profiles: string[] };
  async function linked(count = 1): Promise<Linked> {
    const person = liaison.stranger();
    const profiles = Array.from({ length: count }, () => `beside-${used++}`);
    return { ...person, profiles, accountId: await bindTo(liaison, person, ...profiles) };
  }

  const cookiesOf = async ({ jar }: UserAgent, kind: RegExp) =>
    (await jar.getCookies(liaison.issuer, { allPaths: true })).filter(({ key }) => kind.test(key));

  const set = (browser: UserAgent, key: string, value: string, path: string) =>
    browser.jar.setCookie(new Cookie({ key, value, path }), liaison.issuer);

  async function plant(from: UserAgent, to: UserAgent, kind: RegExp, path?: string): Promise<void> {
    for (const cookie of await cookiesOf(from, kind)) {
      await set(to, cookie.key, cookie.value, path ?? cookie.path ?? "/");
    }
  }

  const subjectOf = async (end: Page, started: StartedSignIn) =>
    (await liaison.customerSource.exchange(end.url, started)).claims()?.sub;

  /**
   * Tries of her own, until one leads to the portal; whatever she was shown meanwhile says how to begin
   * again.
   */
  async function assertComesThrough(browser: UserAgent, her: Linked, tries = 3): Promise<void> {
    const seen: string[] = [];
    for (let turn = 0; turn < tries; turn += 1) {
      const started = await liaison.customerSource.start();
      let page = await signIn(browser, started, her);
      if (/Switching/.test(page.heading)) page = await browser.press(page, /Continue|Go on/);
      if (/Which profile/.test(page.heading)) {
        page = await browser.press(page, "Continue", { profile_id: her.profiles[0] ?? "" });
      }
      if (page.status === 0) return assert.equal(await subjectOf(page, started), her.accountId);
      seen.push(`${page.status} ${page.heading}`);
    }
    assert.fail(seen.join(" | "));
  }

  it("L20: what a failed callback kept is gone on with by nobody who only knows its state", async () => {
    const her = await linked();
    const planter = hesitant();
    const started = await liaison.customerSource.start();
    await planter.press(await planter.visit(started.url), /Fabrikam ID/);
    const sentTo = planter.visited.findLast((address) => address.includes("redirect_uri=")) ?? assert.fail();
    const browser = hesitant();
    await plant(planter, browser, /^liaison\.signin/);
    const callback = await signInUpstream(browser, await browser.visit(sentTo), her);
    control.down.add("accounts.signIn");
    assert.equal((await browser.once(callback.url)).status, 503);
    control.down.clear();
    // She is led to the callback without its code, and he asks for the same at the same time.
    const state = new URL(sentTo).searchParams.get("state");
    const bare = `${liaison.issuer}/upstream/fabrikam/callback?state=${state}`;
    const { reached, release } = control.pauseNext("signIns.leaveOutcome");
    const hers = browser.once(bare);
    await Promise.race([reached, hers]);
    const his = planter.once(bare);
    await Promise.race([his, pause(200)]);
    release();
    await Promise.all([hers, his]);
    assert.deepEqual(await cookiesOf(planter, /^liaison\.proof/), []);
  });

  for (const [name, path] of [
    ["liaison.session", "/authorize/"],
    ["liaison.session", "/interaction/"],
    ["liaison.csrf", "/interaction/"],
  ] as const) {
    it(`L20: ${name} of the planter's for ${path}: her own sign-in works in the end`, async () => {
      const [his, her] = [await linked(), await linked(2)];
      const [planter, browser] = [liaison.browser(), liaison.browser()];
      await planter.visit((await liaison.customerSource.start()).url);
      await signIn(planter, await liaison.customerSource.start(), his);
      await browser.visit((await liaison.customerSource.start()).url);
      await plant(planter, browser, new RegExp(`^${name}`), path);
      await assertComesThrough(browser, her, 4);
    });
  }

  for (const path of ["/authorize", "/authorize/"]) {
    it(`L20: a signature alone for ${path}: her own sign-in works in the end, and lasts`, async () => {
      const her = await linked(2);
      const browser = liaison.browser();
      await set(browser, "liaison.session.sig", "planted", path);
      await assertComesThrough(browser, her, 4);
      const silent = await browser.visit((await liaison.customerSource.start({ prompt: "none" })).url);
      assert.equal(silent.url.searchParams.get("error"), null);
    });
  }

  for (const [name, path] of [
    ["liaison.console", "/admin/"],
    ["liaison.console.begin", "/admin/"],
    ["liaison.console", "/admin/callback"],
  ] as const) {
    it(`L20: ${name} for ${path}: she comes into the administration in the end`, async () => {
      const her = liaison.stranger();
      const profileId = asProfileId(`operator-${++administrators}`);
      await bindTo(liaison, her, profileId);
      const change = { kind: "set_admin_role", profileId, adminRole: "owner" } as const;
      await liaison.store.administration.apply(change, { actor: "test", now: liaison.clock.now() });
      const browser = new UserAgent();
      await set(browser, name, "planted", path);
      const seen: string[] = [];
      for (let turn = 0; turn < 4; turn += 1) {
        let page = await browser.visit(`${liaison.issuer}/admin`);
        if (/Sign in to/.test(page.heading)) page = await browser.press(page, /Fabrikam ID/);
        if (page.body.includes('name="password"')) page = await signInUpstream(browser, page, her);
        const further = await browser.visit(`${liaison.issuer}/admin/organizations`);
        if (further.url.pathname === "/admin/organizations") return;
        seen.push(`${page.status} ${page.heading}, ${further.status} ${further.heading}`);
      }
      assert.fail(seen.join(" | "));
    });
  }

  for (const [name, path] of [
    ["liaison.signin", "/upstream"],
    ["liaison.signin", "/"],
    ["liaison.proof", "/"],
  ] as const) {
    it(`L20: forty of ${name} for ${path} lock nobody out, and lead nobody in circles`, async () => {
      const her = await linked();
      const browser = liaison.browser();
      for (let index = 0; index < 40; index += 1)
        await set(browser, `${name}.p${index}`, "x".repeat(43), path);
      await assertComesThrough(browser, her);
    });
  }

  it("L20: an address on a stranger's page signs nobody out of the link step", async () => {
    const browser = liaison.browser();
    const step = await signIn(browser, await liaison.customerSource.start(), liaison.stranger());
    await browser.visit(`${liaison.issuer}/interaction/anything?returned`);
    const page = await browser.press(await browser.visit(step.url), "Continue", {
      email: "nobody@northwind.example",
    });
    assert.equal(page.heading, "Check your email");
  });

  it("a later step stays its own browser's when the proof is gone: it has the session", async () => {
    const her = await linked(2);
    const browser = liaison.browser();
    const chooser = await signIn(browser, await liaison.customerSource.start(), her);
    for (const { key, path } of await cookiesOf(browser, /^liaison\.proof/)) {
      await browser.jar.store.removeCookie("localhost", path ?? "/", key);
    }
    const page = await browser.visit(chooser.url);
    assert.equal(`${page.status} ${page.heading}`, `200 ${chooser.heading}`);
    const end = await browser.press(page, "Continue", { profile_id: her.profiles[1] ?? "" });
    assert.equal(end.status, 0, end.text);
  });

  it("L20: a session that was nobody's, planted, isn't continued as hers", async () => {
    const [his, her] = [await linked(), await linked()];
    const planter = hesitant();
    await planter.once(`${liaison.issuer}/logout`);
    const browser = hesitant();
    await plant(planter, browser, /^liaison\.session/);
    const upToResume = async (agent: UserAgent, person: TestPerson) => {
      const started = await liaison.customerSource.start();
      const login = await agent.press(await agent.visit(started.url), /Fabrikam ID/);
      const { url } = await signInUpstream(agent, login, person);
      const back = await agent.once(url);
      const interaction = await agent.once(back.headers.get("location") ?? assert.fail());
      return { started, resume: interaction.headers.get("location") ?? assert.fail() };
    };
    const [one, two] = [await upToResume(planter, his), await upToResume(browser, her)];
    const { reached, release } = control.pauseNext("artifacts.upsertSession");
    const first = planter.once(one.resume);
    await reached;
    const hers = await browser.visit(two.resume);
    release();
    await first;
    assert.equal(await subjectOf(hers, two.started), her.accountId);
    await planter.press(await planter.visit(`${liaison.issuer}/logout`), /Sign out/);
    const silent = await browser.visit((await liaison.customerSource.start({ prompt: "none" })).url);
    assert.equal(silent.url.searchParams.get("error"), null, "his signing out ends nothing of hers");
  });

  it("of two callbacks of a link that two brokers get, each ends on the truth", async () => {
    const another = await createApp({
      config: { ...liaison.config, listen: { ...liaison.config.listen, port: 0 } },
      store: liaison.store,
      clock: liaison.clock,
      logger: pino({ level: "silent" }),
    });
    const { port } = await another.listen();
    try {
      const person = liaison.stranger();
      const { link } = await askForLink(liaison, person, "beside-29@northwind.example");
      let goesToAnother = false;
      const browser = new UserAgent({
        stopAt: ({ pathname }) => /^\/upstream\/.*callback$/.test(pathname),
        proxy: (url) =>
          goesToAnother && url.origin === liaison.issuer
            ? Object.assign(new URL(url), { port: String(port) })
            : url,
      });
      const login = await browser.press(await browser.visit(link), "Continue to sign in");
      const { url: callback } = await signInUpstream(browser, login, person);
      const { reached, release } = control.pauseNext("links.redeem");
      const cookie = await browser.jar.getCookieString(callback.href);
      // Its answer never comes to the browser, which has sent the same again.
      const lost = fetch(callback, { redirect: "manual", headers: { cookie } });
      await reached;
      goesToAnother = true;
      const early = returnFromUpstream(browser, callback);
      await pause(300);
      release();
      await lost;
      assert.equal((await early).heading, "Your account is linked");
      assert.equal(
        (await returnFromUpstream(browser, callback)).heading,
        "Your account is linked",
        "and later, too",
      );
    } finally {
      await another.close();
    }
  });
});
