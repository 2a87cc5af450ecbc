/**
 * What the pages do by themselves in a browser: wait and go on, count down, sign out, lead to the error; and
 * without scripts.
 */

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { automaticSignOut, signOutPurposes } from "../support/bare-pages.ts";
import { launchBrowser } from "../support/browser.ts";
import { pageSamples } from "../support/page-samples.ts";
import { type PageServer, servePages } from "../support/page-server.ts";

const status = "/interaction/abc/status";
const waiting = "Waiting for you to open the link. Keep this page: it carries on by itself.";

let browser: Browser;
let server: PageServer;

before(async () => {
  browser = await launchBrowser();
  const samples = pageSamples().filter(({ flavour }) => flavour === "ordinary");
  server = await servePages(
    new Map([
      ...samples.map(({ page, variant, html }): [string, string] => [`/${page}/${variant}`, html]),
      ["/interaction/abc", "<!doctype html><title>next</title><h1>Next step</h1>"],
      ["/interaction/abc/waiting", "<!doctype html><title>waiting</title><h1>It was declined</h1>"],
      ["/session/end/confirm", "<!doctype html><title>out</title><h1>Signed out</h1>"],
      ...signOutPurposes.map((purpose): [string, string] => [`/auto/${purpose}`, automaticSignOut(purpose)]),
    ]),
  );
});

after(async () => {
  await browser.close();
  await server.close();
});

beforeEach(() => server.statuses.clear());

describe("check your email", () => {
  test("says that it waits, what was linked meanwhile, and goes on by itself", async () => {
    const page = await browser.newPage();
    await page.clock.install();
    server.json.set(status, { state: "waiting", linked: [] });
    await page.goto(`${server.origin}/checkEmail/plain`);
    const line = page.getByRole("status");
    assert.equal(await line.textContent(), waiting);
    server.json.set(status, { state: "waiting", linked: ["Ana – Fabrikam A/S", "Ana – Litware"] });
    await page.clock.runFor(3000);
    await line.getByText("Linked so far: Ana – Fabrikam A/S and Ana – Litware.").waitFor();
    server.json.set(status, { state: "continue", linked: [] });
    await page.clock.runFor(3000);
    await page.getByRole("heading", { name: "Next step" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/interaction/abc");
    await page.close();
  });

  test(
    "goes to the server's words once it is told that a link was declined, and waits on where they are " +
      "said",
    async () => {
      const page = await browser.newPage();
      await page.clock.install();
      server.json.set(status, { state: "declined", linked: [] });
      await page.goto(`${server.origin}/checkEmail/plain`);
      await page.clock.runFor(3000);
      await page.getByRole("heading", { name: "It was declined" }).waitFor();
      let asked = 0;
      page.on("request", (request) => {
        if (request.url().endsWith(status)) asked += 1;
      });
      await page.goto(`${server.origin}/checkEmail/declined`);
      for (let turn = 0; turn < 3; turn += 1) {
        const answered = page.waitForResponse((response) => response.url().endsWith(status));
        await page.clock.runFor(3000);
        await answered;
      }
      assert.equal(asked, 3);
      assert.equal(new URL(page.url()).pathname, "/checkEmail/declined");
      await page.close();
    },
  );

  test("asks less and less often while there is no answer", async () => {
    const page = await browser.newPage();
    await page.clock.install();
    server.json.set(status, { error: "server_error" });
    server.statuses.set(status, 503);
    let asked = 0;
    page.on("request", (request) => {
      if (request.url().endsWith(status)) asked += 1;
    });
    await page.goto(`${server.origin}/checkEmail/plain`);
    for (let second = 0; second < 60; second += 1) await page.clock.runFor(1000);
    // After 3, 9, 21 and 45 seconds; a steady rhythm would have asked twenty times.
    assert.ok(asked >= 1 && asked <= 4, `asked ${asked} times`);
    assert.equal(await page.getByRole("status").textContent(), waiting);
    await page.close();
  });

  test("goes where the server says what happened when its question is refused", async () => {
    for (const refusal of [400, 404, 410, 499]) {
      const page = await browser.newPage();
      await page.clock.install();
      server.json.set(status, { error: "sign_in_expired" });
      server.statuses.set(status, refusal);
      await page.goto("about:blank");
      await page.goto(`${server.origin}/checkEmail/plain`);
      await page.clock.runFor(3000);
      await page.getByRole("heading", { name: "Next step" }).waitFor();
      assert.equal(new URL(page.url()).pathname, "/interaction/abc");
      await page.goBack();
      assert.equal(page.url(), "about:blank", "the waiting page is replaced, not left behind");
      await page.close();
    }
  });

  test("counts the seconds down and then says that one may ask again", async () => {
    const page = await browser.newPage();
    await page.clock.install();
    server.json.set(status, { state: "waiting", linked: [] });
    await page.goto(`${server.origin}/checkEmail/plain`);
    await page.clock.runFor(44_000);
    await page.getByText("You can ask again in 1 second.").waitFor();
    await page.clock.runFor(1000);
    await page.getByText("You can ask again now.").waitFor();
    assert.ok(await page.getByRole("button", { name: "Send it again" }).isEnabled());
    await page.close();
  });
});

describe("other pages", () => {
  test("an error summary is focused, and its link leads into the field", async () => {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/linkStep/wrong`);
    assert.equal(await page.evaluate("document.activeElement.className"), "problem");
    await page.getByRole("alert").getByRole("link").click();
    assert.equal(await page.evaluate("document.activeElement.name"), "email");
    await page.close();
  });

  for (const purpose of signOutPurposes) {
    test(`the automatic sign-out submits itself with its button's value: ${purpose}`, async () => {
      const page = await browser.newPage();
      const posted = page.waitForRequest((request) => request.method() === "POST");
      await page.goto(`${server.origin}/auto/${purpose}`, { waitUntil: "commit" });
      assert.equal((await posted).postData(), "xsrf=Zm9yZ2Vk-token&logout=yes");
      await page.close();
    });
  }

  test("without scripts a page is whole: static seconds, no empty promise, all by keyboard", async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${server.origin}/checkEmail/plain`);
    assert.ok(await page.getByText("You can ask again in 45 seconds.").isVisible());
    assert.ok(await page.getByText("You can ask again now.").isHidden());
    assert.equal(await page.getByText(waiting).count(), 0);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(new URL(page.url()).hash, "#main");
    await page.getByRole("link", { name: "I've opened the link – continue" }).click();
    await page.getByRole("heading", { name: "Next step" }).waitFor();
    await context.close();
  });
});
