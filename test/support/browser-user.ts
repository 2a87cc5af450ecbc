/**
 * A person at a real browser: finds what is on a page by role and visible text only. Every page is looked
 * after: a console error, a violation of the content security policy, a script error or a page wider than a
 * phone's window fails the journey at its end.
 */

import assert from "node:assert/strict";
import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  Locator,
  Page,
  Response,
} from "playwright-core";
import type { JourneyDeployment, PortalId, Visiting } from "./journey-deployment.ts";

export interface BrowserUserOptions {
  /** CSS pixels; a phone's width unless given. */
  width?: 360 | 1280;
  javaScript?: boolean;
  context?: BrowserContextOptions;
}

const timeoutMs = 20_000;

/** How far a page is wider than its window, in CSS pixels. */
const sidewaysBy = "document.documentElement.scrollWidth - document.documentElement.clientWidth";

/** Runs in every page, before its own scripts. */
const watch = `
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  console.error("policy violated: " + violatedDirective + " " + blockedURI));
addEventListener("load", () => {
  if (${sidewaysBy} > 0) console.error("scrolls sideways");
});`;

/** What all tabs of a browser share. */
interface Seen {
  javaScript: boolean;
  complaints: string[];
  loads: string[];
}

export class BrowserUser {
  readonly context: BrowserContext;
  /** The tab in use. */
  readonly page: Page;
  readonly #deployment: JourneyDeployment;
  readonly #complaints: string[];
  readonly #loads: string[];
  readonly #javaScript: boolean;

  private constructor(deployment: JourneyDeployment, page: Page, browser: Seen) {
    this.#deployment = deployment;
    this.context = page.context();
    this.page = page;
    this.#complaints = browser.complaints;
    this.#loads = browser.loads;
    this.#javaScript = browser.javaScript;
  }

  /** A browser of one's own: nothing is remembered in it. */
  static async arrive(
    browser: Browser,
    deployment: JourneyDeployment,
    options: BrowserUserOptions = {},
  ): Promise<BrowserUser> {
    const { width = 360, javaScript = true } = options;
    const context = await browser.newContext({
      viewport: { width, height: width === 360 ? 740 : 900 },
      javaScriptEnabled: javaScript,
      reducedMotion: "reduce",
      ...options.context,
    });
    context.setDefaultTimeout(timeoutMs);
    if (javaScript) await context.addInitScript(watch);
    const seen: Seen = { javaScript, complaints: [], loads: [] };
    context.on("console", (message) => {
      if (message.type() !== "error" || isExpected(message.text(), message.location().url)) return;
      seen.complaints.push(`${message.page()?.url()}: ${message.text()}`);
    });
    context.on("weberror", (error) => seen.complaints.push(`${error.page()?.url()}: ${error.error()}`));
    context.on("response", (response) => {
      if (isDocument(response)) seen.loads.push(response.url());
    });
    return new BrowserUser(deployment, await context.newPage(), seen);
  }

  /** Another tab of the same browser. */
  async newTab(): Promise<BrowserUser> {
    const seen: Seen = { javaScript: this.#javaScript, complaints: this.#complaints, loads: this.#loads };
    return new BrowserUser(this.#deployment, await this.context.newPage(), seen);
  }

  /** Documents loaded in all tabs so far, redirects not counted. */
  get pageLoads(): readonly string[] {
    return this.#loads;
  }

  /** Closes the browser and fails if any page of the journey had something to complain about. */
  async leave(): Promise<void> {
    await this.context.close();
    assert.deepEqual(this.#complaints, []);
  }

  /** Waits for a page by its heading. */
  async sees(heading: string | RegExp): Promise<void> {
    const wanted = this.page.getByRole("heading", { level: 1, name: heading, exact: true });
    await this.#expect(wanted, `the heading ${heading}`);
  }

  /** Waits for a text on the page. */
  async reads(text: string | RegExp): Promise<void> {
    await this.#expect(
      this.page.getByRole("main").getByText(text).filter({ visible: true }).first(),
      `the text ${text}`,
    );
  }

  /** Loads the page anew until it has the text: what leads to it goes on behind the requests. */
  async reloadsUntil(text: string): Promise<void> {
    const shown = this.page.getByRole("main").getByText(text).filter({ visible: true });
    const deadline = Date.now() + timeoutMs;
    do await this.page.reload();
    while ((await shown.count()) === 0 && Date.now() < deadline);
    await this.reads(text);
  }

  async #expect(wanted: Locator, what: string): Promise<void> {
    try {
      await wanted.waitFor();
    } catch (cause) {
      const shown = await this.page
        .getByRole("document")
        .ariaSnapshot({ timeout: 1000 })
        .catch(() => "");
      throw new Error(`${what} isn't on ${this.page.url()}:\n${shown}`, { cause });
    }
    if (!this.#javaScript)
      assert.equal(await this.page.evaluate(sidewaysBy), 0, `${this.page.url()} scrolls sideways`);
  }

  async press(button: string | RegExp): Promise<void> {
    await this.page.getByRole("button", { name: button }).click();
  }

  async follow(link: string | RegExp): Promise<void> {
    await this.page.getByRole("link", { name: link }).click();
  }

  async open(address: string): Promise<Response | null> {
    return await this.page.goto(address);
  }

  /** Opens a portal and presses its *Sign in*. */
  async startAt(portal: PortalId): Promise<void> {
    await this.open(this.#deployment.portals[portal]);
    await this.follow("Sign in");
  }

  /** Chooses the upstream on our sign-in page and signs in there. */
  async signIn(person: Visiting): Promise<void> {
    await this.press("Continue with Fabrikam ID");
    await this.authenticate(person);
  }

  /** Fills in Fabrikam ID's form. */
  async authenticate({ username, password }: Pick<Visiting, "username" | "password">): Promise<void> {
    await this.sees("Sign in");
    await this.page.getByLabel("Username").fill(username);
    await this.page.getByLabel("Password").fill(password);
    await this.press("Sign in");
  }

  /**
   * Answers the link step, once more where it was too soon after another request; the answer is *Check your
   * email*.
   */
  async ask(address: string): Promise<void> {
    await this.page.getByRole("textbox").fill(address);
    await this.press("Continue");
    await this.page.waitForLoadState();
    if (await this.page.getByText("Wait a little before you ask again").isVisible()) {
      await this.reads("You can ask again now.");
      await this.press("Continue");
    }
    await this.sees("Check your email");
  }

  /** From a portal to *Check your email*. */
  async askFrom(portal: PortalId, person: Visiting, address = person.registered): Promise<void> {
    await this.startAt(portal);
    await this.signIn(person);
    await this.ask(address);
  }

  /** Opens a mailed link and goes through with it. */
  async redeem(link: string, person: Visiting): Promise<void> {
    await this.open(link);
    await this.press("Continue to sign in");
    await this.authenticate(person);
  }

  async isSignedIn(person: Pick<Visiting, "name">): Promise<void> {
    await this.sees(`Signed in as ${person.name}`);
  }
}

function isDocument(response: Response): boolean {
  const request = response.request();
  const isRedirect = response.status() >= 300 && response.status() < 400;
  return request.isNavigationRequest() && request.frame().parentFrame() === null && !isRedirect;
}

/**
 * Chromium notes the status of every page that says no, which the journeys themselves look at; and that the
 * frame in which the inbox shows a mail runs no script, not even ours that watches.
 */
function isExpected(text: string, url: string): boolean {
  if (text.startsWith("Blocked script execution in") && text.includes("/html'")) return true;
  return (
    text.startsWith("Failed to load resource: the server responded with a status of") &&
    !url.includes("/assets/")
  );
}
