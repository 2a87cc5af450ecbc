/**
 * What people do with browsers: go back, reload, bookmark, open two tabs, share a computer, block cookies,
 * switch scripts off.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { BrowserUser } from "../support/browser-user.ts";
import { type DemoDeployment, startDemoDeployment } from "../support/demo-deployment.ts";
import { type SharedBrowser, shareBrowser } from "../support/journey-browser.ts";
import { startCookieEater } from "../support/journey-cookie-eater.ts";
import { linkOf, mailsOf, newcomer, newestLink, type Visiting } from "../support/journey-deployment.ts";

const linkStep = "Enter the email address registered with your organization";

describe("browsers as they are used", { concurrency: 3 }, () => {
  let shared: SharedBrowser<DemoDeployment>;
  let deployment: DemoDeployment;
  let browser: Browser;
  before(async () => {
    shared = await shareBrowser(startDemoDeployment);
    ({ deployment, browser } = shared);
  });
  after(() => shared?.close());

  for (const javaScript of [true, false]) {
    test(`the back button, ${javaScript ? "with" : "without"} JavaScript`, async () => {
      const person = await newcomer(deployment);
      const user = await BrowserUser.arrive(browser, deployment, { javaScript });
      const back = async (heading: string) => {
        await user.page.goBack();
        await user.sees(heading);
      };
      await user.askFrom("customersource", person);
      await back("Check your email");
      await back("This sign-in can't go on");
      await back("This sign-in is over");
      await back("Welcome to CustomerSource");
      for (let step = 0; step < 4; step += 1) await user.page.goForward();
      await user.sees("Check your email");

      const tab = await user.newTab();
      await tab.redeem(await newestLink(deployment, person.registered), person);
      await tab.sees("Your account is linked");
      if (!javaScript) await user.follow("I've opened the link – continue");
      await user.isSignedIn(person);
      await back("This sign-in is over");
      await user.follow("Go to CustomerSource");
      await user.isSignedIn(person);

      await tab.page.goBack();
      await tab.sees("This sign-in can't go on");
      await tab.page.goBack();
      await tab.sees("This link has already been used");
      await user.leave();
    });
  }

  test("a reloaded page stays what it is", async () => {
    const person = await newcomer(deployment);
    const user = await BrowserUser.arrive(browser, deployment);
    const reload = async (heading: string) => {
      await user.page.reload();
      await user.sees(heading);
    };
    await user.startAt("customersource");
    await user.sees("Sign in to CustomerSource");
    await reload("Sign in to CustomerSource");
    await user.signIn(person);
    await user.sees(linkStep);
    await reload(linkStep);
    await user.ask(person.registered);
    await reload("Check your email");
    await mailsOf(deployment, person.registered);
    assert.equal((await deployment.mailsTo(person.registered)).length, 1, "reloading asks for nothing");
    await user.leave();
  });

  test("two sign-ins at once in one browser don't disturb each other", async () => {
    const person = await newcomer(deployment, ["customer", "partner"]);
    const customer = await BrowserUser.arrive(browser, deployment);
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
    for (const mail of await mailsOf(deployment, person.registered, 2)) {
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
    const [first, second] = [await newcomer(deployment), await newcomer(deployment)];
    const user = await BrowserUser.arrive(browser, deployment, { javaScript });
    const other = await user.newTab();
    await atUpstream(user, "customersource");
    await atUpstream(other, "partnersource");
    await user.authenticate(first);
    await user.sees(linkStep);
    await other.authenticate(second);
    // The upstream and the broker each sign the first one out by a form that submits itself; without scripts,
    // by a button.
    if (!javaScript) for (const _ of ["upstream", "broker"]) await other.press("Continue");
    await other.sees(linkStep);
    await other.reads(`${second.username}@home.example`);
    await user.page.reload();
    await user.sees("This sign-in has expired");
    await user.follow("Start again at CustomerSource");
    await user.follow("Sign in");
    await user.sees(linkStep);
    await user.reads(`${second.username}@home.example`);
    await user.leave();
  }

  test("a bookmarked sign-in leads back to the portal", async () => {
    const person = await newcomer(deployment);
    const user = await BrowserUser.arrive(browser, deployment);
    await user.startAt("customersource");
    await user.signIn(person);
    await user.sees(linkStep);
    const bookmark = user.page.url();
    const elsewhere = await BrowserUser.arrive(browser, deployment);
    await elsewhere.open(deployment.portals.customersource);
    await elsewhere.open(bookmark);
    await elsewhere.sees(
      /^(This browser can't go on with this sign-in|Your browser didn't keep our cookie)$/,
    );
    await elsewhere.follow("Start again at CustomerSource");
    await elsewhere.sees("Welcome to CustomerSource");
    await elsewhere.leave();
    await user.ask(person.registered);
    await user.redeem(await newestLink(deployment, person.registered), person);
    await user.sees("Your account is linked");
    await user.follow("Continue to CustomerSource");
    await user.isSignedIn(person);
    await user.open(bookmark);
    await user.isSignedIn(person);
    await user.open(bookmark);
    await user.sees("This sign-in is over");
    await user.leave();
  });

  test("a browser that keeps no cookies is told so, at the sign-in and at a link", async () => {
    const person = await newcomer(deployment);
    const user = await BrowserUser.arrive(browser, deployment);
    await user.askFrom("customersource", person);
    const eater = await startCookieEater(deployment.issuer);
    const blocked = await BrowserUser.arrive(browser, deployment, {
      context: { proxy: { server: eater.server } },
    });
    await blocked.startAt("customersource");
    await blocked.sees(/^(Your browser didn't keep our cookie|This browser can't go on with this sign-in)$/);
    await blocked.reads("Start again at CustomerSource");
    await blocked.open(await newestLink(deployment, person.registered));
    await blocked.sees("Open the link in the email again");
    await blocked.leave();
    await eater.close();
    await user.leave();
  });

  test("cancelled at the upstream, and another account chosen", async () => {
    const [first, second] = [await newcomer(deployment), await newcomer(deployment)];
    const user = await BrowserUser.arrive(browser, deployment);
    await atUpstream(user, "customersource");
    await user.follow("Cancel");
    await user.reads("You are not signed in yet");
    await user.signIn(first);
    await user.sees(linkStep);
    await user.press("Use another account");
    await user.authenticate(second);
    await user.sees(linkStep);
    await user.reads(`${second.username}@home.example`);
    await linkAndArrive(user, second);
    await user.leave();
  });

  test("cancelled at the upstream, and back at the portal, which says so", async () => {
    const user = await BrowserUser.arrive(browser, deployment);
    await atUpstream(user, "customersource");
    await user.follow("Cancel");
    await user.press("Go back to CustomerSource");
    await user.reads("The sign-in was cancelled, or your account isn't admitted here.");
    await user.leave();
  });

  test("no address, and no address that could be one", async () => {
    const person = await newcomer(deployment);
    const user = await BrowserUser.arrive(browser, deployment);
    await user.startAt("customersource");
    await user.signIn(person);
    await user.press("Continue");
    await user.reads("There is a problem");
    await user.page.getByRole("textbox").fill("guest at registered");
    await user.press("Continue");
    await user.reads("Enter an email address in the correct format, like name@example.com");
    assert.equal(await user.page.getByRole("textbox").inputValue(), "guest at registered");
    await linkAndArrive(user, person);
    await user.leave();
  });

  async function linkAndArrive(user: BrowserUser, person: Visiting): Promise<void> {
    await user.ask(person.registered);
    const tab = await user.newTab();
    await tab.redeem(await newestLink(deployment, person.registered), person);
    await tab.sees("Your account is linked");
    await user.isSignedIn(person);
  }
});

async function atUpstream(user: BrowserUser, portal: "customersource" | "partnersource"): Promise<void> {
  await user.startAt(portal);
  await user.press("Continue with Fabrikam ID");
  await user.sees("Sign in");
}
