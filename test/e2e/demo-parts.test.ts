/**
 * The demo's own parts, against each other over real HTTP and SMTP: Fabrikam ID, a portal, the inbox. No
 * broker here.
 */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as client from "openid-client";
import { portalAddresses, startPortal } from "../../src/demo/portal.ts";
import type { Running } from "../../src/demo/servers.ts";
import { startDemoUpstream } from "../../src/demo/upstream.ts";
import { seededSubject } from "../../src/demo/upstream-accounts.ts";
import { freePort } from "../support/free-port.ts";

interface View {
  url: URL;
  status: number;
  html: string;
  headers: Headers;
}

/**
 * A browser without JavaScript: follows redirects and keeps cookies by name and path, for every port of
 * localhost alike.
 */
class Browser {
  #cookies = new Map<string, { name: string; value: string; path: string }>();

  async open(url: string | URL, form?: Record<string, string>): Promise<View> {
    let target = new URL(url);
    let body = form && new URLSearchParams(form);
    for (let hop = 0; hop < 20; hop += 1) {
      const sent = [...this.#cookies.values()].filter(({ path }) => target.pathname.startsWith(path));
      const response = await fetch(target, {
        redirect: "manual",
        headers: { cookie: sent.map(({ name, value }) => `${name}=${value}`).join("; ") },
        ...(body === undefined ? {} : { method: "POST", body }),
      });
      this.#keep(response.headers.getSetCookie());
      const location = response.headers.get("location");
      if (location === null || response.status < 300 || response.status > 399) {
        return {
          url: target,
          status: response.status,
          html: await response.text(),
          headers: response.headers,
        };
      }
      body = undefined;
      target = new URL(location, target);
    }
    throw new Error("too many redirects");
  }

  /** Submits the form of a page whose action matches, with its hidden fields and the given ones. */
  async submit(view: View, action: RegExp, fields: Record<string, string>): Promise<View> {
    const form = [...view.html.matchAll(/<form[^>]* action="([^"]+)"[^>]*>([\s\S]*?)<\/form>/g)].find(
      ([, to]) => action.test(to ?? ""),
    );
    assert.ok(form, `no form to ${action} in:\n${view.html}`);
    const hidden = [...(form[2] ?? "").matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(
      ([, name, value]) => [name, value],
    );
    return this.open(new URL(form[1] ?? "", view.url), { ...Object.fromEntries(hidden), ...fields });
  }

  #keep(lines: string[]): void {
    for (const line of lines) {
      const [pair = "", ...attributes] = line.split(/;\s*/);
      const [name = "", value = ""] = pair.split(/=(.*)/s);
      const path = attributes.find((each) => /^path=/i.test(each))?.slice(5) ?? "/";
      const expired = attributes.some((each) => /^expires=Thu, 01 Jan 1970/i.test(each)) || value === "";
      if (expired) this.#cookies.delete(`${name} ${path}`);
      else this.#cookies.set(`${name} ${path}`, { name, value, path });
    }
  }
}

const secret = "a-secret-of-at-least-32-characters-for-tests";
const maya = {
  username: "maya",
  password: "maya-demo",
  name: "Maya <b>Lindqvist</b>",
  email: "maya@mail.example",
};
const tomas = {
  username: "tomas",
  password: "tomas-demo",
  name: "Tomás Herrera",
  email: "tomas@mail.example",
};

