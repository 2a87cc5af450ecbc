/**
 * The whole journey in a real browser: portal to portal, mail included, with and without JavaScript, and by
 * keyboard alone.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { BrowserUser } from "../support/browser-user.ts";
import { type DemoDeployment, startDemoDeployment } from "../support/demo-deployment.ts";
import { type SharedBrowser, shareBrowser } from "../support/journey-browser.ts";
import { mailsOf, newcomer, newestLink, type Visiting } from "../support/journey-deployment.ts";

const mostSeconds = 20;
const mostPageLoads = 12;

describe("the journey in a browser", () => {
  let shared: SharedBrowser<DemoDeployment>;
  let deployment: DemoDeployment;
  let browser: Browser;
  before(async () => {
    shared = await shareBrowser(startDemoDeployment);
    ({ deployment, browser } = shared);
  });
  after(() => shared?.close());

  for (const javaScript of [true, false]) {
    for (const width of [360, 1280] as const) {
      const how = `${javaScript ? "with" : "without"} JavaScript at ${width} px`;
      test(`from portal to portal in ${mostSeconds} s and ${mostPageLoads} page loads, ${how}`, async () => {
        const person = await newcomer(deployment);
        const user = await BrowserUser.arrive(browser, deployment, { width, javaScript });
        const startedAt = performance.now();
        await user.askFrom("customersource", person);
        const inbox = await user.newTab();
        await readMail(inbox, person, javaScript);
        await inbox.sees("Do you want to link this account?");
        await inbox.press("Continue to sign in");
        await inbox.authenticate(person);
        await inbox.sees("Your account is linked");
        if (!javaScript) await user.follow("I've opened the link – continue");
        await user.isSignedIn(person);
        const seconds = (performance.now() - startedAt) / 1000;
        assert.ok(seconds <= mostSeconds, `${seconds} s`);
        assert.ok(user.pageLoads.length <= mostPageLoads, user.pageLoads.join("\n"));
        await user.leave();
      });
    }
  }

  /** At the inbox's pages: the mail appears by itself, or, without JavaScript, is there when one looks. */
  async function readMail(inbox: BrowserUser, person: Visiting, javaScript: boolean): Promise<void> {
    if (!javaScript) await mailsOf(deployment, person.registered);
    await inbox.open(deployment.inbox);
    await inbox.follow(`Link your account to ${person.name}'s customer 1`);
    await inbox.follow(`${deployment.issuer}/link/`);
  }

  test("by keyboard alone, from the portal's sign-in to its greeting", async () => {
    const person = await newcomer(deployment);
    const user = await BrowserUser.arrive(browser, deployment);
    const { page } = user;
    await user.open(deployment.portals.customersource);
    await activate(page, "link", "Sign in");
    await user.sees("Sign in to CustomerSource");
    await activate(page, "button", "Continue with Fabrikam ID");
    await typeCredentials(user, person);
    await user.sees("Enter the email address registered with your organization");
    await tabTo(page, "textbox", "Enter the email address registered with your organization");
    await page.keyboard.type("not an address");
    await page.keyboard.press("Enter");
    await user.reads("There is a problem");
    await activate(page, "link", "Enter an email address in the correct format, like name@example.com");
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.type(person.registered);
    await page.keyboard.press("Enter");
    await user.sees("Check your email");

    const other = await user.newTab();
    await other.open(await newestLink(deployment, person.registered));
    await activate(other.page, "button", "Continue to sign in");
    await cursorIn(other.page, "Password");
    await other.page.keyboard.type(person.password);
    await other.page.keyboard.press("Enter");
    await other.sees("Your account is linked");
    await activate(other.page, "link", "Continue to CustomerSource");
    await other.isSignedIn(person);
    await user.isSignedIn(person);
    await user.leave();
  });
});

async function typeCredentials({ page }: BrowserUser, { username, password }: Visiting): Promise<void> {
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
