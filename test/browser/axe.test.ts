/**
 * Every page of the product, in every flavour, looked at by axe-core in a real browser: no rule off, no
 * violation.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.ts";
import { pageNames, pageSamples } from "../support/page-samples.ts";
import { type PageServer, servePages } from "../support/page-server.ts";

const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const narrowWidths = [320, 360];
/** Names of other kinds change how the first sample of a page looks, and little about the others. */
const samples = pageSamples()
  .filter(
    ({ page, flavour }, index, all) =>
      flavour === "ordinary" ||
      index === all.findIndex((other) => other.page === page && other.flavour === flavour),
  )
  .map((sample) => ({ ...sample, path: `/${sample.page}/${sample.flavour}/${sample.variant}` }));

let browser: Browser;
let server: PageServer;

before(async () => {
  browser = await launchBrowser();
  server = await servePages(
    new Map(samples.map(({ path, html }) => [path, html])),
    new Map([["/axe.js", axe.source]]),
  );
  // A waiting page that were told nothing would leave for where the server says why, in the middle of being
  // looked at.
  for (const question of samples.flatMap(({ html }) => html.match(/(?<=data-poll=")[^"]+/g) ?? [])) {
    server.json.set(question, { state: "waiting", linked: [] });
  }
});

after(async () => {
  await browser.close();
  await server.close();
});

/** Everything; and what colours alone decide, for the scheme that changes nothing else. */
const looks = {
  light: { type: "tag", values: tags },
  dark: { type: "rule", values: ["color-contrast", "link-in-text-block"] },
} as const;

async function violations(page: Page, colorScheme: keyof typeof looks): Promise<string[]> {
  const options = { runOnly: looks[colorScheme], resultTypes: ["violations"], preload: false };
  return page.evaluate(`axe.run(${JSON.stringify(options)}).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => id + ": " + html + " " + failureSummary)))`);
}

/** How far the page is wider than the window, in CSS pixels. */
async function overflow(page: Page): Promise<number> {
  return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}

describe("every page is accessible, light and dark, and fits 320 px", { concurrency: 2 }, () => {
  for (const name of pageNames) {
    test(name, async () => {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      const complaints: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error" && !message.text().includes("404")) complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      for (const { path } of samples.filter((sample) => sample.page === name)) {
        await page.setViewportSize({ width: 1280, height: 800 });
        await page.goto(server.origin + path);
        await page.addScriptTag({ url: `${server.origin}/axe.js` });
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
          assert.deepEqual(await violations(page, colorScheme), [], `${path} ${colorScheme}`);
        }
        for (const width of narrowWidths) {
          await page.setViewportSize({ width, height: 740 });
          assert.equal(await overflow(page), 0, `${path} scrolls sideways at ${width} px`);
        }
      }
      assert.deepEqual(complaints, [], "the browser complained: a policy violation or a script error");
      await page.close();
    });
  }
});
