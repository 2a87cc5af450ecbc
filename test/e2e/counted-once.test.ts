/**
 * The figures when the store doesn't answer and pages are loaded again: what happened once is counted once.
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { openLink, people, register, signIn, signInUpstream, startLiaison } from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";
import { StoreControl } from "../support/store-control.ts";

it("a sign-in and a link whose answers were lost, and pages loaded anew, are counted once each", async () => {
  const control = new StoreControl();
  const liaison = await startLiaison({ decorate: control.decorate });
  try {
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "p-ann", email: "ann@northwind.example" },
    ]);
    const browser = liaison.browser();
    control.mute.add("accounts.signIn");
    const lost = await signIn(browser, await liaison.customerSource.start(), people.ann);
    assert.equal(lost.status, 503);
    assert.equal((await browser.visit(lost.url)).status, 503);
    control.mute.clear();
    const linkStep = await browser.visit(lost.url);
    assert.match(linkStep.heading, /registered/i);
    await browser.press(linkStep, /^(Continue|Send)/, { email: "ann@northwind.example" });

    const [mail] = await liaison.mailbox.arrived(1);
    const link = linkIn(mail ?? assert.fail("no mail"));
    const otherTab = await browser.press(await browser.visit(link), "Continue to sign in");
    control.mute.add("links.redeem");
    const page = await openLink(browser, link, people.ann);
    assert.equal(page.status, 503);
    control.mute.clear();
    assert.equal((await browser.visit(page.url)).heading, "Your account is linked");
    // The other tab comes to a link that is used, by this very account.
    assert.match((await signInUpstream(browser, otherTab, people.ann)).text, /used|linked/);

    const expected = { links_asked: 1, links_bound: 1, mails_sent: 2, "upstream_sign_ins:fabrikam": 3 };
    const now = () => liaison.clock.now();
    const totals = async () => {
      const counts = await liaison.store.administration.counts(now() - 2 * 3_600_000, now() + 1);
      return Object.fromEntries(counts.map(({ name, count }) => [name, count]));
    };
    const deadline = Date.now() + 25_000;
    while ((await totals())["mails_sent"] !== 2 && Date.now() < deadline) await pause(200);
    assert.deepEqual(await totals(), expected);
  } finally {
    await liaison.close();
  }
});
