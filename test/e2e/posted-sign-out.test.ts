/**
 * Signing out by POST at the end-session endpoint, with hints of all sorts, and the answer of the revocation
 * endpoint.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { pino } from "pino";
import { asOrganizationId } from "../../src/domain/ids.ts";
import {
  type Liaison,
  linkByMail,
  people,
  portalSecret,
  register,
  signIn,
  startLiaison,
} from "../support/liaison.ts";
import type { PortalTokens } from "../support/portal.ts";
import { type Page, UserAgent } from "../support/user-agent.ts";

const back = "http://localhost:9/customersource/signed-out";

describe("signing out by POST", () => {
  let liaison: Liaison;
  let browser: UserAgent;
  const logged: string[] = [];

  before(async () => {
    const logger = pino({ level: "trace" }, { write: (line: string) => void logged.push(line) });
    liaison = await startLiaison({
      logger,
      config: (base) => ({ ...base, tokens: { id_token_seconds: 1 } }),
    });
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "p-ann", email: "ann@northwind.example", name: "Ann" },
    ]);
    browser = liaison.browser();
    await linkByMail(
      liaison,
      browser,
      await liaison.customerSource.start(),
      people.ann,
      "ann@northwind.example",
    );
  });
  after(() => liaison.close());

  async function signedIn(scope?: string): Promise<PortalTokens> {
    const started = await liaison.customerSource.start(scope === undefined ? {} : { scope });
    return await liaison.customerSource.exchange((await signIn(browser, started, people.ann)).url, started);
  }

  /** As a page of another site sends it: the post without the session's cookie, what it leads to with it. */
  async function post(fields: Record<string, string> | [string, string][], from = browser): Promise<Page> {
    const answer = await new UserAgent().once(`${liaison.issuer}/logout`, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { origin: "https://portal.example", "sec-fetch-site": "cross-site" },
    });
    assert.equal(answer.status, 303, answer.text);
    assert.deepEqual(answer.headers.getSetCookie(), [], "a browser that is signed in keeps its session");
    return await from.visit(new URL(answer.headers.get("location") ?? "", answer.url));
  }

  it("leads where a GET leads, and back to the portal with its state", async () => {
    const { id_token: hint = "" } = await signedIn();
    const fields = { id_token_hint: hint, post_logout_redirect_uri: back, state: "zurück/→?x=1&y=2 %41+ü" };
    const byGet = await browser.visit(`${liaison.issuer}/logout?${new URLSearchParams(fields)}`);
    const byPost = await post(fields);
    assert.equal(byPost.heading, byGet.heading);
    assert.match(byPost.body, /data-auto-submit/, "the hint says who is meant");
    const done = await browser.press(byPost, "Sign out");
    assert.equal(done.url.origin + done.url.pathname, back);
    assert.equal(done.url.searchParams.get("state"), fields.state);
    const again = await browser.visit((await liaison.customerSource.start({ prompt: "none" })).url);
    assert.equal(again.url.searchParams.get("error"), "login_required");
  });

  it("leaves the hint in no address and in no log", async () => {
    const { id_token: hint = "" } = await signedIn();
    const page = await post({ id_token_hint: hint, post_logout_redirect_uri: back, state: "s".repeat(3000) });
    assert.equal(page.status, 200);
    assert.ok(page.url.href.length < 200, page.url.href);
    await browser.press(page, "Sign out");
    await post({ id_token_hint: `${hint}x` });
    const signature = hint.split(".")[2] ?? "";
    assert.equal(logged.filter((line) => line.includes(signature)).length, 0);
    assert.ok(!browser.visited.some((address) => address.includes(signature)));
  });

  it("takes a hint that has expired, and one after the session is gone", async () => {
    const { id_token: hint = "" } = await signedIn();
    await setTimeout(2000);
    const fields = { id_token_hint: hint, post_logout_redirect_uri: back, state: "x" };
    const done = await browser.press(await post(fields), "Sign out");
    assert.equal(done.url.href, `${back}?state=x`);
    const gone = await post(fields, liaison.browser());
    assert.equal(gone.status, 200);
    assert.match(gone.body, /data-auto-submit/);
  });

  it("an expired hint is good for prompt=none, too: for whom it names, and for nobody else", async () => {
    const { id_token: hint = "" } = await signedIn();
    await setTimeout(2000);
    const silently = async (from: UserAgent) => {
      const asked = { prompt: "none", id_token_hint: hint };
      return (await from.visit((await liaison.customerSource.start(asked)).url)).url.searchParams;
    };
    assert.ok((await silently(browser)).has("code"));
    assert.equal((await silently(liaison.browser())).get("error"), "login_required");
  });

  it("refuses garbage, a hint of another portal and a hint that was changed, signs nobody out", async () => {
    const { id_token: hint = "" } = await signedIn();
    const [head, , signature] = hint.split(".");
    const forged = Buffer.from(JSON.stringify({ aud: "customersource", sub: "somebody" })).toString(
      "base64url",
    );
    for (const fields of [
      { id_token_hint: "garbage", post_logout_redirect_uri: back },
      { id_token_hint: hint, client_id: "partnersource", post_logout_redirect_uri: back },
      { id_token_hint: `${head}.${forged}.${signature}`, post_logout_redirect_uri: back },
      { id_token_hint: hint, post_logout_redirect_uri: "https://evil.example/" },
    ]) {
      const page = await post(fields);
      assert.equal(page.status, 400, JSON.stringify(fields));
      assert.ok(page.url.href.startsWith(liaison.issuer));
    }
    const twice: [string, string][] = [
      ["state", "a"],
      ["state", "b"],
    ];
    assert.equal((await post(twice)).status, 400, "a parameter given twice is refused by POST, too");
    const still = await browser.visit((await liaison.customerSource.start({ prompt: "none" })).url);
    assert.ok(still.url.searchParams.has("code"));
  });

  it("takes a form and nothing else", async () => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${liaison.issuer}/logout`, {
      method: "POST",
      headers,
      body: "{}",
      redirect: "manual",
    });
    assert.equal(answer.status, 415);
  });

  it("answers a revocation with nothing of no type, which every client library takes", async () => {
    const tokens = await signedIn();
    const basic = Buffer.from(`customersource:${portalSecret}`).toString("base64");
    for (const token of [tokens.access_token, "unknown"]) {
      const answer = await fetch(`${liaison.issuer}/revoke`, {
        method: "POST",
        headers: { authorization: `Basic ${basic}` },
        body: new URLSearchParams({ token }),
      });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get("content-type"), null);
      assert.equal(await answer.text(), "");
    }
    assert.equal((await liaison.customerSource.introspect(tokens.access_token)).active, false);
    const refused = await fetch(`${liaison.issuer}/revoke`, {
      method: "POST",
      body: new URLSearchParams({ token: "x" }),
    });
    assert.match(refused.headers.get("content-type") ?? "", /^application\/json/, "an error is JSON");
  });

  it("asks, and leads to no portal, where nothing was posted, or what was posted is gone", async () => {
    const { id_token: hint = "" } = await signedIn();
    const page = await post({ id_token_hint: hint, post_logout_redirect_uri: back });
    liaison.clock.advance(180);
    for (const asked of [await browser.visit(page.url), await post({}), await post({ unknown: "x" })]) {
      assert.equal(asked.heading, page.heading);
      assert.ok(!asked.body.includes("data-auto-submit"), "nobody says who is meant");
    }
    const done = await browser.press(await browser.visit(page.url), "Sign out");
    assert.equal(done.url.pathname, "/logout/success");
  });
});
