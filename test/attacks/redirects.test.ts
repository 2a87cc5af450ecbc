/**
 * Where answers lead and what they carry: O1, O11 and O12 of the threat list, beyond the plain request of
 * authorize.test.ts.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { type Attacked, bindTo, mailsTo, startAttacked } from "../support/attack-fixture.ts";
import { portalSecret, register, signIn, signInUpstream } from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";
import { type Page, UserAgent, type Visit } from "../support/user-agent.ts";

const registered = "http://localhost:9/customersource/callback";
const credentials = {
  authorization: `Basic ${Buffer.from(`customersource:${portalSecret}`).toString("base64")}`,
};
const foreign = [
  "https://evil.example/customersource/callback",
  `${registered}/`,
  `${registered}?next=x`,
  registered.replace("callback", "signed-out"),
  "http://localhost:9/partnersource/callback",
];

/** A browser that notes how each of its posts was answered. */
class PostWatcher extends UserAgent {
  readonly posts: { origin: string; path: string; status: number }[] = [];
  override async once(address: string | URL, visit: Visit = {}): Promise<Page> {
    const page = await super.once(address, visit);
    if (visit.method === "POST") {
      const { origin, pathname } = new URL(address);
      this.posts.push({ origin, path: pathname.replace(/[\w-]{20,}/g, "*"), status: page.status });
    }
    return page;
  }
}

