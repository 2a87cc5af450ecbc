/** Time and trouble: links and waits that run out, and an upstream that is down and comes back. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { type MovableWorld, startMovableWorld } from "../support/journey-movable.ts";
import { type Stage, setStage } from "../support/journey-stage.ts";
import { Visitor } from "../support/journey-visitor.ts";
import { linkOf, mailsOf, newcomer, newestLink } from "../support/journey-world.ts";

/** An upstream that couldn't be reached isn't asked again for a moment. */
const secondsOfMercy = 5;

describe("time and trouble", () => {
  let stage: Stage<MovableWorld>;
  let world: MovableWorld;
  let browser: Browser;
  before(async () => {
    stage = await setStage(startMovableWorld);
    ({ world, browser } = stage);
  });
  after(() => stage?.close());

  test("an upstream that is down since the start gets a helpful page, and works once it is up", async () => {
    const visitor = await Visitor.arrive(browser, world);
    await visitor.startAt("customersource");
    await visitor.press("Continue with Fabrikam ID");
    await visitor.sees("Fabrikam ID can't be reached");
    await visitor.reads("Wait a minute and try again.");
    await visitor.reads("help@contoso.example");
    await world.startUpstream();
    world.clock.advance(secondsOfMercy);
    const person = await newcomer(world);
    await visitor.follow("Try again");
    await visitor.signIn(person);
    await visitor.ask(person.registered);
    const tab = await visitor.newTab();
    await tab.redeem(await newestLink(world, person.registered), person);
    await tab.sees("Your account is linked");
    await visitor.isSignedIn(person);
    await visitor.leave();
  });

  test("a link that has expired says so, also to a landing page that was left open", async () => {
    const person = await newcomer(world);
    const visitor = await Visitor.arrive(browser, world);
    await visitor.askFrom("customersource", person);
    const link = await newestLink(world, person.registered);
    const [open, late] = [await visitor.newTab(), await visitor.newTab()];
    await open.open(link);
    await open.sees("Do you want to link this account?");
    world.clock.advance(1801);
    await open.press("Continue to sign in");
    await open.sees("This link has expired");
    await late.open(link);
    await late.sees("This link has expired");
    await late.page.reload();
    await late.sees("This link has expired");
    await visitor.press("Send it again");
    await visitor.sees("Check your email");
    await late.open(await newestLink(world, person.registered, 2));
    await late.sees("Do you want to link this account?");
    await visitor.leave();
  });

  test("asking again: too soon, counted down, and then a new mail", async () => {
    const person = await newcomer(world);
    const visitor = await Visitor.arrive(browser, world);
    await visitor.page.clock.install();
    await visitor.askFrom("customersource", person);
    const [first] = await mailsOf(world, person.registered);
    await visitor.reads(/You can ask again in \d+ seconds\./);
    await visitor.press("Send it again");
    await visitor.reads("Wait a little before you ask again");
    await visitor.page.clock.fastForward(30_000);
    await visitor.reads(/You can ask again in (2\d|30) seconds\./);
    await visitor.page.clock.fastForward(31_000);
    await visitor.reads("You can ask again now.");
    world.clock.advance(61);
    await visitor.press("Send it again");
    await visitor.sees("Check your email");
    const newest = await newestLink(world, person.registered, 2);
    assert.notEqual(newest, linkOf(first));
    const tab = await visitor.newTab();
    await tab.open(linkOf(first));
    await tab.sees("A newer email replaces this link");
    await visitor.leave();
  });

  test("an upstream that goes down amid a sign-in gets the page too, and trying again goes on", async () => {
    const person = await newcomer(world);
    const visitor = await Visitor.arrive(browser, world);
    await visitor.startAt("customersource");
    await visitor.press("Continue with Fabrikam ID");
    await visitor.sees("Sign in");
    // It sends the person back with a code, and is gone when the broker comes for the tokens.
    await visitor.page.route(`${world.upstream}/interaction/**`, async (route) => {
      const signedIn = await route.fetch({ maxRedirects: 0 });
      const resumed = await visitor.context.request.get(signedIn.headers()["location"] ?? "", {
        maxRedirects: 0,
      });
      await world.stopUpstream();
      await route.fulfill({ status: 303, headers: { location: resumed.headers()["location"] ?? "" } });
    });
    await visitor.authenticate(person);
    await visitor.sees("Fabrikam ID can't be reached");
    await visitor.page.unrouteAll();
    await world.startUpstream();
    await visitor.follow("Try again");
    await visitor.press("Continue with Fabrikam ID");
    await visitor.sees("Sign in");
    await visitor.leave();
  });
});
