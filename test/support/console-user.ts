/**
 * An administrator at a real browser: every page of the administration that is passed is looked at by axe.
 */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { assertAccessible } from "./accessibility.ts";
import type { BrowserUser, BrowserUserOptions } from "./browser-user.ts";

export class ConsoleUser {
  readonly #user: BrowserUser;
  readonly #javaScript: boolean;

  /** Where no script runs axe can't, either. */
  constructor(user: BrowserUser, { javaScript = true }: BrowserUserOptions = {}) {
    this.#user = user;
    this.#javaScript = javaScript;
  }

  get page(): Page {
    return this.#user.page;
  }

  /** Waits for a page by its heading, and looks at it. */
  async sees(heading: string | RegExp): Promise<void> {
    await this.#user.sees(heading);
    if (this.#javaScript) await assertAccessible(this.page);
  }

  /** Goes to a section by its name in the navigation, whichever of the two is shown. */
  async goTo(section: string): Promise<void> {
    const menu = this.page.getByText("Menu", { exact: true });
    if (await menu.isVisible()) await menu.click();
    await this.page
      .getByRole("navigation", { name: "Administration" })
      .getByRole("link", { name: section })
      .click();
    await this.sees(section === "Why denied?" ? "Why was this denied?" : section);
  }

  async follow(link: string | RegExp, heading: string | RegExp): Promise<void> {
    await this.page.getByRole("main").getByRole("link", { name: link }).first().click();
    await this.sees(heading);
  }

  async press(button: string | RegExp, heading: string | RegExp): Promise<void> {
    await this.page.getByRole("main").getByRole("button", { name: button }).first().click();
    await this.sees(heading);
  }

  /** Fills in fields by their labels. */
  async fill(fields: Record<string, string>): Promise<void> {
    for (const [label, text] of Object.entries(fields))
      await this.page.getByLabel(label, { exact: true }).fill(text);
  }

  async tick(label: string | RegExp): Promise<void> {
    await this.page.getByLabel(label).first().check();
  }

  async reads(text: string | RegExp): Promise<void> {
    await this.#user.reads(text);
  }

  /** The text that is there to be copied. */
  async copied(label: string): Promise<string> {
    return ((await this.page.getByRole("region", { name: label }).textContent()) ?? "").trim();
  }
}

/** Somebody without a mouse: goes on by Tab until what is looked for has the focus, and shows it. */
export class Keyboard {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Goes forward to an element, which has to show that it has the focus, and presses a key on it. */
  async press(
    key: "Enter" | "Space",
    role: "link" | "button" | "checkbox",
    name: string | RegExp,
  ): Promise<void> {
    const wanted = this.#page
      .getByRole(role, typeof name === "string" ? { name, exact: true } : { name })
      .first();
    await wanted.waitFor();
    for (let presses = 0; presses < 80; presses += 1) {
      await this.#page.keyboard.press("Tab");
      if (!(await wanted.evaluate((element) => element === element.ownerDocument.activeElement))) continue;
      const outline = await this.#page.evaluate(
        "(({ outlineStyle, boxShadow }) => [outlineStyle, " +
          "boxShadow])(getComputedStyle(document.activeElement))",
      );
      assert.notDeepEqual(outline, ["none", "none"], `${role} ${name} doesn't show that it has the focus`);
      await this.#page.keyboard.press(key);
      return;
    }
    assert.fail(`no way by Tab to ${role} ${name} on ${this.#page.url()}`);
  }
}
