/** Mailed links in a real browser: who may use one, from where, and what each dead one says. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { BrowserUser } from "../support/browser-user.ts";
import { type DemoDeployment, startDemoDeployment } from "../support/demo-deployment.ts";
import { type SharedBrowser, shareBrowser } from "../support/journey-browser.ts";
import { linkOf, mailsOf, newcomer, newestLink } from "../support/journey-deployment.ts";

const linkStep = "Enter the email address registered with your organization";

describe("mailed links", { concurrency: 3 }, () => {
  let shared: SharedBrowser<DemoDeployment>;
  let deployment: DemoDeployment;
  let browser: Browser;
  before(async () => {
    shared = await shareBrowser(startDemoDeployment);
    ({ deployment, browser } = shared);
  });
  after(() => shared?.close());

  test("an unknown address gets the same page and no mail", async () => {
    const person = await newcomer(deployment);
    const user = await BrowserUser.arrive(browser, deployment);
    const unknown = "nobody@registered.example";
    await user.askFrom("customersource", person, unknown);
    const shown = async (typed: string) => {
      const text = (await user.page.getByRole("main").textContent()) ?? "";
      assert.ok(text.includes(`You entered${typed}`), text);
      return withoutTimes(text.replace(typed, "…"));
    };
    const forUnknown = await shown(unknown);
    await user.follow("use another address");
    await user.sees(linkStep);
    assert.equal(
      await user.page.locator("#email").inputValue(),
      unknown,
      "what was typed is there to be mended",
    );
    await user.ask(person.registered);
    assert.equal(await shown(person.registered), forUnknown);
    await mailsOf(deployment, person.registered);
    assert.deepEqual(
      await deployment.mailsTo(unknown),
      [],
      "inquiries are answered in order, so its time is over",
    );
    await user.leave();
  });

  test("signed in as another account: the page names both, and switching links", async () => {
    const [asker, other] = [await newcomer(deployment), await newcomer(deployment)];
    const user = await BrowserUser.arrive(browser, deployment);
    await user.askFrom("customersource", asker);
    const elsewhere = await BrowserUser.arrive(browser, deployment);
    await elsewhere.redeem(await newestLink(deployment, asker.registered), other);
    await elsewhere.sees("This link is for another account");
    await elsewhere.reads(`${asker.username}@home.example`);
    await elsewhere.reads(`${other.username}@home.example`);
    await elsewhere.page.reload();
    await elsewhere.sees("This link is for another account");
    await elsewhere.press("Sign in with the other account");
    await elsewhere.authenticate(asker);
    await elsewhere.sees("Your account is linked");
    await elsewhere.leave();
    await user.isSignedIn(asker);
    await user.leave();
  });

  test("opened on another device: the waiting tab goes on by itself, the device signs in too", async () => {
    const person = await newcomer(deployment);
    const computer = await BrowserUser.arrive(browser, deployment, { width: 1280 });
    await computer.askFrom("customersource", person);
    const phone = await BrowserUser.arrive(browser, deployment);
    await phone.redeem(await newestLink(deployment, person.registered), person);
    await phone.sees("Your account is linked");
    await computer.isSignedIn(person);
    await phone.page.reload();
    await phone.sees("Your account is linked");
    await phone.follow("Continue to CustomerSource");
    await phone.isSignedIn(person);
    await Promise.all([computer.leave(), phone.leave()]);
  });

  test("a profile that doesn't open this portal: the waiting tab says so and keeps waiting", async () => {
    const person = await newcomer(deployment, ["partner", "customer"]);
    const user = await BrowserUser.arrive(browser, deployment);
    await user.askFrom("customersource", person);
    const [partner, customer] = inOrder(await mailsOf(deployment, person.registered, 2));
    const phone = await BrowserUser.arrive(browser, deployment);
    await phone.redeem(linkOf(partner), person);
    await phone.sees("Your account is linked");
    await phone.reads("Continue to PartnerSource");
    await user.reads("Still waiting for a profile that opens this portal.");
    await user.follow("I've opened the link – continue");
    await user.reads("A profile has been linked");
    await user.reads("But it doesn't open CustomerSource.");
    await user.follow("Why doesn't it open CustomerSource?");
    await user.sees("Your profile doesn't open CustomerSource");
    await user.reads("CustomerSource isn't open to partners.");
    await user.page.goBack();
    await user.sees("Check your email");
    await phone.redeem(linkOf(customer), person);
    await phone.sees("Your account is linked");
    await user.isSignedIn(person);
    await Promise.all([user.leave(), phone.leave()]);

    /** The partner's mail first. */
    function inOrder<Mail extends { subject: string }>(mails: Mail[]): Mail[] {
      return mails.toSorted((mail) => (mail.subject.includes("partner") ? -1 : 1));
    }
  });

  test("a used link says so, also to a landing page that was left open", async () => {
    const person = await newcomer(deployment);
    const user = await BrowserUser.arrive(browser, deployment);
    await user.askFrom("customersource", person);
    const link = await newestLink(deployment, person.registered);
    const [first, second] = [await user.newTab(), await user.newTab()];
    await second.open(link);
    await first.redeem(link, person);
    await first.sees("Your account is linked");
    await second.press("Continue to sign in");
    await second.sees("This link has already been used");
    await second.open(link);
    await second.sees("This link has already been used");
    await second.follow("Go to CustomerSource");
    await second.sees(/^(Welcome to CustomerSource|Signed in as )/);
    await user.leave();
  });

  test("a newer mail replaces the link of an older one", async () => {
    const person = await newcomer(deployment);
    const user = await BrowserUser.arrive(browser, deployment);
    await user.askFrom("customersource", person);
    const [older] = await mailsOf(deployment, person.registered);
    await user.follow("use another address");
    await user.ask(person.registered);
    const newest = await newestLink(deployment, person.registered, 2);
    const tab = await user.newTab();
    await tab.open(linkOf(older));
    await tab.sees("A newer email replaces this link");
    await tab.redeem(newest, person);
    await tab.sees("Your account is linked");
    await user.isSignedIn(person);
    await user.leave();
  });

  test("declining asks to sign in, cancels the link, and leaves the profile free", async () => {
    const [asker, owner] = [await newcomer(deployment), await newcomer(deployment)];
    const user = await BrowserUser.arrive(browser, deployment);
    await user.askFrom("customersource", asker);
    const link = await newestLink(deployment, asker.registered);
    const decliner = await BrowserUser.arrive(browser, deployment);
    await decliner.open(link);
    await decliner.press("Don't link");
    await decliner.authenticate(owner);
    await decliner.sees("The link has been cancelled");
    await decliner.page.reload();
    await decliner.sees("The link has been cancelled");
    await decliner.open(link);
    await decliner.sees("This link has been cancelled");
    await decliner.leave();
    await user.follow("I've opened the link – continue");
    await user.sees("Check your email");
    await user.leave();
  });

  test("cancelling at the upstream leads back to the link, which still works", async () => {
    const person = await newcomer(deployment);
    const user = await BrowserUser.arrive(browser, deployment);
    await user.askFrom("customersource", person);
    const tab = await user.newTab();
    await tab.open(await newestLink(deployment, person.registered));
    await tab.press("Continue to sign in");
    await tab.follow("Cancel");
    await tab.sees("Do you want to link this account?");
    await tab.press("Continue to sign in");
    await tab.authenticate(person);
    await tab.sees("Your account is linked");
    await user.isSignedIn(person);
    await user.leave();
  });

  test("cancelled at the upstream, the link's page leads to the portal, the link still works", async () => {
    const person = await newcomer(deployment);
    const user = await BrowserUser.arrive(browser, deployment);
    await user.askFrom("customersource", person);
    const tab = await user.newTab();
    const link = await newestLink(deployment, person.registered);
    await tab.open(link);
    await tab.press("Continue to sign in");
    await tab.follow("Cancel");
    await tab.reads("Nothing has been decided");
    await tab.press("Go back to CustomerSource");
    await tab.reads("The sign-in was cancelled, or your account isn't admitted here.");
    await tab.open(link);
    await tab.press("Continue to sign in");
    await tab.authenticate(person);
    await tab.sees("Your account is linked");
    await user.leave();
  });

  test("a link that was cut off, and one whose cookie was lost", async () => {
    const person = await newcomer(deployment);
    const user = await BrowserUser.arrive(browser, deployment);
    await user.askFrom("customersource", person);
    const link = await newestLink(deployment, person.registered);
    await user.open(link.slice(0, -3));
    await user.sees("This link doesn't work");
    await user.open(link);
    await user.sees("Do you want to link this account?");
    await user.context.clearCookies();
    await user.page.reload();
    await user.sees("Open the link in the email again");
    await user.open(link);
    await user.sees("Do you want to link this account?");
    await user.leave();
  });
});

/** The countdown and the code are what differs from page to page. */
function withoutTimes(text: string | null): string {
  return (text ?? "").replace(/\d+ seconds?|Code ?[A-Z]{4}\b/g, "");
}