describe("redirects", () => {
  let liaison: Attacked;
  let member: UserAgent;
  before(async () => {
    liaison = await startAttacked();
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "member", email: "member@northwind.example" },
      { id: "one", email: "one@northwind.example" },
      { id: "two", email: "two@northwind.example" },
      { id: "o11", email: "o11@northwind.example" },
    ]);
    const person = liaison.stranger();
    await bindTo(liaison, person, "member");
    member = liaison.browser();
    await signIn(member, await liaison.customerSource.start(), person);
  });
  after(() => liaison?.close());

  async function post(path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
    const body = new URLSearchParams(fields);
    const answer = await fetch(liaison.issuer + path, { method: "POST", body, headers, redirect: "manual" });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }

  for (const uri of foreign) {
    it(`O1: ${uri} by POST, pushed, laid over a pushed request, or at the exchange`, async () => {
      const { url } = await liaison.customerSource.start({ redirect_uri: uri });
      const endpoint = new URL(url.pathname, liaison.issuer);
      const posted = await member.visit(endpoint, { method: "POST", body: url.searchParams });
      assert.equal(posted.status, 400, posted.text);
      assert.ok(posted.url.href.startsWith(liaison.issuer));

      const pushed = await post("/par", Object.fromEntries(url.searchParams), credentials);
      assert.equal(pushed.status, 400);
      assert.equal(pushed.body["error"], "invalid_request");

      const honest = await liaison.customerSource.start();
      const accepted = await post("/par", Object.fromEntries(honest.url.searchParams), credentials);
      assert.equal(accepted.status, 201);
      endpoint.search = String(
        new URLSearchParams({
          client_id: "customersource",
          request_uri: String(accepted.body["request_uri"]),
          redirect_uri: uri,
        }),
      );
      const overlaid = await member.visit(endpoint);
      assert.ok(
        overlaid.url.href.startsWith(`${registered}?code=`),
        "what was pushed counts, and nothing else",
      );

      const started = await liaison.customerSource.start();
      const end = await member.visit(started.url);
      const grant = { grant_type: "authorization_code", code: end.url.searchParams.get("code") ?? "" };
      const proof = { code_verifier: started.codeVerifier, redirect_uri: uri };
      const exchange = await post("/token", { ...grant, ...proof }, credentials);
      assert.equal(exchange.status, 400);
      assert.equal(exchange.body["error"], "invalid_grant");
    });
  }

  it("O11: every post that leads on, does so by 303", async () => {
    const person = liaison.stranger();
    await bindTo(liaison, person, "one", "two");
    const browser = new PostWatcher({ stopAt: ({ port }) => port === "9" });
    const { url } = await liaison.customerSource.start();
    const chosen = await browser.visit(new URL(url.pathname, url), {
      method: "POST",
      body: url.searchParams,
    });
    const login = await browser.press(chosen, /Fabrikam ID/);
    const chooser = await signInUpstream(browser, login, person);
    const end = await browser.press(chooser, "Continue", { profile_id: "two" });
    assert.ok(end.url.searchParams.has("code"));
    const again = await browser.visit((await liaison.customerSource.start({ prompt: "select_account" })).url);
    await browser.press(again, "Use another account");
    await browser.visit((await liaison.customerSource.start({ prompt: "login" })).url);
    const begun = browser.visited.findLast((address) => address.startsWith(`${liaison.issuer}/interaction/`));
    const cancelled = await browser.visit(`${begun}/upstreams?notice=cancelled`);
    assert.equal((await browser.press(cancelled, /^Go back/)).url.searchParams.get("error"), "access_denied");
    await browser.press(await browser.visit(`${liaison.issuer}/logout`), "Sign out");

    const newcomer = liaison.stranger();
    browser.jar.removeAllCookiesSync();
    const linkStep = await signIn(browser, await liaison.customerSource.start(), newcomer);
    const waiting = await browser.press(linkStep, "Continue", { email: "o11@northwind.example" });
    const [mail] = await mailsTo(liaison, "o11@northwind.example", 1);
    const link = linkIn(mail ?? assert.fail("no mail"));
    await browser.press(await browser.visit(link), "Continue to sign in");
    await browser.press(await browser.visit(link), /^Don.t link$/);
    liaison.clock.advance(2);
    await browser.press(waiting, "Send it again");

    const ours = browser.posts.filter(({ origin }) => origin === liaison.issuer);
    assert.deepEqual(
      ours.filter(({ status }) => status !== 303),
      [],
    );
    assert.deepEqual([...new Set(ours.map(({ path }) => path))].sort(), [
      "/authorize",
      ...["address", "cancel", "profile", "resend", "sign-in", "use-another"].map(
        (step) => `/interaction/*/${step}`,
      ),
      ...["confirm", "decline"].map((step) => `/link/*/${step}`),
      "/logout/confirm",
    ]);
  });

  /** What the portal is told, in whichever way it asked to be told. */
  async function told(change: Record<string, string>): Promise<Record<string, string>> {
    const { url } = await liaison.customerSource.start(change);
    for (const [name, value] of Object.entries(change)) if (value === "") url.searchParams.delete(name);
    const end = await member.visit(url);
    if (change["response_mode"] !== "form_post") {
      assert.equal(end.url.origin + end.url.pathname, registered, end.text);
      const mode = change["response_mode"] ?? "query";
      const [used, unused] =
        mode === "query" ? [end.url.search, end.url.hash] : [end.url.hash, end.url.search];
      assert.equal(unused, "");
      return Object.fromEntries(new URLSearchParams(used.slice(1)));
    }
    assert.equal(end.dom.querySelector("form")?.getAttribute("action"), registered, end.text);
    return Object.fromEntries(
      end.dom.querySelectorAll("input").map((input): [string, string] => {
        return [input.getAttribute("name") ?? "", input.getAttribute("value") ?? ""];
      }),
    );
  }

  for (const response_mode of ["query", "fragment", "form_post"]) {
    it(`O12: iss in what ${response_mode} carries, success or error`, async () => {
      const success = await told({ response_mode });
      assert.ok(success["code"]);
      assert.equal(success["iss"], liaison.issuer);
      for (const [change, error] of [
        [{ code_challenge: "", code_challenge_method: "" }, "invalid_request"],
        [{ prompt: "none login" }, "invalid_request"],
        [{ max_age: "-1" }, "invalid_request"],
        [{ request: "eyJ.eyJ.x" }, "request_not_supported"],
        [{ registration: "{}" }, "registration_not_supported"],
        [{ prompt: "none", max_age: "0" }, "login_required"],
      ] satisfies [Record<string, string>, string][]) {
        const answer = await told({ response_mode, ...change });
        assert.equal(answer["error"], error, JSON.stringify([change, answer]));
        assert.equal(answer["iss"], liaison.issuer, error);
        assert.ok(answer["state"]);
        assert.equal(answer["code"], undefined);
      }
    });
  }

  it("O12: discovery says that iss is there (RFC 9207, 3)", async () => {
    const metadata = await (await fetch(`${liaison.issuer}/.well-known/openid-configuration`)).json();
    assert.equal(
      (metadata as Record<string, unknown>)["authorization_response_iss_parameter_supported"],
      true,
    );
  });
});
