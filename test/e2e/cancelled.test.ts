/**
 * Who cancels, is refused or isn't let in: another try, and a way back that tells the portal. At the sign-in,
 * at the sign-in of a mailed link, and where no profile opens the portal.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { mailsTo, requestOf } from "../support/attack-fixture.ts";
import { register } from "../support/liaison.ts";
import {
  type LyingUpstreamFixture,
  type SentOff,
  startLyingUpstreamFixture,
} from "../support/lying-upstream-fixture.ts";
import { linkIn } from "../support/mailbox.ts";
import { rawRequest } from "../support/raw-request.ts";
import type { Page, UserAgent } from "../support/user-agent.ts";

/** As Apple, LinkedIn, LemonLDAP::NG, Microsoft and the standards call it. */
const names = [
  "access_denied",
  "user_cancelled_authorize",
  "user_cancelled_login",
  "user_cancelled",
  "consent_required",
  "interaction_required",
  "login_required",
  "account_selection_required",
  "authorization_declined",
  "cancelled_by_user",
];

const wayBack = "Go back to CustomerSource";

describe("cancelling and refusing", () => {
  let fixture: LyingUpstreamFixture;
  before(async () => {
    fixture = await startLyingUpstreamFixture();
    await fixture.linked("ann");
  });
  after(() => fixture.close());

  const cancel = (sent: Pick<SentOff, "browser" | "request">, error = "access_denied") =>
    fixture.comeBack(sent, {}, { code: null, error });

  /** That the portal was told, in answer to its own request. */
  function assertTold(page: Page, state: string): void {
    const { searchParams, port } = page.url;
    assert.equal(port, "9", `${page.status} ${page.url} ${page.text}`);
    assert.equal(searchParams.get("error"), "access_denied");
    assert.equal(searchParams.get("state"), state);
    assert.equal(searchParams.get("iss"), fixture.liaison.issuer);
    assert.equal(searchParams.has("code"), false);
  }

  for (const name of names) {
    it(`${name} at the sign-in: another try, or back to the portal, told access_denied`, async () => {
      const sent = await fixture.sendOff();
      const page = await cancel(sent, name);
      assert.equal(`${page.status} ${page.heading}`, "200 Sign in to CustomerSource");
      assert.match(page.text, /Signing in was cancelled/);
      assert.match(fixture.reasons.at(-1) ?? "", new RegExp(`its authorization endpoint answered ${name}`));
      const again = await fixture.leave(sent.browser, await sent.browser.press(page, /Liar/));
      assert.equal(
        (await fixture.comeBack(again, { claims: { sub: "ann" } })).url.searchParams.has("code"),
        true,
      );

      const other = await fixture.sendOff();
      const told = await other.browser.press(await cancel(other, name), wayBack);
      assertTold(told, other.started.state);
    });

    it(`${name} at a mailed link's sign-in: nothing is decided, again, or back to the portal`, async () => {
      const { browser, link, state } = await askedForLink(`at-link-${name}`);
      for (const button of ["Continue to sign in", /^Don.t link$/]) {
        const leaving = await fixture.leave(browser, await browser.press(await browser.visit(link), button));
        const page = await cancel(leaving, name);
        assert.equal(`${page.status} ${page.heading}`, "200 Do you want to link this account?");
        assert.match(page.text, /Nothing has been decided/);
        assert.equal((await requestOf(fixture.liaison, link)).state, "pending");
        const again = await fixture.leave(browser, await browser.press(page, button));
        if (button === "Continue to sign in") continue;
        const told = await browser.press(await cancel(again, name), wayBack);
        assertTold(told, state);
      }
      assert.equal((await requestOf(fixture.liaison, link)).state, "pending");
    });
  }

  /** Somebody who asked for a link in this browser, and has its mail. */
  async function askedForLink(sub: string): Promise<{ browser: UserAgent; link: string; state: string }> {
    const email = `${sub}@liar.example`;
    await register(fixture.liaison, { id: asOrganizationId(sub) }, [{ id: sub, email }]);
    const sent = await fixture.sendOff();
    const step = await fixture.comeBack(sent, { claims: { sub } });
    await sent.browser.press(step, "Continue", { email });
    const [mail] = await mailsTo(fixture.liaison, email, 1);
    return { browser: sent.browser, link: linkIn(mail ?? assert.fail("no mail")), state: sent.started.state };
  }

  it("in another browser the link's page knows no portal, and the link goes on working", async () => {
    const { link } = await askedForLink("elsewhere");
    const sent = await fixture.redeem(link);
    const page = await cancel(sent);
    assert.match(page.text, /Nothing has been decided/);
    assert.throws(() => page.form(wayBack));
    const again = await fixture.leave(sent.browser, await sent.browser.press(page, "Continue to sign in"));
    assert.equal(
      (await fixture.comeBack(again, { claims: { sub: "elsewhere" } })).heading,
      "Your account is linked",
    );
  });

  it("a way back that was taken leads nowhere twice, and the portal can begin anew", async () => {
    const sent = await fixture.sendOff();
    const page = await cancel(sent);
    assertTold(await sent.browser.press(page, wayBack), sent.started.state);
    assert.equal((await sent.browser.press(page, wayBack)).status, 400);
    const next = await fixture.sendOff({}, sent.browser);
    assert.equal(
      (await fixture.comeBack(next, { claims: { sub: "ann" } })).url.searchParams.has("code"),
      true,
    );
  });

  it("S1: nobody else takes it: no cross-site post, no form without token, no other browser", async () => {
    const sent = await fixture.sendOff();
    const page = await cancel(sent);
    const { action, fields } = page.form(wayBack);
    const post = (headers: Record<string, string>) =>
      sent.browser.once(action, { method: "POST", body: fields, headers });
    assert.equal((await post({ "sec-fetch-site": "cross-site" })).status, 403);
    assert.equal((await post({ origin: "https://evil.example" })).status, 403);
    const bare = await sent.browser.once(action, { method: "POST", body: new URLSearchParams({}) });
    assert.equal(bare.status, 403);
    const stranger = await rawRequest(action.href, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: fields.toString(),
    });
    assert.equal(stranger.status, 403);
    assert.equal(
      (await sent.browser.once(action)).status,
      303,
      "its address alone leads back to the sign-in",
    );
    assertTold(await sent.browser.press(page, wayBack), sent.started.state);
  });

  it("not admitted: the portal is told, too", async () => {
    const started = await fixture.liaison.partnerSource.start();
    const browser = fixture.browser();
    const sent = await fixture.leave(browser, await browser.visit(started.url));
    const page = await fixture.comeBack(sent, { claims: { sub: "ann" } });
    assert.match(page.heading, /doesn.t open PartnerSource/);
    const told = await browser.press(page, "Go back to PartnerSource");
    assertTold(told, started.state);
    assert.match(told.url.searchParams.get("error_description") ?? "", /no linked profile is admitted/);
    const silent = await browser.visit((await fixture.liaison.customerSource.start({ prompt: "none" })).url);
    assert.equal(silent.url.searchParams.has("code"), true, "the session goes on elsewhere");
  });

  it("the administration's pages: back at the service's own first page, which begins nothing", async () => {
    const browser = fixture.browser();
    const sent = await fixture.leave(browser, await browser.visit(`${fixture.liaison.issuer}/admin`));
    const page = await browser.press(await cancel(sent), /^Go back to /);
    assert.equal(`${page.status} ${page.url.href}`, `200 ${fixture.liaison.issuer}/`);
  });

  it("a portal that takes its answers by a form is told by one", async () => {
    const sent = await fixture.sendOff({ response_mode: "form_post" });
    const page = await sent.browser.press(await cancel(sent), wayBack);
    assert.match(page.body, /name="error" value="access_denied"/);
    assert.match(page.body, new RegExp(`name="state" value="${sent.started.state}"`));
  });

  it("other errors stay what they were: nobody is told that they cancelled", async () => {
    for (const error of ["invalid_scope", "unauthorized_client", "server_error", "something_of_its_own"]) {
      const sent = await fixture.sendOff();
      const page = await cancel(sent, error);
      assert.ok(page.status >= 500, `${error}: ${page.status} ${page.heading}`);
    }
  });
});
