/** Forms sent from elsewhere, and sign-ins of somebody else: S1, S2 of the threat list. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { type Attacked, askForLink, bindTo, quiet, startAttacked } from "../support/attack-fixture.ts";
import { register, signIn } from "../support/liaison.ts";
import { type Page, UserAgent } from "../support/user-agent.ts";

describe("cross-site", () => {
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked();
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "one", email: "one@northwind.example" },
      { id: "two", email: "two@northwind.example" },
      { id: "ask-1", email: "ask-1@northwind.example" },
      { id: "ask-2", email: "ask-2@northwind.example" },
      { id: "ask-3", email: "ask-3@northwind.example" },
      { id: "ask-4", email: "ask-4@northwind.example" },
    ]);
  });
  after(() => liaison?.close());

  interface Sendable {
    browser: UserAgent;
    action: URL;
    fields: URLSearchParams;
  }

  function sendable(
    browser: UserAgent,
    page: Page,
    button: string | RegExp,
    values: Record<string, string> = {},
  ): Sendable {
    const { action, fields } = page.form(button);
    for (const [name, value] of Object.entries(values)) fields.set(name, value);
    return { browser, action, fields };
  }

  async function atLinkStep(): Promise<{ browser: UserAgent; linkStep: Page }> {
    const browser = liaison.browser();
    const linkStep = await signIn(browser, await liaison.customerSource.start(), liaison.stranger());
    return { browser, linkStep };
  }

  /** Every form of ours, ready to be sent by its own browser. */
  const forms: Record<string, () => Promise<Sendable>> = {
    "sign-in": async () => {
      const browser = liaison.browser();
      return sendable(
        browser,
        await browser.visit((await liaison.customerSource.start()).url),
        /Fabrikam ID/,
      );
    },
    cancel: async () => {
      const browser = liaison.browser();
      const page = await browser.visit((await liaison.customerSource.start()).url);
      const cancelled = await browser.visit(`${page.url.href}/upstreams?notice=cancelled`);
      return sendable(browser, cancelled, "Go back to CustomerSource");
    },
    "use-another": async () => {
      const { browser, linkStep } = await atLinkStep();
      return sendable(browser, linkStep, "Use another account");
    },
    address: async () => {
      const { browser, linkStep } = await atLinkStep();
      return sendable(browser, linkStep, "Continue", { email: "ask-1@northwind.example" });
    },
    resend: async () => {
      const { browser, waiting } = await askForLink(liaison, liaison.stranger(), "ask-2@northwind.example");
      liaison.clock.advance(2);
      return sendable(browser, waiting, "Send it again");
    },
    profile: async () => {
      const person = liaison.stranger();
      await bindTo(liaison, person, "one", "two");
      const browser = liaison.browser();
      const chooser = await signIn(browser, await liaison.customerSource.start(), person);
      return sendable(browser, chooser, "Continue", { profile_id: "two" });
    },
    "link confirm": async () => {
      const { link } = await askForLink(liaison, liaison.stranger(), "ask-3@northwind.example");
      const browser = liaison.browser();
      return sendable(browser, await browser.visit(link), "Continue to sign in");
    },
    "link decline": async () => {
      const { link } = await askForLink(liaison, liaison.stranger(), "ask-4@northwind.example");
      const browser = liaison.browser();
      return sendable(browser, await browser.visit(link), /^Don.t link$/);
    },
  };

  const foreignHeaders: Record<string, string>[] = [
    { origin: "https://evil.example" },
    { origin: "http://localhost:9" },
    { origin: "http://127.0.0.1" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "cross-site", origin: "null" },
    { "content-type": "text/plain" },
    { "content-type": "application/json" },
  ];

  function withToken(fields: URLSearchParams, ...tokens: string[]): URLSearchParams {
    const changed = new URLSearchParams(fields);
    changed.delete("csrf");
    for (const token of tokens) changed.append("csrf", token);
    return changed;
  }

  for (const [name, make] of Object.entries(forms)) {
    it(`S1: ${name}: refused when it comes from elsewhere, and nothing changes`, async () => {
      const { browser, action, fields } = await make();
      const stranger = await forms["sign-in"]?.();
      const own = fields.get("csrf") ?? "";
      const foreign = stranger?.fields.get("csrf") ?? "";
      assert.ok(own !== "" && foreign !== "" && own !== foreign);
      await quiet(liaison);
      const writesBefore = liaison.watch.writes.length;
      const mailsBefore = liaison.mailbox.mails.length;

      const attempts = [
        ...foreignHeaders.map((headers) => ({ headers, body: fields })),
        ...[[], [""], [foreign], [own, own], [`${own.slice(0, -1)}_`]].map((tokens) => ({
          headers: {},
          body: withToken(fields, ...tokens),
        })),
      ];
      for (const { headers, body } of attempts) {
        const what = `${JSON.stringify(headers)} ${body}`;
        const page = await browser.once(action, { method: "POST", body, headers });
        assert.equal(page.status, 403, what);
        assert.equal(page.heading, "We stopped that request", what);
        assert.deepEqual(page.headers.getSetCookie(), [], what);
        assert.equal(page.headers.get("location"), null, what);
      }
      // Lax cookies stay at home in a cross-site post.
      const cookieless = await new UserAgent().once(action, { method: "POST", body: fields });
      assert.equal(cookieless.status, 403);
      await quiet(liaison);
      assert.deepEqual(liaison.watch.writes.slice(writesBefore), []);
      assert.equal(liaison.mailbox.mails.length, mailsBefore);

      const headers = { origin: new URL(liaison.issuer).origin, "sec-fetch-site": "same-origin" };
      const sent = await browser.once(action, { method: "POST", body: fields, headers });
      assert.equal(sent.status, 303, `sent by its own page it works: ${sent.text}`);
      assert.notEqual(liaison.watch.writes.length, writesBefore);
    });
  }

  it("S1: signing out needs the token of its page", async () => {
    const { browser } = await atLinkStep();
    await browser.visit(`${liaison.issuer}/logout`);
    for (const body of ["logout=yes", "logout=yes&xsrf=made-up", "logout=yes&xsrf="]) {
      const fields = new URLSearchParams(body);
      const page = await browser.visit(`${liaison.issuer}/logout/confirm`, { method: "POST", body: fields });
      assert.equal(page.status, 400);
    }
    const silent = await browser.visit((await liaison.customerSource.start({ prompt: "none" })).url);
    assert.equal(silent.url.searchParams.get("error"), "interaction_required", "still signed in");
  });

  it("S2: an attacker's sign-in opened by a victim explains itself and does nothing", async () => {
    const attacker = await atLinkStep();
    const attacked = new URL(attacker.linkStep.url);
    const begun = await forms["sign-in"]?.();
    const begunUrl = new URL((begun?.action.href ?? "").replace(/\/sign-in.*/, ""));
    const signedIn = await atLinkStep();
    await quiet(liaison);
    const writesBefore = liaison.watch.writes.length;

    for (const victim of [liaison.browser(), signedIn.browser]) {
      for (const base of [attacked, begunUrl]) {
        for (const path of ["", "?returned", "/upstreams", "/address", "/waiting", "/status"]) {
          const page = await victim.once(base.href + path);
          assert.equal(page.status, 400, path);
          assert.deepEqual(page.headers.getSetCookie(), [], path);
          const isKnown = victim === signedIn.browser;
          const reason = isKnown
            ? "This browser can't go on with this sign-in"
            : "Your browser didn't keep our cookie";
          assert.equal(page.heading, reason, path);
          assert.match(page.text, /CustomerSource/, "the way back to the portal");
          assert.ok(!page.text.includes("stranger-"), "nothing of the attacker");
        }
      }
    }
    assert.deepEqual(liaison.watch.writes.slice(writesBefore), []);
    const own = await signedIn.browser.once(signedIn.linkStep.url);
    assert.equal(own.status, 200, "the victim's own sign-in goes on");
  });

  it("S2: the victim's own cookie doesn't open the attacker's sign-in", async () => {
    const [attacker, victim] = [await atLinkStep(), await atLinkStep()];
    const cookie = await victim.browser.jar.getCookieString(victim.linkStep.url.href);
    const agent = new UserAgent();
    const headers = { cookie };
    const page = await agent.once(attacker.linkStep.url, { headers });
    assert.equal(page.status, 400);
    assert.equal(page.heading, "This browser can't go on with this sign-in");
    const { action, fields } = victim.linkStep.form("Continue");
    fields.set("email", "ask-1@northwind.example");
    const crossed = new URL(
      action.pathname.replace(victim.linkStep.url.pathname, attacker.linkStep.url.pathname),
      action,
    );
    const writesBefore = liaison.watch.writes.length;
    assert.equal((await agent.once(crossed, { method: "POST", body: fields, headers })).status, 400);
    assert.deepEqual(liaison.watch.writes.slice(writesBefore), []);
  });

  it("S2: resuming an attacker's authorization signs a victim in nowhere", async () => {
    const attacker = await atLinkStep();
    const uid = attacker.linkStep.url.pathname.split("/").at(-1);
    const victim = liaison.browser();
    const page = await victim.visit(`${liaison.issuer}/authorize/${uid}`);
    assert.equal(page.status, 400);
    assert.equal(page.heading, "This sign-in has expired");
    assert.ok(!victim.cookiesSet.some((line) => line.startsWith("liaison.session")));
  });
});
