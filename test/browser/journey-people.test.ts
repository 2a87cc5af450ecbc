/** What happens to each of the demo's people, the first time and ever after. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import type { Expectation } from "../../src/demo/people.ts";
import { BrowserUser } from "../support/browser-user.ts";
import { type DemoDeployment, startDemoDeployment } from "../support/demo-deployment.ts";
import { type SharedBrowser, shareBrowser } from "../support/journey-browser.ts";
import { linkOf, mailsOf, newcomer, newestLink } from "../support/journey-deployment.ts";

describe("the demo's people", { concurrency: 3 }, () => {
  let shared: SharedBrowser<DemoDeployment>;
  let deployment: DemoDeployment;
  let browser: Browser;
  before(async () => {
    shared = await shareBrowser(startDemoDeployment);
    ({ deployment, browser } = shared);
  });
  after(() => shared?.close());

  test("linked_once: links by mail, then goes straight there, in this browser and others", async () => {
    const amara = deployment.person("linked_once");
    const user = await BrowserUser.arrive(browser, deployment);
    await user.askFrom(amara.portal, amara);
    const [mail] = await mailsOf(deployment, amara.registered);
    assert.match(
      mail?.text ?? "",
      /The link works once, for 30 minutes: until .+ \(Coordinated Universal Time\)/,
    );
    const tab = await user.newTab();
    await tab.redeem(await newestLink(deployment, amara.registered), amara);
    await tab.sees("Your account is linked");
    await user.isSignedIn(amara);
    await user.reads("Harbour Foods Ltd");
    const [, notice] = await mailsOf(deployment, amara.registered, 2);
    assert.equal(notice?.subject, "Your profile at Harbour Foods Ltd has been linked");

    const before = user.pageLoads.length;
    await user.open(`${deployment.portals.customersource}/login`);
    await user.isSignedIn(amara);
    assert.equal(user.pageLoads.length, before + 1, "no page between the portal and the portal");
    await user.leave();

    const elsewhere = await BrowserUser.arrive(browser, deployment, { width: 1280 });
    await elsewhere.startAt(amara.portal);
    await elsewhere.sees("Sign in to CustomerSource");
    await elsewhere.signIn(amara);
    await elsewhere.isSignedIn(amara);
    assert.equal(pagesOf(elsewhere).length, 1, "the first visit of a browser offers the upstreams");
    await elsewhere.press("Sign out");
    await elsewhere.reads("You are signed out.");
    await elsewhere.follow("Sign in");
    await elsewhere.sees("Sign in to CustomerSource");
    await elsewhere.reads("This browser was signed out");
    await elsewhere.signIn(amara);
    await elsewhere.isSignedIn(amara);
    const signedIn = pagesOf(elsewhere).length;
    await elsewhere.context.clearCookies({ name: /^liaison\.session/ });
    await elsewhere.open(`${deployment.portals.customersource}/login`);
    await elsewhere.isSignedIn(amara);
    assert.equal(pagesOf(elsewhere).length, signedIn, "later visits show no page of ours");
    assert.equal((await deployment.mailsTo(amara.registered)).length, 2);
    await elsewhere.leave();
  });

  test("chooser: exactly three mails, each link adds a profile, the person chooses switches", async () => {
    const mateo = deployment.person("chooser");
    // Without JavaScript nothing goes on by itself before all three are linked.
    const user = await BrowserUser.arrive(browser, deployment, { javaScript: false });
    await user.askFrom(mateo.portal, mateo);
    const links = await mailsOf(deployment, mateo.registered, 3);
    const phone = await BrowserUser.arrive(browser, deployment);
    for (const mail of links) {
      await phone.redeem(linkOf(mail), mateo);
      await phone.sees("Your account is linked");
      await phone.reads(organizationIn(mail.subject));
    }
    await phone.leave();
    const mails = await mailsOf(deployment, mateo.registered, 6);
    assert.equal(mails.filter(({ subject }) => subject.startsWith("Link your account")).length, 3);

    await user.follow("I've opened the link – continue");
    await user.sees("Which profile do you want to use?");
    assert.equal(await user.page.getByRole("radio").count(), 2, "CustomerSource admits two of the three");
    await user.press("Continue");
    await user.reads("There is a problem");
    await user.page.getByRole("radio", { name: /Andes Textiles/ }).check();
    await user.press("Continue");
    await user.isSignedIn(mateo);
    await user.reads("Andes Textiles S.A.");

    await user.follow("Switch profile");
    await user.sees("Which profile do you want to use?");
    assert.ok(await user.page.getByRole("radio", { name: /Andes Textiles/ }).isChecked());
    await user.page.getByRole("radio", { name: /Bahía Blanca/ }).check();
    await user.press("Continue");
    await user.isSignedIn(mateo);
    await user.reads("Bahía Blanca Logistics");

    await user.open(`${deployment.portals.partnersource}/login`);
    await user.isSignedIn(mateo);
    await user.reads("Fernández Consulting");
    await user.leave();
  });

  test("other_email: the upstream's address doesn't matter, the registered one does", async () => {
    const yuki = deployment.person("other_email");
    const user = await BrowserUser.arrive(browser, deployment);
    await user.startAt(yuki.portal);
    await user.signIn(yuki);
    await user.sees("Enter the email address registered with your organization");
    await user.reads("yuki.and.mochi@mail.example");
    await user.ask(yuki.registered);
    const tab = await user.newTab();
    await tab.redeem(await newestLink(deployment, yuki.registered), yuki);
    await tab.sees("Your account is linked");
    await user.isSignedIn(yuki);
    await user.reads("y.tanaka@kitano-systems.example (verified)");
    assert.deepEqual(await deployment.mailsTo("yuki.and.mochi@mail.example"), []);
    await user.leave();
  });

  const reasons: [Expectation, string | RegExp][] = [
    ["plan_lapsed", /^The service plan of Solberg Shipping AS ended on /],
    ["disabled", "This profile is switched off."],
    ["partner_only", "CustomerSource isn't open to partners."],
  ];
  for (const [expect, reason] of reasons) {
    test(`${expect}: one sign-in shows the reason`, async () => {
      const person = deployment.person(expect);
      const user = await BrowserUser.arrive(browser, deployment);
      await user.startAt(person.portal);
      await user.signIn(person);
      await user.sees("Your profile doesn't open CustomerSource");
      await user.reads(reason);
      await user.reads("support@contoso.example");
      if (expect === "partner_only") {
        await user.follow("PartnerSource");
        await user.follow("Sign in");
        await user.isSignedIn(person);
        await user.reads("Lotus Implementation Partners");
      } else {
        await user.press("Go back to CustomerSource");
        await user.reads("The sign-in was cancelled, or your account isn't admitted here.");
      }
      await user.leave();
    });
  }

  test("signing out at one portal signs out at the other", async () => {
    const person = await newcomer(deployment, ["customer", "partner"]);
    const user = await BrowserUser.arrive(browser, deployment);
    await user.askFrom("customersource", person);
    const tab = await user.newTab();
    for (const mail of await mailsOf(deployment, person.registered, 2)) {
      await tab.redeem(linkOf(mail), person);
      await tab.sees("Your account is linked");
    }
    await user.isSignedIn(person);
    await tab.follow(/^Continue to/);
    await tab.open(`${deployment.portals.partnersource}/login`);
    await tab.isSignedIn(person);
    await user.press("Sign out");
    await user.reads("You are signed out.");
    await tab.reloadsUntil(
      "You were signed out here because your sign-in ended elsewhere, or your access changed.",
    );
    await tab.leave();
  });

  /** The pages of ours that a browser has shown. */
  function pagesOf(user: BrowserUser): string[] {
    return user.pageLoads.filter((url) => url.startsWith(deployment.issuer));
  }
});

function organizationIn(subject: string): string {
  return subject.replace("Link your account to ", "");
}
