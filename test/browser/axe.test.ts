/**
 * Every page and every mail of the product, in every flavour, looked at by axe-core in a real browser: no
 * rule off, no violation. That every function which makes a page is among them: test/unit/ui-console.test.ts.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { renderMail } from "../../src/mail/rendering.ts";
import { assertAccessible, assertFitsPhones } from "../support/accessibility.ts";
import { launchBrowser } from "../support/browser.ts";
import { consolePageNames, consoleSamples } from "../support/console-samples.ts";
import { mailContents, mailFacts } from "../support/mail-samples.ts";
import { flavours } from "../support/page-flavours.ts";
import { pageNames, pageSamples } from "../support/page-samples.ts";
import { type PageServer, servePages } from "../support/page-server.ts";

/** Names of other kinds change how the first sample of a page looks, and little about the others. */
const ofPeople = pageSamples().filter(
  ({ page, flavour }, index, all) =>
    flavour === "ordinary" ||
    index === all.findIndex((other) => other.page === page && other.flavour === flavour),
);
const samples = [...ofPeople, ...consoleSamples()].map((sample) => ({
  ...sample,
  path: `/${sample.page}/${sample.flavour}/${sample.variant}`,
}));

let browser: Browser;
let server: PageServer;

before(async () => {
  browser = await launchBrowser();
  server = await servePages(new Map(samples.map(({ path, html }) => [path, html])));
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

/** A page that fails the test if the browser complains about what it shows. */
async function watched(): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("404")) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  return { page, complaints };
}

describe("every page is accessible, light and dark, and fits 320 px", { concurrency: 2 }, () => {
  for (const name of [...pageNames, ...consolePageNames]) {
    test(name, async () => {
      const { page, complaints } = await watched();
      for (const { path } of samples.filter((sample) => sample.page === name)) {
        await page.setViewportSize({ width: 1280, height: 800 });
        await page.goto(server.origin + path);
        await assertAccessible(page, path);
        await assertFitsPhones(page, path);
      }
      assert.deepEqual(complaints, [], "the browser complained: a policy violation or a script error");
      await page.close();
    });
  }
});

describe("every mail is accessible, light and dark, and fits 320 px", () => {
  for (const content of Object.values(mailContents)) {
    test(content.kind, async () => {
      const { page, complaints } = await watched();
      for (const { site } of [flavours.ordinary, flavours.long]) {
        await page.setViewportSize({ width: 1280, height: 800 });
        await page.setContent(renderMail(site, content, mailFacts).html);
        await assertAccessible(page, content.kind, "mail");
        await assertFitsPhones(page, content.kind);
      }
      assert.deepEqual(complaints, []);
      await page.close();
    });
  }
});
