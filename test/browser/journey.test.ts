/**
 * The whole journey in a real browser: portal to portal, mail included, with and without JavaScript, and by
 * keyboard alone.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type DemoWorld, startDemoWorld } from "../support/demo-world.ts";
import { type Stage, setStage } from "../support/journey-stage.ts";
import { Visitor } from "../support/journey-visitor.ts";
import { mailsOf, newcomer, newestLink, type Visiting } from "../support/journey-world.ts";

const mostSeconds = 20;
const mostPageLoads = 12;

describe("the journey in a browser", () => {
  let stage: Stage<DemoWorld>;
  let world: DemoWorld;
  let browser: Browser;
  before(async () => {
    stage = await setStage(startDemoWorld);
    ({ world, browser } = stage);
  });
  after(() => stage?.close());

  for (const javaScript of [true, false]) {
    for (const width of [360, 1280] as const) {
      const how = `${javaScript ? "with" : "without"} JavaScript at ${width} px`;
      test(`from portal to portal in ${mostSeconds} s and ${mostPageLoads} page loads, ${how}`, async () => {
        const person = await newcomer(world);
        const visitor = await Visitor.arrive(browser, world, { width, javaScript });
        const startedAt = performance.now();
        await visitor.askFrom("customersource", person);
        const inbox = await visitor.newTab();
        await readMail(inbox, person, javaScript);
        await inbox.sees("Do you want to link this account?");
        await inbox.press("Continue to sign in");
        await inbox.authenticate(person);
        await inbox.sees("Your account is linked");
        if (!javaScript) await visitor.follow("I've opened the link – continue");
        await visitor.isSignedIn(person);
        const seconds = (performance.now() - startedAt) / 1000;
        assert.ok(seconds <= mostSeconds, `${seconds} s`);
        assert.ok(visitor.pageLoads.length <= mostPageLoads, visitor.pageLoads.join("\n"));
        await visitor.leave();
      });
    }
  }

  /** At the inbox's pages: the mail appears by itself, or, without JavaScript, is there when one looks. */
  async function readMail(inbox: Visitor, person: Visiting, javaScript: boolean): Promise<void> {
    if (!javaScript) await mailsOf(world, person.registered);
    await inbox.open(world.inbox);
    await inbox.follow(`Link your account to ${person.name}'s customer 1`);
    await inbox.follow(`${world.issuer}/link/`);
  }

  test("by keyboard alone, from the portal's sign-in to its greeting", async () => {
    const person = await newcomer(world);
    const visitor = await Visitor.arrive(browser, world);
    const { page } = visitor;
    await visitor.open(world.portals.customersource);
    await activate(page, "link", "Sign in");
    await visitor.sees("Sign in to CustomerSource");
    await activate(page, "button", "Continue with Fabrikam ID");
    await typeCredentials(visitor, person);
    await visitor.sees("Enter the email address registered with your organization");
    await tabTo(page, "textbox", "Enter the email address registered with your organization");
    await page.keyboard.type("not an address");
    await page.keyboard.press("Enter");
    await visitor.reads("There is a problem");
    await activate(page, "link", "Enter an email address in the correct format, like name@example.com");
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.type(person.registered);
    await page.keyboard.press("Enter");
    await visitor.sees("Check your email");

    const other = await visitor.newTab();
    await other.open(await newestLink(world, person.registered));
    await activate(other.page, "button", "Continue to sign in");
    await cursorIn(other.page, "Password");
    await other.page.keyboard.type(person.password);
    await other.page.keyboard.press("Enter");
    await other.sees("Your account is linked");
    await activate(other.page, "link", "Continue to CustomerSource");
    await other.isSignedIn(person);
    await visitor.isSignedIn(person);
    await visitor.leave();
  });
});

async function typeCredentials({ page }: Visitor, { username, password }: Visiting): Promise<void> {
  await cursorIn(page, "Username");
  await page.keyboard.type(username);
  await page.keyboard.press("Tab");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
}

/** Fabrikam ID puts the cursor into its first empty field. */
async function cursorIn(page: Page, field: "Username" | "Password"): Promise<void> {
  await page.getByLabel(field).and(page.locator(":focus")).waitFor();
}

const mostTabs = 30;

async function tabTo(page: Page, role: "button" | "link" | "textbox", name: string): Promise<void> {
  const wanted = page.getByRole(role, { name, exact: true });
  await wanted.waitFor();
  const focused = wanted.and(page.locator(":focus"));
  for (let tabs = 0; tabs < mostTabs; tabs += 1) {
    await page.keyboard.press("Tab");
    if ((await focused.count()) > 0) return;
  }
  assert.fail(`${mostTabs} times Tab didn't reach ${role} "${name}"`);
}

async function activate(page: Page, role: "button" | "link", name: string): Promise<void> {
  await tabTo(page, role, name);
  await page.keyboard.press("Enter");
}
