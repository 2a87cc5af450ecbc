/** Time and trouble: links and waits that run out, and an upstream that is down and comes back. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { BrowserUser } from "../support/browser-user.ts";
import { type SharedBrowser, shareBrowser } from "../support/journey-browser.ts";
import { linkOf, mailsOf, newcomer, newestLink } from "../support/journey-deployment.ts";
import { type MovableDeployment, startMovableDeployment } from "../support/journey-movable.ts";

/** An upstream that couldn't be reached isn't asked again for a moment. */
const secondsOfMercy = 5;

describe("time and trouble", () => {
  let shared: SharedBrowser<MovableDeployment>;
  let deployment: MovableDeployment;
  let browser: Browser;
  before(async () => {
    shared = await shareBrowser(startMovableDeployment);
    ({ deployment, browser } = shared);
  });
  after(() => shared?.close());

  test("an upstream that is down since the start gets a helpful page, and works once it is up", async () => {
    const user = await BrowserUser.arrive(browser, deployment);
    await user.startAt("customersource");
    await user.press("Continue with Fabrikam ID");
    await user.sees("Fabrikam ID can't be reached");
    await user.reads("Wait a minute and try again.");
    await user.reads("help@contoso.example");
    await deployment.startUpstream();
    deployment.clock.advance(secondsOfMercy);
    const person = await newcomer(deployment);
    await user.follow("Try again");
    await user.signIn(person);
    await user.ask(person.registered);
    const tab = await user.newTab();
    await tab.redeem(await newestLink(deployment, person.registered), person);
    await tab.sees("Your account is linked");
    await user.isSignedIn(person);
    await user.leave();
  });

  test("a link that has expired says so, also to a landing page that was left open", async () => {
    const person = await newcomer(deployment);
    const user = await BrowserUser.arrive(browser, deployment);
    await user.askFrom("customersource", person);
    const link = await newestLink(deployment, person.registered);
    const [open, late] = [await user.newTab(), await user.newTab()];
    await open.open(link);
    await open.sees("Do you want to link this account?");
    deployment.clock.advance(1801);
    await open.press("Continue to sign in");
    await open.sees("This link has expired");
    await late.open(link);
    await late.sees("This link has expired");
    await late.page.reload();
    await late.sees("This link has expired");
    await user.press("Send it again");
    await user.sees("Check your email");
    await late.open(await newestLink(deployment, person.registered, 2));
    await late.sees("Do you want to link this account?");
    await user.leave();
  });

  test("asking again: too soon, counted down, and then a new mail", async () => {
    const person = await newcomer(deployment);
    const user = await BrowserUser.arrive(browser, deployment);
    await user.page.clock.install();
    await user.askFrom("customersource", person);
    const [first] = await mailsOf(deployment, person.registered);
    await user.reads(/You can ask again in \d+ seconds\./);
    await user.press("Send it again");
    await user.reads("Wait a little before you ask again");
    await user.page.clock.fastForward(30_000);
    await user.reads(/You can ask again in (2\d|30) seconds\./);
    await user.page.clock.fastForward(31_000);
    await user.reads("You can ask again now.");
    deployment.clock.advance(61);
    await user.press("Send it again");
    await user.sees("Check your email");
    const newest = await newestLink(deployment, person.registered, 2);
    assert.notEqual(newest, linkOf(first));
    const tab = await user.newTab();
    await tab.open(linkOf(first));
    await tab.sees("A newer email replaces this link");
    await user.leave();
  });

  test("an upstream that goes down amid a sign-in gets the page too, and trying again goes on", async () => {
    const person = await newcomer(deployment);
    const user = await BrowserUser.arrive(browser, deployment);
    await user.startAt("customersource");
    await user.press("Continue with Fabrikam ID");
    await user.sees("Sign in");
    // It sends the person back with a code, and is gone when the broker comes for the tokens.
    await user.page.route(`${deployment.upstream}/interaction/**`, async (route) => {
      const signedIn = await route.fetch({ maxRedirects: 0 });
      const resumed = await user.context.request.get(signedIn.headers()["location"] ?? "", {
        maxRedirects: 0,
      });
      await deployment.stopUpstream();
      await route.fulfill({ status: 303, headers: { location: resumed.headers()["location"] ?? "" } });
    });
    await user.authenticate(person);
    await user.sees("Fabrikam ID can't be reached");
    await user.page.unrouteAll();
    await deployment.startUpstream();
    await user.follow("Try again");
    await user.press("Continue with Fabrikam ID");
    await user.sees("Sign in");
    await user.leave();
  });
});
