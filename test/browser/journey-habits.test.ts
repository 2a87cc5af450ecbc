/**
 * What people do with browsers: go back, reload, bookmark, open two tabs, share a computer, block cookies,
 * switch scripts off.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { type DemoWorld, startDemoWorld } from "../support/demo-world.ts";
import { startCookieEater } from "../support/journey-cookie-eater.ts";
import { type Stage, setStage } from "../support/journey-stage.ts";
import { Visitor } from "../support/journey-visitor.ts";
import { linkOf, mailsOf, newcomer, newestLink, type Visiting } from "../support/journey-world.ts";

const linkStep = "Enter the email address registered with your organization";

describe("browsers as they are used", { concurrency: 3 }, () => {
  let stage: Stage<DemoWorld>;
  let world: DemoWorld;
  let browser: Browser;
  before(async () => {
    stage = await setStage(startDemoWorld);
    ({ world, browser } = stage);
  });
  after(() => stage?.close());

  for (const javaScript of [true, false]) {
    test(`the back button, ${javaScript ? "with" : "without"} JavaScript`, async () => {
      const person = await newcomer(world);
      const visitor = await Visitor.arrive(browser, world, { javaScript });
      const back = async (heading: string) => {
        await visitor.page.goBack();
        await visitor.sees(heading);
      };
      await visitor.askFrom("customersource", person);
      await back("Check your email");
      await back("This sign-in can't go on");
      await back("This sign-in is over");
      await back("Welcome to CustomerSource");
      for (let step = 0; step < 4; step += 1) await visitor.page.goForward();
      await visitor.sees("Check your email");

      const tab = await visitor.newTab();
      await tab.redeem(await newestLink(world, person.registered), person);
      await tab.sees("Your account is linked");
      if (!javaScript) await visitor.follow("I've opened the link – continue");
      await visitor.isSignedIn(person);
      await back("This sign-in is over");
      await visitor.follow("Go to CustomerSource");
      await visitor.isSignedIn(person);

      await tab.page.goBack();
      await tab.sees("This sign-in can't go on");
      await tab.page.goBack();
      await tab.sees("This link has already been used");
      await visitor.leave();
    });
  }

  test("a reloaded page stays what it is", async () => {
    const person = await newcomer(world);
    const visitor = await Visitor.arrive(browser, world);
    const reload = async (heading: string) => {
      await visitor.page.reload();
      await visitor.sees(heading);
    };
    await visitor.startAt("customersource");
    await visitor.sees("Sign in to CustomerSource");
    await reload("Sign in to CustomerSource");
    await visitor.signIn(person);
    await visitor.sees(linkStep);
    await reload(linkStep);
    await visitor.ask(person.registered);
    await reload("Check your email");
    await mailsOf(world, person.registered);
    assert.equal((await world.mailsTo(person.registered)).length, 1, "reloading asks for nothing");
    await visitor.leave();
  });

  test("two sign-ins at once in one browser don't disturb each other", async () => {
    const person = await newcomer(world, ["customer", "partner"]);
    const customer = await Visitor.arrive(browser, world);
    const partner = await customer.newTab();
    await atUpstream(customer, "customersource");
    await atUpstream(partner, "partnersource");
    await customer.authenticate(person);
    await customer.sees(linkStep);
    await partner.authenticate(person);
    await partner.sees(linkStep);
    await customer.ask(person.registered);
    await partner.page.reload();
    await partner.sees(linkStep);
    const tab = await customer.newTab();
    for (const mail of await mailsOf(world, person.registered, 2)) {
      await tab.redeem(linkOf(mail), person);
      await tab.sees("Your account is linked");
    }
    await customer.isSignedIn(person);
    await customer.reads(`${person.name}'s customer 1`);
    await partner.page.reload();
    await partner.isSignedIn(person);
    await partner.reads(`${person.name}'s partner 2`);
    await customer.leave();
  });

  test("somebody else signs in in a second tab: the browser changes hands, with scripts", () =>
    changeHands(true));
  test("somebody else signs in in a second tab: the browser changes hands, without scripts", () =>
    changeHands(false));

  async function changeHands(javaScript: boolean): Promise<void> {
    const [first, second] = [await newcomer(world), await newcomer(world)];
    const visitor = await Visitor.arrive(browser, world, { javaScript });
    const other = await visitor.newTab();
    await atUpstream(visitor, "customersource");
    await atUpstream(other, "partnersource");
    await visitor.authenticate(first);
    await visitor.sees(linkStep);
    await other.authenticate(second);
    // The upstream and the broker each sign the first one out by a form that submits itself; without scripts,
    // by a button.
    if (!javaScript) for (const _ of ["upstream", "broker"]) await other.press("Continue");
    await other.sees(linkStep);
    await other.reads(`${second.username}@home.example`);
    await visitor.page.reload();
    await visitor.sees("This sign-in has expired");
    await visitor.follow("Start again at CustomerSource");
    await visitor.follow("Sign in");
    await visitor.sees(linkStep);
    await visitor.reads(`${second.username}@home.example`);
    await visitor.leave();
  }

  test("a bookmarked sign-in leads back to the portal", async () => {
    const person = await newcomer(world);
    const visitor = await Visitor.arrive(browser, world);
    await visitor.startAt("customersource");
    await visitor.signIn(person);
    await visitor.sees(linkStep);
    const bookmark = visitor.page.url();
    const elsewhere = await Visitor.arrive(browser, world);
    await elsewhere.open(world.portals.customersource);
    await elsewhere.open(bookmark);
    await elsewhere.sees(
      /^(This browser can't go on with this sign-in|Your browser didn't keep our cookie)$/,
    );
    await elsewhere.follow("Start again at CustomerSource");
    await elsewhere.sees("Welcome to CustomerSource");
    await elsewhere.leave();
    await visitor.ask(person.registered);
    await visitor.redeem(await newestLink(world, person.registered), person);
    await visitor.sees("Your account is linked");
    await visitor.follow("Continue to CustomerSource");
    await visitor.isSignedIn(person);
    await visitor.open(bookmark);
    await visitor.isSignedIn(person);
    await visitor.open(bookmark);
    await visitor.sees("This sign-in is over");
    await visitor.leave();
  });

  test("a browser that keeps no cookies is told so, at the sign-in and at a link", async () => {
    const person = await newcomer(world);
    const visitor = await Visitor.arrive(browser, world);
    await visitor.askFrom("customersource", person);
    const eater = await startCookieEater(world.issuer);
    const blocked = await Visitor.arrive(browser, world, { context: { proxy: { server: eater.server } } });
    await blocked.startAt("customersource");
    await blocked.sees(/^(Your browser didn't keep our cookie|This browser can't go on with this sign-in)$/);
    await blocked.reads("Start again at CustomerSource");
    await blocked.open(await newestLink(world, person.registered));
    await blocked.sees("Open the link in the email again");
    await blocked.leave();
    await eater.close();
    await visitor.leave();
  });

  test("cancelled at the upstream, and another account chosen", async () => {
    const [first, second] = [await newcomer(world), await newcomer(world)];
    const visitor = await Visitor.arrive(browser, world);
    await atUpstream(visitor, "customersource");
    await visitor.follow("Cancel");
    await visitor.reads("You are not signed in yet");
    await visitor.signIn(first);
    await visitor.sees(linkStep);
    await visitor.press("Use another account");
    await visitor.authenticate(second);
    await visitor.sees(linkStep);
    await visitor.reads(`${second.username}@home.example`);
    await linkAndArrive(visitor, second);
    await visitor.leave();
  });

  test("cancelled at the upstream, and back at the portal, which says so", async () => {
    const visitor = await Visitor.arrive(browser, world);
    await atUpstream(visitor, "customersource");
    await visitor.follow("Cancel");
    await visitor.press("Go back to CustomerSource");
    await visitor.reads("The sign-in was cancelled, or your account isn't admitted here.");
    await visitor.leave();
  });

  test("no address, and no address that could be one", async () => {
    const person = await newcomer(world);
    const visitor = await Visitor.arrive(browser, world);
    await visitor.startAt("customersource");
    await visitor.signIn(person);
    await visitor.press("Continue");
    await visitor.reads("There is a problem");
    await visitor.page.getByRole("textbox").fill("guest at registered");
    await visitor.press("Continue");
    await visitor.reads("Enter an email address in the correct format, like name@example.com");
    assert.equal(await visitor.page.getByRole("textbox").inputValue(), "guest at registered");
    await linkAndArrive(visitor, person);
    await visitor.leave();
  });

  async function linkAndArrive(visitor: Visitor, person: Visiting): Promise<void> {
    await visitor.ask(person.registered);
    const tab = await visitor.newTab();
    await tab.redeem(await newestLink(world, person.registered), person);
    await tab.sees("Your account is linked");
    await visitor.isSignedIn(person);
  }
});

async function atUpstream(visitor: Visitor, portal: "customersource" | "partnersource"): Promise<void> {
  await visitor.startAt(portal);
  await visitor.press("Continue with Fabrikam ID");
  await visitor.sees("Sign in");
}
