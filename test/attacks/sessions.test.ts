/** Sessions and the frames around pages: S3, S5 of the threat list. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asOrganizationId } from "../../src/domain/ids.ts";
import {
  type Attacked,
  askForLink,
  bindTo,
  mailsTo,
  returnFromUpstream,
  startAttacked,
} from "../support/attack-fixture.ts";
import { openLink, register, signIn } from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";
import { type Page, UserAgent, type Visit } from "../support/user-agent.ts";

describe("sessions and pages", () => {
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked();
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "s3", email: "s3@northwind.example" },
      { id: "s5", email: "s5@northwind.example" },
      { id: "s5-cancel", email: "s5-cancel@northwind.example" },
      { id: "one", email: "one@northwind.example" },
      { id: "two", email: "two@northwind.example" },
    ]);
    await register(liaison, { id: asOrganizationId("litware"), kind: "partner" }, [
      { id: "partner", email: "partner@litware.example" },
    ]);
  });
  after(() => liaison?.close());

  /** The session's cookie and its signature, as a request would carry them; empty when there is none. */
  async function sessionCookie(browser: UserAgent): Promise<string> {
    const cookies = await browser.jar.getCookies(liaison.issuer);
    return cookies
      .flatMap((cookie) => (cookie.key.startsWith("liaison.session") ? [cookie.cookieString()] : []))
      .join("; ");
  }

  /** What the portal is told when a browser with nothing but this session asks silently. */
  async function silently(cookie: string): Promise<string> {
    const { url } = await liaison.customerSource.start({ prompt: "none" });
    const page = await liaison.browser().once(url, { headers: { cookie } });
    const answer = new URL(page.headers.get("location") ?? assert.fail(page.text));
    return answer.searchParams.get("error") ?? (answer.searchParams.has("code") ? "code" : "nothing");
  }

  it("S3: the session's id changes at sign-in and at linking, and the old one is dead", async () => {
    const person = liaison.stranger();
    const browser = liaison.browser();
    // A session id of the attacker's choosing, planted before the person signs in.
    await browser.jar.setCookie("liaison.session=planted-by-an-attacker; path=/", liaison.issuer);
    const start = await liaison.customerSource.start();
    const linkStep = await signIn(browser, start, person);
    const signedIn = await sessionCookie(browser);
    assert.ok(signedIn !== "" && !signedIn.includes("planted"));
    assert.equal(await silently(signedIn), "interaction_required");

    const waiting = await browser.press(linkStep, "Continue", { email: "s3@northwind.example" });
    const [mail] = await mailsTo(liaison, "s3@northwind.example", 1);
    const linkedPage = await openLink(liaison.browser(), linkIn(mail ?? assert.fail()), person);
    assert.equal(linkedPage.heading, "Your account is linked");
    await browser.follow(waiting, /opened the link/);
    const linked = await sessionCookie(browser);
    assert.notEqual(linked, signedIn);
    assert.equal(await silently(signedIn), "login_required", "the id from before linking is dead");
    assert.equal(await silently(linked), "code");

    await signIn(browser, await liaison.customerSource.start({ prompt: "login" }), person);
    const again = await sessionCookie(browser);
    assert.notEqual(again, linked);
    assert.equal(await silently(linked), "login_required", "the id from before signing in again is dead");
    assert.equal(await silently(again), "code");
  });

  it("S3: a session can't be carried on without its signature", async () => {
    const browser = liaison.browser();
    await signIn(browser, await liaison.customerSource.start(), liaison.stranger());
    const cookie = await sessionCookie(browser);
    assert.equal(await silently(cookie.replace(/; liaison\.session\.sig=.*/, "")), "login_required");
    const forged = cookie.replace(/(?<=session\.sig=)./, (first) => (first === "A" ? "B" : "A"));
    assert.equal(await silently(forged), "login_required");
  });

  it("S5: no page and no answer of ours may stand in a frame", async () => {
    const seen: Page[] = [];
    class Recorder extends UserAgent {
      override async once(address: string | URL, visit: Visit = {}): Promise<Page> {
        const page = await super.once(address, visit);
        if (page.url.origin === liaison.issuer) seen.push(page);
        return page;
      }
    }
    const recorder = () => new Recorder({ stopAt: (url) => url.port === "9" });
    const { customerSource } = liaison;

    const person = liaison.stranger();
    const browser = recorder();
    const waiting = await browser.press(
      await signIn(browser, await customerSource.start(), person),
      "Continue",
      {
        email: "nobody@northwind.example",
      },
    );
    await browser.once(waiting.url.href.replace("/waiting", "/status"));
    const { link } = await askForLink(liaison, person, "s5@northwind.example");
    await openLink(recorder(), link, liaison.stranger());
    const linker = recorder();
    await openLink(linker, link, person);
    await linker.visit(link);
    await linker.visit(link.replace(/[^/]+$/, "made-up-secret"));
    await recorder().visit(link.replace(/\/[^/]+$/, ""));
    const { link: unwanted } = await askForLink(liaison, liaison.stranger(), "s5-cancel@northwind.example");
    await openLink(recorder(), unwanted, person, "Don’t link");
    await browser.visit((await customerSource.start({ response_mode: "form_post" })).url);
    const logout = await browser.visit(`${liaison.issuer}/logout`);
    await browser.press(logout, "Sign out");

    const chooser = liaison.stranger();
    await bindTo(liaison, chooser, "one", "two");
    await signIn(recorder(), await customerSource.start(), chooser);
    const partner = liaison.stranger();
    await bindTo(liaison, partner, "partner");
    await signIn(recorder(), await customerSource.start(), partner);
    await recorder().visit(waiting.url);
    await recorder().visit(waiting.url, { method: "POST" });
    await recorder().visit((await customerSource.start({ client_id: "nobody" })).url);
    const callback = new URL(`${liaison.issuer}/upstream/fabrikam/callback?state=x&code=x`);
    await returnFromUpstream(recorder(), callback);
    const paths = [
      "/",
      "/help",
      "/nowhere",
      "/link/a",
      "/authorize/a",
      "/jwks",
      "/.well-known/openid-configuration",
    ];
    for (const path of [...paths, "/healthz", "/userinfo", "/token", "/assets/none.css"]) {
      await recorder().visit(liaison.issuer + path);
    }
    const form = new URLSearchParams({ csrf: "x" });
    await recorder().visit(`${liaison.issuer}/interaction/a/address`, { method: "POST", body: form });

    for (const { url, status, headers } of seen) {
      const what = `${status} ${url.pathname}`;
      assert.match(headers.get("content-security-policy") ?? "", /(^|; ?)frame-ancestors 'none'(;|$)/, what);
      assert.equal(headers.get("x-frame-options")?.toLowerCase(), "deny", what);
      assert.equal(headers.get("x-content-type-options"), "nosniff", what);
      assert.equal(headers.get("referrer-policy"), "no-referrer", what);
    }
    const headings = new Set(seen.map(({ heading }) => heading));
    for (const heading of [
      "Sign in to CustomerSource",
      "Enter the email address registered with your organization",
      "Check your email",
      "Do you want to link this account?",
      "This link is for another account",
      "Your account is linked",
      "This link has already been used",
      "This link doesn't work",
      "Open the link in the email again",
      "The link has been cancelled",
      "Do you want to sign out?",
      "You are signed out",
      "Which profile do you want to use?",
      "Your profile doesn't open CustomerSource",
      "Your browser didn't keep our cookie",
      "The portal's link to us is wrong",
      "This sign-in has expired",
      "We stopped that request",
      "Page not found",
    ]) {
      assert.ok(headings.has(heading), `${heading} is among ${[...headings].join(" | ")}`);
    }
    assert.ok(
      seen.some(
        ({ body }) => body.includes("http://localhost:9/customersource/callback") && body.includes("<form"),
      ),
      "the form_post page too",
    );
  });
});
