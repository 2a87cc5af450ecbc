/** Every cell of the matrix over HTTP, and those in another browser, of one profile, in Chromium. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import type { Attacked } from "../support/attack-fixture.ts";
import { launchBrowser } from "../support/browser.ts";
import {
  type Cell,
  cells,
  type Hand,
  handOf,
  impossible,
  nameOf,
  play,
  possible,
  startMatrix,
} from "../support/link-matrix.ts";

describe("the matrix of links", () => {
  let liaison: Attacked;
  let chromium: Browser;
  before(async () => {
    liaison = await startMatrix();
    chromium = await launchBrowser();
  });
  after(async () => {
    await chromium?.close();
    await liaison?.close();
  });

  it("has a verdict or a reason for each of its 270 cells", (context) => {
    assert.equal(cells.length, 270);
    const reasons = Map.groupBy(cells, (cell) => impossible(cell) ?? "played");
    for (const [reason, group] of reasons) context.diagnostic(`${group.length}: ${reason}`);
    assert.equal(possible.length, 104);
  });

  for (const cell of possible) {
    it(nameOf(cell), () => play(liaison, cell, async () => handOf(liaison.browser())));
  }

  for (const cell of possible.filter(({ browser, profiles }) => browser === "same" && profiles === 1)) {
    it(`in a mail with several links: ${nameOf(cell)}`, () =>
      play(liaison, cell, async () => handOf(liaison.browser()), { inACrowd: true }));
  }

  const inChromium = possible.filter(({ browser, profiles }: Cell) => browser === "other" && profiles === 1);
  it(`at least 24 of them are played in Chromium, too: ${inChromium.length}`, () =>
    assert.ok(inChromium.length >= 24));
  for (const cell of inChromium) {
    it(`in Chromium: ${nameOf(cell)}`, () => play(liaison, cell, () => chromiumHand(chromium)));
  }
});

async function chromiumHand(chromium: Browser): Promise<Hand> {
  const context = await chromium.newContext();
  const tab = await context.newPage();
  return {
    open: async (link) => {
      await tab.goto(link);
      await tab.getByRole("button", { name: "Continue to sign in" }).click();
      await tab.locator("input[name=password]").waitFor();
    },
    signIn: async ({ username, password }) => {
      await tab.locator("input[name=username]").fill(username);
      await tab.locator("input[name=password]").fill(password);
      await tab.getByRole("button", { name: "Sign in" }).click();
      await tab.waitForURL(/\/link\/|\/callback/);
      return (await tab.locator("h1").textContent()) ?? "";
    },
    close: () => context.close(),
  };
}
