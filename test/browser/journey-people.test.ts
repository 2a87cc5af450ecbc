/** What happens to each of the demo's people, the first time and ever after. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import type { Expectation } from "../../src/demo/people.ts";
import { type DemoWorld, startDemoWorld } from "../support/demo-world.ts";
import { type Stage, setStage } from "../support/journey-stage.ts";
import { Visitor } from "../support/journey-visitor.ts";
import { linkOf, mailsOf, newcomer, newestLink } from "../support/journey-world.ts";

describe("the demo's people", { concurrency: 3 }, () => {
  let stage: Stage<DemoWorld>;
  let world: DemoWorld;
  let browser: Browser;
  before(async () => {
    stage = await setStage(startDemoWorld);
    ({ world, browser } = stage);
  });
  after(() => stage?.close());

  test("linked_once: links by mail, then goes straight there, in this browser and others", async () => {
    const amara = world.person("linked_once");
    const visitor = await Visitor.arrive(browser, world);
    await visitor.askFrom(amara.portal, amara);
    const [mail] = await mailsOf(world, amara.registered);
    assert.match(
      mail?.text ?? "",
      /The link works once, for 30 minutes: until .+ \(Coordinated Universal Time\)/,
    );
    const tab = await visitor.newTab();
    await tab.redeem(await newestLink(world, amara.registered), amara);
    await tab.sees("Your account is linked");
    await visitor.isSignedIn(amara);
    await visitor.reads("Harbour Foods Ltd");
    const [, notice] = await mailsOf(world, amara.registered, 2);
    assert.equal(notice?.subject, "Your profile at Harbour Foods Ltd has been linked");

    const before = visitor.pageLoads.length;
    await visitor.open(`${world.portals.customersource}/login`);
    await visitor.isSignedIn(amara);
    assert.equal(visitor.pageLoads.length, before + 1, "no page between the portal and the portal");
    await visitor.leave();

    const elsewhere = await Visitor.arrive(browser, world, { width: 1280 });
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
    await elsewhere.open(`${world.portals.customersource}/login`);
    await elsewhere.isSignedIn(amara);
    assert.equal(pagesOf(elsewhere).length, signedIn, "later visits show no page of ours");
    assert.equal((await world.mailsTo(amara.registered)).length, 2);
    await elsewhere.leave();
  });

  test("chooser: exactly three mails, each link adds a profile, the person chooses switches", async () => {
    const mateo = world.person("chooser");
    // Without JavaScript nothing goes on by itself before all three are linked.
    const visitor = await Visitor.arrive(browser, world, { javaScript: false });
    await visitor.askFrom(mateo.portal, mateo);
    const links = await mailsOf(world, mateo.registered, 3);
    const phone = await Visitor.arrive(browser, world);
    for (const mail of links) {
      await phone.redeem(linkOf(mail), mateo);
      await phone.sees("Your account is linked");
      await phone.reads(organizationIn(mail.subject));
    }
    await phone.leave();
    const mails = await mailsOf(world, mateo.registered, 6);
    assert.equal(mails.filter(({ subject }) => subject.startsWith("Link your account")).length, 3);

    await visitor.follow("I've opened the link – continue");
    await visitor.sees("Which profile do you want to use?");
    assert.equal(await visitor.page.getByRole("radio").count(), 2, "CustomerSource admits two of the three");
    await visitor.press("Continue");
    await visitor.reads("There is a problem");
    await visitor.page.getByRole("radio", { name: /Andes Textiles/ }).check();
    await visitor.press("Continue");
    await visitor.isSignedIn(mateo);
    await visitor.reads("Andes Textiles S.A.");

    await visitor.follow("Switch profile");
    await visitor.sees("Which profile do you want to use?");
    assert.ok(await visitor.page.getByRole("radio", { name: /Andes Textiles/ }).isChecked());
    await visitor.page.getByRole("radio", { name: /Bahía Blanca/ }).check();
    await visitor.press("Continue");
    await visitor.isSignedIn(mateo);
    await visitor.reads("Bahía Blanca Logistics");

    await visitor.open(`${world.portals.partnersource}/login`);
    await visitor.isSignedIn(mateo);
    await visitor.reads("Fernández Consulting");
    await visitor.leave();
  });

  test("other_email: the upstream's address doesn't matter, the registered one does", async () => {
    const yuki = world.person("other_email");
    const visitor = await Visitor.arrive(browser, world);
    await visitor.startAt(yuki.portal);
    await visitor.signIn(yuki);
    await visitor.sees("Enter the email address registered with your organization");
    await visitor.reads("yuki.and.mochi@mail.example");
    await visitor.ask(yuki.registered);
    const tab = await visitor.newTab();
    await tab.redeem(await newestLink(world, yuki.registered), yuki);
    await tab.sees("Your account is linked");
    await visitor.isSignedIn(yuki);
    await visitor.reads("y.tanaka@kitano-systems.example (verified)");
    assert.deepEqual(await world.mailsTo("yuki.and.mochi@mail.example"), []);
    await visitor.leave();
  });

  const reasons: [Expectation, string | RegExp][] = [
    ["plan_lapsed", /^The service plan of Solberg Shipping AS ended on /],
    ["disabled", "This profile is switched off."],
    ["partner_only", "CustomerSource isn't open to partners."],
  ];
  for (const [expect, reason] of reasons) {
    test(`${expect}: one sign-in shows the reason`, async () => {
      const person = world.person(expect);
      const visitor = await Visitor.arrive(browser, world);
      await visitor.startAt(person.portal);
      await visitor.signIn(person);
      await visitor.sees("Your profile doesn't open CustomerSource");
      await visitor.reads(reason);
      await visitor.reads("support@contoso.example");
      if (expect === "partner_only") {
        await visitor.follow("PartnerSource");
        await visitor.follow("Sign in");
        await visitor.isSignedIn(person);
        await visitor.reads("Lotus Implementation Partners");
      } else {
        await visitor.press("Go back to CustomerSource");
        await visitor.reads("The sign-in was cancelled, or your account isn't admitted here.");
      }
      await visitor.leave();
    });
  }

  test("signing out at one portal signs out at the other", async () => {
    const person = await newcomer(world, ["customer", "partner"]);
    const visitor = await Visitor.arrive(browser, world);
    await visitor.askFrom("customersource", person);
    const tab = await visitor.newTab();
    for (const mail of await mailsOf(world, person.registered, 2)) {
      await tab.redeem(linkOf(mail), person);
      await tab.sees("Your account is linked");
    }
    await visitor.isSignedIn(person);
    await tab.follow(/^Continue to/);
    await tab.open(`${world.portals.partnersource}/login`);
    await tab.isSignedIn(person);
    await visitor.press("Sign out");
    await visitor.reads("You are signed out.");
    await tab.page.reload();
    await tab.reads("You were signed out here because your sign-in ended elsewhere, or your access changed.");
    await tab.leave();
  });

  /** The pages of ours that a browser has shown. */
  function pagesOf(visitor: Visitor): string[] {
    return visitor.pageLoads.filter((url) => url.startsWith(world.issuer));
  }
});

function organizationIn(subject: string): string {
  return subject.replace("Link your account to ", "");
}
