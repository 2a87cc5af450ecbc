/** Sessions under odd circumstances: ended, shared, outlived, switched, and with the store gone. */

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import {
  type Liaison,
  openLink,
  people,
  register,
  signIn,
  signInUpstream,
  startLiaison,
} from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";
import { StoreControl } from "../support/store-control.ts";
import type { UserAgent } from "../support/user-agent.ts";

describe("sessions", () => {
  const control = new StoreControl();
  let liaison: Liaison;
  let person = 0;
  /** An address of this test's own, with two customer profiles and two of a partner. */
  let address: string;

  before(async () => {
    liaison = await startLiaison({ decorate: control.decorate });
  });
  after(() => liaison.close());
  beforeEach(async () => {
    person += 1;
    control.down.clear();
    address = `person-${person}@shared.example`;
    await register(liaison, { id: asOrganizationId(`customer-${person}`) }, [
      { id: `c1-${person}`, email: address },
      { id: `c2-${person}`, email: address },
    ]);
    await register(liaison, { id: asOrganizationId(`partner-${person}`), kind: "partner" }, [
      { id: `p1-${person}`, email: address },
      { id: `p2-${person}`, email: address },
    ]);
  });

  afterEach(async () => {
    for (const id of ["c1", "c2", "p1", "p2"])
      await liaison.store.links.unbind(asProfileId(`${id}-${person}`), "test", Date.now());
  });

  /** Asks for links at the address and redeems those of the profiles named. Returns the waiting page. */
  async function link(browser: UserAgent, who: (typeof people)["ann"], profiles: string[]) {
    const step = await signIn(browser, await liaison.customerSource.start(), who);
    const waiting = await browser.press(step, "Continue", { email: address });
    for (const name of profiles) await openLink(browser, linkIn(await linkMail(name)), who);
    return waiting;
  }

  /** The link mail for a profile of this test. */
  async function linkMail(profile: string) {
    for (let count = 1; ; count += 1) {
      const mails = await liaison.mailbox.arrived(count);
      const mail = mails.find(
        ({ to, text }) => to === address && text.includes(`Profile ${profile}-${person}`),
      );
      if (mail !== undefined) return mail;
      count = mails.length;
    }
  }

  it("stays ended when a request that was under way saves it afterwards", async () => {
    const browser = liaison.browser();
    const waiting = await link(browser, people.ann, ["c1"]);
    await browser.visit(waiting.link(/opened the link/));
    const { reached, release } = control.pauseNext("artifacts.upsertSession");
    const underWay = browser.visit((await liaison.customerSource.start()).url);
    await reached;
    const confirm = await browser.visit(`${liaison.issuer}/logout`);
    await browser.press(confirm, "Sign out");
    release();
    const late = await underWay;
    assert.equal(late.url.searchParams.get("error"), "login_required", `${late.status} ${late.text}`);
    const silent = await browser.visit((await liaison.customerSource.start({ prompt: "none" })).url);
    assert.equal(silent.url.searchParams.get("error"), "login_required");
  });

  it("keeps what one portal switched while another signs on", async () => {
    const browser = liaison.browser();
    const waiting = await link(browser, people.ann, ["c1", "p1", "p2"]);
    await browser.visit(waiting.link(/opened the link/));
    const first = await liaison.partnerSource.start();
    await browser.press(await browser.visit(first.url), "Continue", { profile_id: `p1-${person}` });
    const { reached, release } = control.pauseNext("artifacts.upsertSession");
    const other = browser.visit((await liaison.customerSource.start()).url);
    await reached;
    const switching = await liaison.partnerSource.start({ prompt: "select_account" });
    const chosen = await browser.press(await browser.visit(switching.url), "Continue", {
      profile_id: `p2-${person}`,
    });
    const tokens = await liaison.partnerSource.exchange(chosen.url, switching);
    release();
    assert.ok((await other).url.searchParams.has("code"));
    const claims = await liaison.partnerSource.userinfo(tokens.access_token, tokens.claims()?.sub ?? "");
    assert.equal(claims["profile_id"], `p2-${person}`);
    await liaison.partnerSource.refresh(tokens.refresh_token ?? "");
  });

  it("asks who has come to have a second profile, and remembers the answer", async () => {
    const browser = liaison.browser();
    const waiting = await link(browser, people.ann, ["c1"]);
    assert.equal((await browser.visit(waiting.link(/opened the link/))).status, 0);
    await openLink(browser, linkIn(await linkMail("c2")), people.ann);

    const elsewhere = liaison.browser();
    const chooser = await signIn(elsewhere, await liaison.customerSource.start(), people.ann);
    assert.equal(chooser.dom.querySelectorAll("input[type=radio]").length, 2, chooser.text);
    await elsewhere.press(chooser, "Continue", { profile_id: `c2-${person}` });
    const third = await signIn(liaison.browser(), await liaison.customerSource.start(), people.ann);
    assert.equal(third.status, 0, "the choice is remembered in any browser");
  });

  it("that another person took over says so in the words of this browser", async () => {
    const browser = liaison.browser();
    const step = await signIn(browser, await liaison.customerSource.start(), people.ann);
    const other = await browser.visit((await liaison.customerSource.start()).url);
    const form = await browser.press(other, "Use another account");
    const switching = await signInUpstream(browser, form, people.eve);
    assert.match(switching.heading, /account/i);
    assert.match(switching.text, /help@contoso\.example/, "a page of ours, with whom to write to");
    const policy = switching.headers.get("content-security-policy") ?? "";
    assert.match(policy, /form-action 'self' http:\/\/localhost:9/, "the form leads on to the portal");
    await browser.press(switching, "Continue");
    const lost = await browser.visit(step.url);
    assert.equal(lost.status, 400);
    assert.doesNotMatch(lost.text, /another browser/);
  });

  it("that is over already leads back to the portal that signs out", async () => {
    const logout = new URL(`${liaison.issuer}/logout`);
    logout.searchParams.set("client_id", "customersource");
    logout.searchParams.set("post_logout_redirect_uri", "http://localhost:9/customersource/signed-out");
    const browser = liaison.browser();
    const page = await browser.visit(logout);
    assert.match(
      page.headers.get("content-security-policy") ?? "",
      /form-action 'self' http:\/\/localhost:9/,
    );
    const back = await browser.press(page, "Continue");
    assert.equal(back.status, 0, back.text);
    assert.equal(back.url.href, "http://localhost:9/customersource/signed-out");
  });

  it("begin by a POST as well", async () => {
    const { url } = await liaison.customerSource.start({ scope: "openid offline_access" });
    const posted = new URL(url.origin + url.pathname);
    const page = await liaison.browser().visit(posted, { method: "POST", body: url.searchParams });
    assert.match(page.url.pathname, /^\/interaction\//);
  });

  it("answer 503 with a page, or in JSON to programs, while the store is down", async () => {
    const browser = liaison.browser();
    const waiting = await link(browser, people.ben, ["c1"]);
    const started = await liaison.customerSource.start();
    const end = await browser.visit(waiting.link(/opened the link/));
    assert.equal(end.status, 0);
    const code = await browser.visit(started.url);
    const tokens = await liaison.customerSource.exchange(code.url, started);
    for (const down of ["accountsAtClients.*", "*"]) {
      control.down.clear();
      control.down.add(down);
      liaison.clock.advance(60);
      const page = await browser.visit((await liaison.customerSource.start()).url);
      assert.equal(page.status, 503, `${down}: ${page.text}`);
      assert.match(page.text, /help@contoso\.example/);
      const userinfo = await fetch(`${liaison.issuer}/userinfo`, {
        headers: { authorization: `Bearer ${tokens.access_token}` },
      });
      assert.equal(userinfo.status, 503, down);
      assert.equal(((await userinfo.json()) as { error: string }).error, "temporarily_unavailable");
    }
    assert.equal((await browser.visit(`${liaison.issuer}/help`)).status, 200, "help needs no store");
    control.down.clear();
    const recovered = await browser.visit((await liaison.customerSource.start()).url);
    assert.equal(recovered.status, 0);
  });

  // Last: oidc-provider's own clock stays behind, so that what begins after this has expired already.
  it("lasts as long as the page that waits for a mail", async () => {
    const browser = liaison.browser();
    const started = await liaison.customerSource.start();
    const step = await signIn(browser, started, people.ann);
    const { idle_seconds: idle } = liaison.config.sessions;
    liaison.clock.advance(idle - 600);
    const waiting = await browser.press(step, "Continue", { email: address });
    liaison.clock.advance(1500);
    const status = await browser.once(waiting.url.href.replace("/waiting", "/status"));
    assert.equal(status.status, 200, status.body);
    assert.deepEqual(JSON.parse(status.body), { state: "waiting", linked: [] });
  });
});

describe("addresses", () => {
  let liaison: Liaison;
  before(async () => {
    liaison = await startLiaison({ upstream: false });
  });
  after(() => liaison.close());

  /** One request as it stands, as no client would send it. */
  function raw(target: string): Promise<string> {
    const { port } = new URL(liaison.issuer);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), "127.0.0.1", () => {
        socket.write(`GET ${target} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`);
      });
      let answer = "";
      socket.on("data", (chunk: Buffer) => {
        answer += chunk.toString();
      });
      socket.on("end", () => resolve(answer));
      socket.on("error", reject);
    });
  }

  it("come from the issuer, whatever host the request's target or headers name (M1)", async () => {
    const path = "/.well-known/openid-configuration";
    for (const target of [`http://evil.example${path}`, path]) {
      const answer = await raw(target);
      assert.match(answer, /^HTTP\/1\.1 200/);
      assert.doesNotMatch(answer, /evil\.example/);
      assert.ok(answer.includes(`"issuer":"${liaison.issuer}"`));
    }
  });

  it("of links that no mail holds are explained and never a fault of ours", async () => {
    for (const path of ["/link/a%20b%3B/xyz", "/link/a%20b%3B", "/link/x/confirm"]) {
      const page = await liaison.browser().visit(liaison.issuer + path);
      assert.equal(page.status, 404, path);
      assert.match(page.text, /help@contoso\.example/);
    }
  });
});
