/**
 * What a browser is asked after somebody signed out in it, whichever way: the next person there sees the
 * accounts to choose, and the upstream, which may still know the last one, is told to show whose account it
 * is.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { decodeJwt } from "jose";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import {
  type AdminFixture,
  type SignedIn,
  signInSomebody,
  startAdminFixture,
} from "../support/admin-fixture.ts";
import { type Listener, startListener } from "../support/admin-listener.ts";
import { askForLink, bindTo } from "../support/attack-fixture.ts";
import { openLink, register, signIn, signInUpstream, type TestPerson } from "../support/liaison.ts";
import type { StartedSignIn } from "../support/portal.ts";
import { type Page, UserAgent } from "../support/user-agent.ts";

const back = "http://localhost:9/customersource/signed-out";
const mark = "liaison.signed-out";

describe("after a sign-out", { concurrency: 1 }, () => {
  let fixture: AdminFixture;
  let listener: Listener;
  before(async () => {
    listener = await startListener();
    fixture = await startAdminFixture({
      strangers: 30,
      config: (base) => {
        const [customerSource, partnerSource] = base["portals"] as object[];
        const open = { ...partnerSource, access_policy: { kinds: ["customer", "operator"] } };
        const told = { ...open, id: "told", name: "Told", backchannel_logout_uri: `${listener.origin}/told` };
        return { ...base, portals: [customerSource, open, told] };
      },
    });
  });
  after(async () => {
    await fixture?.close();
    await listener?.close();
  });

  const somebody = () => signInSomebody(fixture);

  async function cookieOf(browser: UserAgent, name: string): Promise<string | undefined> {
    return (await browser.jar.getCookies(`${fixture.issuer}/`)).find(({ key }) => key === name)?.value;
  }

  /** A request of the portal that is told of sign-outs. */
  async function atTold(): Promise<StartedSignIn> {
    const started = await fixture.partnerSource.start();
    started.url.searchParams.set("client_id", "told");
    return started;
  }

  /** As a browser that lost its session: what the upstream knows, it goes on knowing. */
  async function forgetSession(browser: UserAgent): Promise<void> {
    for (const name of ["liaison.session", "liaison.session.sig"]) {
      await browser.jar.setCookie(`${name}=; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT`, fixture.issuer);
    }
  }

  async function signOut({ browser, tokens }: Pick<SignedIn, "browser" | "tokens">): Promise<Page> {
    const fields = { id_token_hint: tokens.id_token ?? "", post_logout_redirect_uri: back };
    const page = await browser.visit(`${fixture.issuer}/logout?${new URLSearchParams(fields)}`);
    const done = await browser.press(page, "Sign out");
    assert.equal(done.url.href, back);
    return page;
  }

  /** The page that a portal's request leads to, with the accounts to choose. */
  async function asked(browser: UserAgent, parameters: Record<string, string> = {}): Promise<Page> {
    const page = await browser.visit((await fixture.customerSource.start(parameters)).url);
    assert.equal(page.heading, "Sign in to CustomerSource", `${page.url} ${page.text}`);
    return page;
  }

  /** What the upstream is sent, and the page that it then shows. */
  async function choose(browser: UserAgent, page: Page): Promise<{ request: URL; page: Page }> {
    const before = browser.visited.length;
    const shown = await browser.press(page, /Fabrikam ID/);
    const sent = browser.visited.slice(before).find((address) => address.startsWith(fixture.upstreamIssuer));
    return {
      request: new URL(sent ?? assert.fail(`nothing was sent to the upstream: ${shown.text}`)),
      page: shown,
    };
  }

  async function assertAsks(browser: UserAgent, page: Page): Promise<Page> {
    const { request, page: shown } = await choose(browser, page);
    assert.equal(request.searchParams.get("prompt"), "login");
    assert.equal(request.searchParams.has("login_hint"), false);
    assert.match(shown.body, /name="password"/, "signed in without a word");
    return shown;
  }

  /** Straight through at the upstream, which still knows the person. */
  async function assertPasses(browser: UserAgent): Promise<void> {
    const end = await browser.visit((await fixture.customerSource.start()).url);
    assert.ok(end.url.searchParams.has("code"), `${end.url} ${end.text}`);
  }

  it("the accounts are shown, and the upstream asks; once signed in it is as before", async () => {
    const one = await somebody();
    const { browser, person } = one;
    await forgetSession(browser);
    await assertPasses(browser);
    await signOut(one);
    const page = await asked(browser);
    assert.match(page.text, /This browser was signed out/);
    const end = await signInUpstream(browser, await assertAsks(browser, page), person);
    assert.ok(end.url.searchParams.has("code"), end.text);
    assert.equal(await cookieOf(browser, mark), undefined);
    await forgetSession(browser);
    await assertPasses(browser);
  });

  it("the next person signs in as themselves", async () => {
    const [one, next] = [await somebody(), await somebody()];
    await signOut(one);
    const started = await fixture.customerSource.start();
    const end = await signIn(one.browser, started, next.person);
    assert.equal((await fixture.customerSource.exchange(end.url, started)).claims()?.sub, next.accountId);
  });

  it("whatever the portal hints", async () => {
    const one = await somebody();
    await signOut(one);
    const hints = { upstream: "fabrikam", login_hint: one.person.email, ui_locales: "de", acr_values: "1" };
    await assertAsks(one.browser, await asked(one.browser, hints));
    await assertAsks(one.browser, await asked(one.browser, { prompt: "select_account" }));
    for (const parameters of [{ prompt: "login" }, { max_age: "0" }]) {
      await assertAsks(one.browser, await asked(one.browser, parameters));
    }
  });

  it("prompt=none gives login_required, again and again", async () => {
    const one = await somebody();
    await signOut(one);
    for (let turn = 0; turn < 2; turn += 1) {
      const silent = await one.browser.visit((await fixture.customerSource.start({ prompt: "none" })).url);
      assert.equal(silent.url.searchParams.get("error"), "login_required");
    }
    await asked(one.browser);
  });

  it("by POST from another site it is the same", async () => {
    const one = await somebody();
    const fields = { id_token_hint: one.tokens.id_token ?? "", post_logout_redirect_uri: back };
    const posted = await new UserAgent().once(`${fixture.issuer}/logout`, {
      method: "POST",
      body: new URLSearchParams(fields),
    });
    const page = await one.browser.visit(new URL(posted.headers.get("location") ?? "", posted.url));
    assert.equal((await one.browser.press(page, "Sign out")).url.href, back);
    await assertAsks(one.browser, await asked(one.browser));
  });

  it("so it is where nothing was left to sign out of", async () => {
    const one = await somebody();
    await forgetSession(one.browser);
    const page = await one.browser.visit(`${fixture.issuer}/logout?client_id=customersource`);
    assert.equal(page.heading, "You are already signed out here");
    assert.match(page.text, /At Fabrikam ID, where your account is/);
    await one.browser.press(page, "Continue");
    await assertAsks(one.browser, await asked(one.browser));
  });

  it("who only looked at the page of the sign-out stays signed in, and is asked nothing", async () => {
    const one = await somebody();
    await one.browser.visit(`${fixture.issuer}/logout`);
    assert.equal(await cookieOf(one.browser, mark), undefined);
    await assertPasses(one.browser);
  });

  it("other browsers of the same person are asked nothing", async () => {
    const one = await somebody();
    const other = fixture.browser();
    await signIn(other, await fixture.customerSource.start(), one.person);
    await signOut(one);
    await forgetSession(other);
    await assertPasses(other);
  });

  it("who goes on with another account doesn't sign out: the next sign-in passes", async () => {
    const [one, next] = [await somebody(), await somebody()];
    const { browser } = one;
    const login = await browser.visit((await fixture.customerSource.start({ prompt: "login" })).url);
    const switching = await signInUpstream(browser, login, next.person);
    assert.equal(switching.heading, "Switching accounts");
    assert.doesNotMatch(switching.text, /may still be signed in/);
    const end = await browser.press(switching, "Continue");
    assert.ok(end.url.searchParams.has("code"), end.text);
    assert.ok(!browser.cookiesSet.some((line) => line.startsWith(mark)));
    await forgetSession(browser);
    await assertPasses(browser);
  });

  it("the page of accounts that was open in another tab asks, too", async () => {
    const one = await somebody();
    const { browser } = one;
    await forgetSession(browser);
    await browser.jar.setCookie(
      "liaison.upstream=; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT",
      fixture.issuer,
    );
    const open = await asked(browser);
    await browser.press(await browser.visit(`${fixture.issuer}/logout`), "Continue");
    await assertAsks(browser, open);
  });

  it("a sign-in that another tab has finished, and not gone on with, can't be gone on with", async () => {
    const one = await somebody();
    const { browser } = one;
    await forgetSession(browser);
    let address = (await fixture.customerSource.start()).url.href;
    const steps: string[] = [];
    while (!/\/authorize\/[\w-]+$/.test(address)) {
      const answer = await browser.once(address);
      address = new URL(answer.headers.get("location") ?? assert.fail(answer.text), address).href;
      steps.push(address);
    }
    assert.ok(steps.some((step) => step.endsWith("?returned")));
    await browser.press(await browser.visit(`${fixture.issuer}/logout`), "Continue");
    const resumed = await browser.visit(address);
    assert.equal(resumed.status, 400, `${resumed.url} ${resumed.text}`);
    await assertAsks(browser, await asked(browser));
  });

  it("what waits in another tab for a mail is the last person's, and closes", async () => {
    const person = fixture.stranger();
    await register(fixture, { id: asOrganizationId("waits") }, [
      { id: "waits", email: "waits@northwind.example" },
    ]);
    const { browser, waiting, link } = await askForLink(fixture, person, "waits@northwind.example");
    await browser.press(await browser.visit(`${fixture.issuer}/logout`), "Sign out");
    const lost = await browser.follow(waiting, /opened the link/);
    assert.equal(lost.status, 400, lost.text);
    assert.ok(!lost.text.includes(person.email));
    const mails = fixture.mailbox.mails.length;
    const again = await browser.press(waiting, /Send it again/);
    assert.equal(again.status, 400, again.text);
    assert.equal(fixture.mailbox.mails.length, mails);
    // The mail itself asks for its own account anyway.
    const linked = await openLink(browser, link, person);
    assert.equal(linked.heading, "Your account is linked");
    await assertAsks(browser, await asked(browser));
  });

  it("a made-up mark asks once more and opens nothing; a deleted one spares its browser that", async () => {
    const one = await somebody();
    const { browser } = one;
    await browser.jar.setCookie(`${mark}=%00{"account":"x"}; path=/`, fixture.issuer);
    await assertPasses(browser);
    await browser.jar.setCookie(`${mark}=0; path=/`, fixture.issuer);
    await forgetSession(browser);
    const end = await signInUpstream(browser, await assertAsks(browser, await asked(browser)), one.person);
    assert.ok(end.url.searchParams.has("code"));
    await signOut(one);
    await browser.jar.setCookie(`${mark}=; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT`, fixture.issuer);
    await assertPasses(browser);
  });

  it("the page says who may still know them: the upstream, and the portals that nobody tells", async () => {
    const one = await somebody();
    for (const { url } of [await fixture.partnerSource.start(), await atTold()]) {
      assert.ok((await one.browser.visit(url)).url.searchParams.has("code"));
    }
    const page = await signOut(one);
    const places = page.dom.querySelectorAll('[aria-labelledby="stays-known"] li').map(({ text }) => text);
    assert.deepEqual(places, [
      "At Fabrikam ID, where your account is",
      "At PartnerSource, until you sign out there",
    ]);
  });

  describe("in the administration's pages", () => {
    async function administrator(): Promise<TestPerson> {
      const person = fixture.stranger();
      const id = asProfileId(`admin-${person.username}`);
      await register(fixture, { id: asOrganizationId("operator"), kind: "operator" }, [
        { id, email: `${id}@contoso.example` },
      ]);
      await bindTo(fixture, person, id);
      const change = { kind: "set_admin_role", profileId: id, adminRole: "owner" } as const;
      await fixture.store.administration.apply(change, { actor: "test", now: fixture.clock.now() });
      return person;
    }

    it("it is the same, and the session at the service ends with its portals", async () => {
      const person = await administrator();
      const browser = new UserAgent({ stopAt: (url) => url.port === "9" });
      const started = await fixture.partnerSource.start();
      const portal = await signIn(browser, started, person);
      const tokens = await fixture.partnerSource.exchange(portal.url, started);
      const overview = await browser.visit(`${fixture.issuer}/admin`);
      assert.equal(overview.heading, "Overview", overview.text);
      const out = await browser.press(overview, "Sign out");
      assert.equal(out.heading, "You are signed out of the administration");
      assert.match(out.text, /At Fabrikam ID, where your account is/);

      await assert.rejects(fixture.partnerSource.userinfo(tokens.access_token, tokens.claims()?.sub ?? ""));
      const silent = await browser.visit((await fixture.partnerSource.start({ prompt: "none" })).url);
      assert.equal(silent.url.searchParams.get("error"), "login_required");
      const again = await browser.visit(`${fixture.issuer}/admin`);
      assert.equal(again.heading, "Sign in to Administration");
      const inside = await signInUpstream(browser, await assertAsks(browser, again), person);
      assert.equal(inside.heading, "Overview", inside.text);
    });

    it("a portal of the session is told", async () => {
      const person = await administrator();
      const browser = new UserAgent({ stopAt: (url) => url.port === "9" });
      const end = await signIn(browser, await atTold(), person);
      assert.ok(end.url.searchParams.has("code"), end.text);
      const before = listener.heard.length;
      await browser.press(await browser.visit(`${fixture.issuer}/admin`), "Sign out");
      await listener.until(before + 1);
      const token = decodeJwt(listener.heard[before]?.token ?? "");
      assert.equal(token.aud, "told");
      assert.ok(token["sid"]);
    });
  });
});