describe("the demo's upstream and portal", () => {
  const running: Running[] = [];
  let folder: string;
  let issuer: string;
  let portal: string;
  let options: Parameters<typeof startDemoUpstream>[0];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-demo-"));
    const addresses = portalAddresses(await freePort());
    portal = addresses.url;
    options = {
      port: await freePort(),
      accounts: [maya, tomas],
      accountsFile: join(folder, "accounts.json"),
      clients: [
        {
          id: "shop",
          secret,
          name: "The Shop",
          redirectUris: [addresses.redirectUri],
          postLogoutRedirectUris: [addresses.postLogoutRedirectUri],
        },
      ],
    };
    const upstream = await startDemoUpstream(options);
    issuer = upstream.url;
    running.push(upstream);
    running.push(
      await startPortal({
        look: "customersource",
        name: "The Shop",
        tagline: "for tests",
        purpose: "Things.",
        port: Number(new URL(portal).port),
        issuer,
        clientId: "shop",
        clientSecret: secret,
        scope: "openid profile email",
      }),
    );
  });
  after(async () => {
    await Promise.all(running.map((part) => part.close()));
    await rm(folder, { recursive: true });
  });

  async function signedIn(account = maya, path = "/login"): Promise<Browser> {
    const browser = new Browser();
    const form = await browser.open(`${portal}${path}`);
    const home = await browser.submit(form, /interaction/, account);
    assert.equal(home.url.href, `${portal}/`);
    assert.match(home.html, /Signed in as /);
    return browser;
  }

  /**
   * The authorization URL of a relying party that asks for more than the portal does, and how its answer is
   * read.
   */
  async function relyingParty(extra: Record<string, string>) {
    const config = await client.discovery(new URL(issuer), "shop", secret, undefined, {
      execute: [client.allowInsecureRequests],
    });
    const [state, nonce, verifier] = [
      client.randomState(),
      client.randomNonce(),
      client.randomPKCECodeVerifier(),
    ];
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: portalAddresses(Number(new URL(portal).port)).redirectUri,
      scope: "openid email",
      state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      ...extra,
    });
    const claims = async (callback: URL) => {
      const checks = {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      };
      return (await client.authorizationCodeGrant(config, callback, checks)).claims();
    };
    return { url, claims };
  }

  test("a person signs in, sees the claims, refreshes them and signs out", async () => {
    const browser = new Browser();
    const welcome = await browser.open(portal);
    assert.match(welcome.html, /href="\/login">Sign in<\/a>/);
    assert.doesNotMatch(welcome.html, /Signed in as/);

    const form = await browser.open(`${portal}/login`);
    assert.equal(form.url.origin, issuer);
    assert.match(form.html, /<label for="username">Username<\/label>/);
    assert.match(form.html, /<label for="password">Password<\/label>/);
    assert.match(form.html, /to continue to <strong>The Shop<\/strong>/);

    const wrong = await browser.submit(form, /interaction/, { username: "maya", password: "guess" });
    assert.equal(wrong.status, 401);
    assert.match(wrong.html, /role="alert"/);

    const home = await browser.submit(wrong, /interaction/, maya);
    assert.match(home.html, /Signed in as Maya &lt;b&gt;Lindqvist/, "names are encoded");
    assert.match(home.html, new RegExp(`${seededSubject("maya")}`));
    assert.match(home.html, /auth_time/);
    assert.match(home.headers.get("content-security-policy") ?? "", /default-src 'none'/);

    const again = await browser.open(`${portal}/refresh`, {});
    assert.match(again.html, /The claims were read again/);

    const question = await browser.open(`${portal}/logout`, {});
    assert.equal(question.url.origin, issuer);
    const out = await browser.submit(question, /session\/end\/confirm/, { logout: "yes" });
    assert.equal(out.url.href, `${portal}/signed-out`);
    assert.match(out.html, /You are signed out/);
    assert.match((await browser.open(portal)).html, /href="\/login">Sign in<\/a>/);
  });

  test("who has a session signs on straight through, unless the relying party forces the form", async () => {
    const browser = await signedIn();
    assert.equal((await browser.open(`${portal}/login`)).url.href, `${portal}/`);
    assert.match((await browser.open(`${portal}/switch`)).html, /<button class="wide" type="submit">Sign in/);

    const forced = await relyingParty({ prompt: "login", login_hint: "maya@mail.example" });
    const form = await browser.open(forced.url);
    assert.match(form.html, /name="username" type="text" value="maya"/, "the hint's username is filled in");

    const stale = await relyingParty({ max_age: "0" });
    assert.match((await browser.open(stale.url)).html, /<h1>Sign in<\/h1>/);
    const young = await relyingParty({ max_age: "1000" });
    assert.equal((await browser.open(young.url)).url.origin, portal);
  });

  test("a forced sign-in shows its time, and the answer its issuer", async () => {
    const browser = new Browser();
    await browser.submit(await browser.open((await relyingParty({})).url), /interaction/, maya);
    const party = await relyingParty({ prompt: "login", max_age: "0" });
    const form = await browser.open(party.url);
    const begun = Math.floor(Date.now() / 1000);
    const { url } = await browser.submit(form, /interaction/, maya);
    assert.equal(url.searchParams.get("iss"), issuer);
    const claims = await party.claims(url);
    assert.ok(Number(claims?.auth_time) >= begun);
    assert.equal(claims?.["email"], "maya@mail.example");
  });

  test("another account takes over a session without a page in between", async () => {
    const browser = await signedIn(maya);
    const form = await browser.open(`${portal}/switch`);
    const home = await browser.submit(form, /interaction/, tomas);
    assert.match(home.html, /Signed in as Tomás Herrera/);
    assert.match((await browser.open(`${portal}/login`)).html, /Signed in as Tomás Herrera/);
  });

  test("cancelling returns to the portal, which says so in words", async () => {
    const browser = new Browser();
    const form = await browser.open(`${portal}/login`);
    const cancelled = await browser.open(`${form.url}/cancel`);
    assert.equal(cancelled.status, 400);
    assert.match(cancelled.html, /The sign-in was cancelled/);
    assert.match(cancelled.html, /access_denied/);
    assert.match(cancelled.html, /href="\/login">Try again/);
  });

  test("a created account signs in, and still does after a restart; a password can be set anew", async () => {
    const browser = new Browser();
    const form = await browser.open(`${portal}/login`);
    const page = await browser.open(`${form.url}/create-account`);
    const person = {
      name: "Lena Vogt",
      email: "lena@mail.example",
      username: "lena",
      password: "first-password",
    };
    assert.match((await browser.submit(page, /create/, { ...person, username: " Maya" })).html, /is taken/);
    assert.match(
      (await browser.submit(page, /create/, { ...person, password: "short" })).html,
      /role="alert">Use at least 8/,
    );
    const home = await browser.submit(page, /create/, person);
    assert.match(home.html, /Signed in as Lena Vogt/);
    const subject = /<code>sub<\/code><\/th><td><pre>([^<]+)</.exec(home.html)?.[1] ?? "none";

    const reset = await new Browser().open(`${issuer}/forgot-password`, {
      username: "lena",
      password: "other-password",
    });
    assert.match(reset.html, /Your password is changed/);

    await running.shift()?.close();
    running.unshift(await startDemoUpstream(options));
    const after = new Browser();
    const second = await after.open(`${portal}/login`);
    assert.equal((await after.submit(second, /interaction/, person)).status, 401);
    const back = await after.submit(second, /interaction/, { username: "LENA", password: "other-password" });
    assert.match(back.html, new RegExp(subject));
  });

  test("an account is made without a sign-in in progress, and the page says how to go on", async () => {
    const browser = new Browser();
    const page = await browser.open(`${issuer}/create-account`);
    const person = {
      name: "Ugo Brandi",
      email: "ugo@mail.example",
      username: "ugo",
      password: "some-password",
    };
    assert.match((await browser.submit(page, /create/, person)).html, /Your account is ready/);
    await signedIn({ ...maya, ...person });
  });

  test("third-party initiated login takes its hint and target, and refuses another issuer", async () => {
    const browser = new Browser();
    const query = new URLSearchParams({
      iss: issuer,
      login_hint: "tomas",
      target_link_uri: `${portal}/about`,
    });
    const form = await browser.open(`${portal}/login?${query}`);
    assert.match(form.html, /value="tomas"/);
    assert.equal((await browser.submit(form, /interaction/, tomas)).url.href, `${portal}/about`);

    const outside = await new Browser().open(`${portal}/login?iss=https%3A%2F%2Fevil.example`);
    assert.equal(outside.status, 400);
    await signedIn(maya, "/login?target_link_uri=https%3A%2F%2Fevil.example%2F");
  });

  test("a callback that nobody waits for, a forged logout token, a foreign form change nothing", async () => {
    const stray = await new Browser().open(`${portal}/callback?code=x&state=y&error_description=phish`);
    assert.equal(stray.status, 400);
    assert.doesNotMatch(stray.html, /phish/);

    const browser = await signedIn();
    const forged = await fetch(`${portal}/backchannel-logout`, {
      method: "POST",
      body: new URLSearchParams({ logout_token: "e30.e30.e30" }),
    });
    assert.equal(forged.status, 400);
    const foreign = await fetch(`${portal}/logout`, {
      method: "POST",
      headers: { "sec-fetch-site": "same-site" },
    });
    assert.equal(foreign.status, 403);
    assert.match((await browser.open(portal)).html, /Signed in as/);
  });

  test("a portal whose sign-in service is down says so", async () => {
    const down = await startPortal({
      look: "partnersource",
      name: "The Depot",
      tagline: "for tests",
      purpose: "Things.",
      port: await freePort(),
      issuer: `http://localhost:${await freePort()}`,
      clientId: "depot",
      clientSecret: secret,
    });
    running.push(down);
    const answer = await new Browser().open(`${down.url}/login`);
    assert.equal(answer.status, 503);
    assert.match(answer.html, /doesn&#39;t answer/);
  });
});
