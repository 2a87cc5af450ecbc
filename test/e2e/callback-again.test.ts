/**
 * A callback that the store couldn't serve is loaded again: what the upstream proved meanwhile isn't lost.
 */

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { asLinkRequestId, asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import { type Liaison, openLink, people, register, signIn, startLiaison } from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";
import { StoreControl } from "../support/store-control.ts";
import type { Page, UserAgent } from "../support/user-agent.ts";

const address = "ann@northwind.example";
const keptSeconds = 120;

describe("a callback that the store couldn't serve", () => {
  const control = new StoreControl();
  let liaison: Liaison;
  let browser: UserAgent;
  before(async () => {
    liaison = await startLiaison({ decorate: control.decorate });
    await register(liaison, { id: asOrganizationId("northwind") }, [{ id: "p-ann", email: address }]);
  });
  after(() => liaison?.close());
  beforeEach(async () => {
    recover();
    await liaison.store.links.unbind(asProfileId("p-ann"), "test", liaison.clock.now());
    browser = liaison.browser();
  });

  function recover(): void {
    control.down.clear();
    control.mute.clear();
  }

  /** Ann comes back from the upstream while a call of the store is down; the 503 page. */
  async function refusedWhile(call: string, how: "down" | "mute" = "down"): Promise<Page> {
    control[how].add(call);
    const page = await signIn(browser, await liaison.customerSource.start(), people.ann);
    assert.equal(page.status, 503, page.text);
    assert.match(page.url.pathname, /\/callback$/);
    return page;
  }

  const proofs = async ({ jar }: UserAgent) =>
    (await jar.getCookies(`${liaison.issuer}/upstream/fabrikam/callback`)).filter(({ key }) =>
      /proven/.test(key),
    );

  const calls = ["signIns.take", "accounts.signIn", "signIns.leaveOutcome"];
  for (const [call, how] of calls.flatMap((name) => [[name, "down"] as const, [name, "mute"] as const])) {
    it(`leads on when it is loaded again (${call} ${how})`, async () => {
      const page = await refusedWhile(call, how);
      assert.equal((await browser.visit(page.url)).status, 503, "still down");
      recover();
      const again = await browser.visit(page.url);
      assert.match(again.heading, /registered/i, again.text);
      assert.deepEqual(await proofs(browser), [], "what was kept is gone");
      const spent = await browser.visit(page.url);
      assert.equal(spent.status, 400, "and leads on once");
    });
  }

  for (const how of ["down", "mute"] as const) {
    it(`carries out a link when it is loaded again, once (${how})`, async () => {
      await redeemsOnce(how);
    });
  }

  async function redeemsOnce(how: "down" | "mute"): Promise<void> {
    const before = liaison.mailbox.mails.length;
    const linkStep = await signIn(browser, await liaison.customerSource.start(), people.ann);
    await browser.press(linkStep, /^(Continue|Send)/, { email: address });
    const mail = (await liaison.mailbox.arrived(before + 1))[before] ?? assert.fail("no mail");
    control[how].add("links.redeem");
    const page = await openLink(browser, linkIn(mail), people.ann);
    assert.equal(page.status, 503);
    recover();
    assert.equal((await browser.visit(page.url)).heading, "Your account is linked");
    const [, notice] = (await liaison.mailbox.arrived(before + 2)).slice(before);
    assert.match(notice?.text ?? "", /was linked to Ann Archer/);
    const events = await liaison.store.audit.list({ profileId: asProfileId("p-ann"), limit: 100 });
    const since = events.findIndex(({ action }) => action === "profile.unbound");
    const mine = since === -1 ? events : events.slice(0, since);
    assert.equal(mine.filter(({ action }) => action === "profile.bound").length, 1);
  }

  for (const [call, how] of [
    ["links.cancel", "down"],
    ["links.cancel", "mute"],
    ["artifacts.upsert", "down"],
  ] as const) {
    it(`loaded again it declines a link, and says so in all of their browsers (${call} ${how})`, async () => {
      const before = liaison.mailbox.mails.length;
      const linkStep = await signIn(browser, await liaison.customerSource.start(), people.ann);
      const waiting = await browser.press(linkStep, /^(Continue|Send)/, { email: address });
      const mail = (await liaison.mailbox.arrived(before + 1))[before] ?? assert.fail("no mail");
      control[how].add(call);
      const elsewhere = liaison.browser();
      const page = await openLink(elsewhere, linkIn(mail), people.ann, "Don’t link");
      assert.equal(page.status, 503, page.text);
      recover();
      assert.equal((await elsewhere.visit(page.url)).heading, "The link has been cancelled");
      assert.match((await browser.visit(waiting.url)).text, /The link was declined/);
      const requestId = asLinkRequestId(new URL(linkIn(mail)).pathname.split("/").at(-2) ?? "");
      const actions = (await liaison.store.audit.list({ requestId, limit: 100 })).map(({ action }) => action);
      assert.deepEqual(actions.toSorted(), ["link.cancelled", "link.opened", "link.requested"]);
    });
  }

  it("is nobody else's, and not for long", async () => {
    const page = await refusedWhile("accounts.signIn");
    control.down.clear();
    const [kept] = await proofs(browser);
    assert.ok(kept?.httpOnly && kept.path === "/upstream/fabrikam/callback", String(kept));
    assert.ok(
      !kept.value.includes("ann@") && !Buffer.from(kept.value, "base64url").includes("ann"),
      "sealed",
    );

    const thief = liaison.browser();
    await thief.jar.setCookie(kept.toString(), page.url.href);
    assert.equal(
      (await thief.visit(page.url)).status,
      400,
      "without the cookie of the sign-in it is worth nothing",
    );

    const bent = new URL(page.url);
    bent.searchParams.set("state", "another");
    assert.equal((await browser.visit(bent)).status, 400, "nor with another state");

    liaison.clock.advance(keptSeconds + 1);
    const later = await browser.visit(page.url);
    assert.equal(later.heading, "Sign in to CustomerSource", "nor later: it leads back to where it began");
  });
});
