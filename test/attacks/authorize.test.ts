/**
 * What portals, and those who pretend to be one, may ask of the authorization endpoint: O1, O4, O8, O12, M1
 * of the threat list.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ResponseBodyError } from "openid-client";
import { asOrganizationId } from "../../src/domain/ids.ts";
import {
  type Attacked,
  askForLink,
  bindTo,
  mailsTo,
  quiet,
  startAttacked,
} from "../support/attack-fixture.ts";
import { portalSecret, register, signIn } from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";
import { TestPortal } from "../support/portal.ts";
import { rawRequest } from "../support/raw-request.ts";
import type { UserAgent } from "../support/user-agent.ts";

const legacyCallback = "http://localhost:9/legacy/callback";
const withoutPkce = ["code_challenge", "code_challenge_method"];

describe("the authorization endpoint", () => {
  let liaison: Attacked;
  /** Signed in and linked to a profile that CustomerSource admits. */
  let member: UserAgent;
  before(async () => {
    liaison = await startAttacked({
      config: (base) => ({
        ...base,
        portals: [
          ...(base["portals"] as object[]),
          {
            id: "legacy",
            name: "Legacy",
            client_secret: portalSecret,
            home_url: "http://localhost:9/",
            redirect_uris: [legacyCallback],
            access_policy: { kinds: ["customer"] },
            pkce_required: false,
          },
        ],
      }),
    });
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "member", email: "member@northwind.example" },
      { id: "one", email: "one@northwind.example" },
      { id: "two", email: "two@northwind.example" },
      { id: "m1", email: "m1@northwind.example" },
    ]);
    await register(liaison, { id: asOrganizationId("litware"), kind: "partner" }, [
      { id: "partner", email: "partner@litware.example" },
    ]);
    member = await signedIn("member");
  });
  after(() => liaison?.close());

  /** Somebody bound to these profiles, and signed in. */
  async function signedIn(...profileIds: string[]): Promise<UserAgent> {
    const person = liaison.stranger();
    await bindTo(liaison, person, ...profileIds);
    const browser = liaison.browser();
    await signIn(browser, await liaison.customerSource.start(), person);
    return browser;
  }

  async function authorizationUrl(
    without: string[] = [],
    change: Record<string, string> = {},
    portal = liaison.customerSource,
  ) {
    const { url } = await portal.start(change);
    for (const name of without) url.searchParams.delete(name);
    return url;
  }

  /** What the portal's callback is told. */
  async function told(browser: UserAgent, url: URL): Promise<Record<string, string>> {
    const end = await browser.visit(url);
    assert.equal(end.url.origin + end.url.pathname, url.searchParams.get("redirect_uri"), end.text);
    return Object.fromEntries(end.url.searchParams);
  }

  const registered = "http://localhost:9/customersource/callback";
  for (const variant of [
    `${registered}/`,
    `${registered}?next=x`,
    `${registered}#x`,
    `${registered}%2f..`,
    `${registered}/../evil`,
    registered.replace("callback", "Callback"),
    registered.replace("callback", "signed-out"),
    registered.replace(":9", ""),
    registered.replace(":9", ":99"),
    registered.replace("localhost", "localhost.evil.example"),
    registered.replace("localhost", "user@localhost"),
    registered.replace("localhost", "127.0.0.1"),
    registered.replace("http:", "https:"),
    "http://localhost:9/partnersource/callback",
    "https://evil.example/customersource/callback",
    "javascript:alert(1)",
    "",
  ]) {
    it(`O1: redirect_uri "${variant}" is a page, not a redirect`, async () => {
      for (const browser of [member, liaison.browser()]) {
        const url = await authorizationUrl([], { redirect_uri: variant });
        const page = await browser.once(url);
        assert.equal(page.status, 400, page.text);
        assert.equal(page.headers.get("location"), null);
        assert.match(page.heading, /link .* is wrong/);
        assert.ok(!page.body.includes("evil"), "nothing leads there");
      }
    });
  }

  it("O1: given twice, or missing, or for an unknown portal", async () => {
    const twice = await authorizationUrl();
    twice.searchParams.append("redirect_uri", "https://evil.example/");
    for (const url of [
      twice,
      await authorizationUrl(["redirect_uri"]),
      await authorizationUrl([], { client_id: "x" }),
    ]) {
      const page = await member.once(url);
      assert.equal(page.status, 400);
      assert.equal(page.headers.get("location"), null);
    }
  });

  it("O4: PKCE missing, plain or half is refused, signed in or not", async () => {
    for (const browser of [member, liaison.browser()]) {
      for (const [without, change] of [
        [withoutPkce, {}],
        [["code_challenge"], {}],
        [["code_challenge_method"], {}],
        [[], { code_challenge_method: "plain" }],
        [[], { code_challenge_method: "none" }],
        [[], { code_challenge: "short" }],
        [withoutPkce, { prompt: "none" }],
      ] satisfies [string[], Record<string, string>][]) {
        const { error, code } = await told(browser, await authorizationUrl(without, change));
        assert.equal(error, "invalid_request", JSON.stringify(change));
        assert.equal(code, undefined);
      }
    }
  });

  it("O4: a wrong verifier, or none, gets no tokens", async () => {
    const foreign = await liaison.customerSource.start();
    for (const codeVerifier of [foreign.codeVerifier, "x".repeat(43), undefined]) {
      const started = await liaison.customerSource.start();
      const end = await member.visit(started.url);
      const body = new URLSearchParams({
        grant_type: "authorization_code",
        code: end.url.searchParams.get("code") ?? "",
        redirect_uri: registered,
        ...(codeVerifier === undefined ? {} : { code_verifier: codeVerifier }),
      });
      const authorization = `Basic ${Buffer.from(`customersource:${portalSecret}`).toString("base64")}`;
      const answer = await fetch(`${liaison.issuer}/token`, {
        method: "POST",
        body,
        headers: { authorization },
      });
      assert.equal(answer.status, 400);
      assert.match(await answer.text(), /"error":"invalid_grant"/);
    }
  });

  it("O4: a portal exempted may do without, but not once it began with it, or vice versa", async () => {
    const { issuer } = liaison;
    const legacy = await TestPortal.connect({
      issuer,
      clientId: "legacy",
      clientSecret: portalSecret,
      redirectUri: legacyCallback,
    });
    const exchangeOf = async (url: URL, codeVerifier?: string) => {
      const { code = "" } = await told(member, url);
      const verifier = codeVerifier === undefined ? {} : { code_verifier: codeVerifier };
      const body = new URLSearchParams({
        grant_type: "authorization_code",
        code,
        redirect_uri: legacyCallback,
        ...verifier,
      });
      const authorization = `Basic ${Buffer.from(`legacy:${portalSecret}`).toString("base64")}`;
      return (await fetch(`${issuer}/token`, { method: "POST", body, headers: { authorization } })).status;
    };
    const { url, codeVerifier } = await legacy.start();
    const bare = await authorizationUrl(withoutPkce, {}, legacy);
    assert.equal(await exchangeOf(bare), 200);
    assert.equal(
      await exchangeOf(bare, codeVerifier),
      400,
      "a verifier nobody announced: the challenge was stripped",
    );
    assert.equal(await exchangeOf(url), 400, "the verifier was stripped");
    assert.equal(await exchangeOf(url, codeVerifier), 200);
    assert.equal(
      (await told(member, await authorizationUrl([], { code_challenge_method: "plain" }, legacy)))["error"],
      "invalid_request",
    );
  });

  it("O8, O12: prompt=none never shows a page, mails nobody, and every answer carries iss", async () => {
    const silent = { prompt: "none" };
    const unlinked = liaison.browser();
    await signIn(unlinked, await liaison.customerSource.start(), liaison.stranger());
    const several = await signedIn("one", "two");
    const partner = await signedIn("partner");
    await quiet(liaison);
    const [mailsBefore, inquiriesBefore] = [liaison.mailbox.mails.length, inquiries()];

    for (const [browser, error] of [
      [liaison.browser(), "login_required"],
      [unlinked, "interaction_required"],
      [several, "account_selection_required"],
      [partner, "access_denied"],
    ] as const) {
      const url = await authorizationUrl([], silent);
      const { iss, state, ...answer } = await told(browser, url);
      assert.equal(answer["error"], error);
      assert.equal(answer["code"], undefined);
      assert.equal(iss, liaison.issuer);
      assert.equal(state, url.searchParams.get("state"));
    }
    const success = await told(member, await authorizationUrl([], silent));
    assert.equal(success["iss"], liaison.issuer);
    assert.ok(success["code"]);
    await quiet(liaison);
    assert.equal(liaison.mailbox.mails.length, mailsBefore);
    assert.equal(inquiries(), inquiriesBefore);
  });

  function inquiries(): number {
    return liaison.watch.writes.filter((write) => write === "links.inquire").length;
  }

  it("O8: a profile_hint of somebody else's profile, or of one not admitted, gives nothing", async () => {
    for (const hint of ["one", "partner", "nobody", '{"$gt":""}']) {
      const started = await liaison.customerSource.start({ prompt: "none", profile_hint: hint });
      const end = await member.visit(started.url);
      const tokens = await liaison.customerSource.exchange(end.url, started);
      const claims = await liaison.customerSource.userinfo(tokens.access_token, tokens.claims()?.sub ?? "");
      assert.equal(claims["profile_id"], "member");
    }
  });

  it("O12: errors of the token endpoint name no redirect, and HEAD makes no code", async () => {
    const { url, codeVerifier } = await liaison.customerSource.start();
    const head = await member.once(url, { method: "HEAD" });
    assert.equal(head.status, 405);
    assert.equal(head.headers.get("location"), null);
    const callback = new URL(`${registered}?code=made-up&iss=${encodeURIComponent(liaison.issuer)}`);
    callback.searchParams.set("state", url.searchParams.get("state") ?? "");
    const started = { url, codeVerifier, nonce: "n", state: url.searchParams.get("state") ?? "" };
    await assert.rejects(liaison.customerSource.exchange(callback, started), (error: unknown) => {
      return error instanceof ResponseBodyError && error.error === "invalid_grant";
    });
  });

  const forged = {
    host: "evil.example",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "https",
    "x-forwarded-port": "666",
    "x-forwarded-prefix": "/evil",
    forwarded: "host=evil.example;proto=https",
    "x-original-host": "evil.example",
  };

  it("M1: forged Host and forwarded headers change neither discovery nor Location", async () => {
    const discovery = `${liaison.issuer}/.well-known/openid-configuration`;
    const honest = await rawRequest(discovery, {});
    const answer = await rawRequest(discovery, { headers: forged });
    assert.equal(answer.status, 200);
    assert.deepEqual(JSON.parse(answer.body), JSON.parse(honest.body));
    const urls = Object.entries(JSON.parse(answer.body) as Record<string, unknown>).filter(([name]) =>
      /_endpoint$|_uri$/.test(name),
    );
    assert.ok(urls.length >= 6);
    for (const [name, url] of urls) assert.ok(String(url).startsWith(`${liaison.issuer}/`), name);

    const sent = await rawRequest(await authorizationUrl(), { headers: forged });
    assert.ok(
      String(sent.headers["location"]).startsWith(`${liaison.issuer}/interaction/`),
      String(sent.headers["location"]),
    );
    const requestId = "r".repeat(22);
    const link = await rawRequest(`${liaison.issuer}/link/${requestId}/${"s".repeat(43)}`, {
      headers: forged,
    });
    assert.equal(link.headers["location"], `${liaison.issuer}/link/${requestId}`);
    assert.doesNotMatch(JSON.stringify([sent.headers, link.headers]), /evil/);
  });

  it("M1: a mail caused by a forged request carries the configured origin", async () => {
    const { browser, waiting } = await askForLink(liaison, liaison.stranger(), "m1@northwind.example");
    liaison.clock.advance(2);
    const { action, fields } = waiting.form("Send it again");
    const cookie = await browser.jar.getCookieString(action.href);
    const headers = { ...forged, cookie, "content-type": "application/x-www-form-urlencoded" };
    const answer = await rawRequest(action, { method: "POST", headers, body: fields.toString() });
    assert.equal(answer.status, 303);
    assert.equal(answer.headers["location"], waiting.url.href);
    for (const mail of await mailsTo(liaison, "m1@northwind.example", 2)) {
      assert.ok(linkIn(mail).startsWith(`${liaison.issuer}/link/`), linkIn(mail));
      assert.doesNotMatch(mail.headers + mail.text + mail.html, /evil/);
    }
  });
});
