/**
 * What reads mail before its person does: every kind gets a fresh link, does its worst, and the person links
 * all the same.
 */

import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Browser, Page as Tab } from "playwright-core";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import {
  type Attacked,
  ask,
  askForLink,
  assertUnbound,
  auditOf,
  codeOn,
  quiet,
  requestOf,
  startAttacked,
} from "./attack-fixture.ts";
import { launchBrowser } from "./browser.ts";
import { aCrowd, allAsk, collectedFor } from "./crowd.ts";
import { openLink, register, type TestPerson } from "./liaison.ts";
import { linksOf, linkWithCode } from "./mailbox.ts";
import { perHour } from "./mailbox-flood.ts";
import { UserAgent } from "./user-agent.ts";

interface Mailed {
  link: string;
  person: TestPerson;
}

type Scan = (mailed: Mailed) => Promise<void>;

/** @param isChosen which kinds are played, by name */
export function scannerSuite(isChosen: (kind: string) => boolean): void {
  describe("scanners", () => {
    let liaison: Attacked;
    let chromium: Browser;
    before(async () => {
      liaison = await startAttacked({
        strangers: 20,
        // One mail of its own for each mailbox: what else waits for it goes together.
        config: (base) => ({
          ...base,
          limits: { ...(base["limits"] as object), mails_per_mailbox: perHour(1) },
        }),
      });
      chromium = await launchBrowser();
    });
    after(async () => {
      await chromium?.close();
      await liaison?.close();
    });

    /** A request as it is, from another address of this machine; redirects aren't followed. */
    function raw(
      url: string,
      {
        method = "GET",
        headers = {},
        body = "",
      }: { method?: string; headers?: Record<string, string>; body?: string } = {},
    ): Promise<{ status: number; location: string | undefined }> {
      return new Promise((resolve, reject) => {
        const target = url.replace("//localhost", "//127.0.0.1");
        const sent = request(target, { method, headers, localAddress: "127.0.0.9" }, (response) => {
          response.resume();
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, location: response.headers.location }),
          );
        });
        sent.on("error", reject).end(body);
      });
    }

    /** Opens a page, also where what was pressed last is still leading somewhere else. */
    async function open(tab: Tab, url: string): Promise<void> {
      for (let turn = 1; ; turn += 1) {
        try {
          await tab.goto(url);
          return;
        } catch (error) {
          if (turn === 5 || !String(error).includes("interrupted by another navigation")) throw error;
        }
      }
    }

    /**
     * Fills every field and presses every button, again and again on fresh copies of the page, some pages
     * deep.
     */
    async function pressEverything(tab: Tab, url: string, depth: number): Promise<number> {
      if (depth === 0) return 0;
      await open(tab, url);
      const count = await tab.locator("button, input[type=submit], a[href^=http], a[href^='/']").count();
      let pressed = 0;
      for (let index = 0; index < count; index += 1) {
        await open(tab, url);
        for (const field of await tab
          .locator("input:not([type=hidden]):not([type=submit]), textarea")
          .all()) {
          await field.fill("scanner@example.net").catch(() => {});
        }
        const control = tab.locator("button, input[type=submit], a[href^=http], a[href^='/']").nth(index);
        if ((await control.count()) === 0) continue;
        await control.click({ timeout: 2000 }).catch(() => {});
        await tab.waitForLoadState("load").catch(() => {});
        pressed += 1;
        if (tab.url() !== url && new URL(tab.url()).port !== "9") pressed += await pressForms(tab);
      }
      return pressed;
    }

    /** On the page where a press led: fills and sends each form once. */
    async function pressForms(tab: Tab): Promise<number> {
      const forms = await tab.locator("form").count();
      for (let index = 0; index < Math.min(forms, 3); index += 1) {
        const form = tab.locator("form").nth(index);
        for (const field of await form.locator("input:not([type=hidden]):not([type=submit])").all()) {
          await field.fill("scanner@example.net").catch(() => {});
        }
        await form
          .locator("button, input[type=submit]")
          .first()
          .click({ timeout: 2000 })
          .catch(() => {});
        await tab.waitForLoadState("load").catch(() => {});
      }
      return forms;
    }

    /** Serves one page from another origin, and has Chromium open it for a while. */
    async function openedElsewhere(html: string): Promise<void> {
      const server = createServer((_request, response) =>
        response.setHeader("content-type", "text/html").end(html),
      );
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const context = await chromium.newContext();
      try {
        const tab = await context.newPage();
        await tab.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
        await tab.mouse.move(10, 10);
        await pause(1500);
      } finally {
        await context.close();
        server.closeAllConnections();
        server.close();
      }
    }

    const bots = [
      "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
      "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
      "facebookexternalhit/1.1",
      "WhatsApp/2.23.20.0",
      "Mozilla/5.0 (compatible; Google-Safety)",
      "Mozilla/5.0 (compatible; BarracudaCentral)",
    ];

    const kinds: Record<string, Scan> = {
      "GET, again and again, with and without cookies": async ({ link }) => {
        for (const keepCookies of [true, false]) {
          const agent = new UserAgent({ keepCookies });
          for (let turn = 0; turn < 5; turn += 1) await agent.visit(link);
        }
      },
      "HEAD, then GET of every page behind it": async ({ link }) => {
        for (let turn = 0; turn < 5; turn += 1) await raw(link, { method: "HEAD" });
        const [base = ""] = /^.*\/link\/[^/]+/.exec(link) ?? [];
        for (const path of ["", "/confirm", "/decline", "/result"])
          await raw(base + path, { method: "HEAD" });
      },
      "POST to the link and to its actions, with and without what the page holds": async ({ link }) => {
        const headers = { "content-type": "application/x-www-form-urlencoded" };
        for (const body of ["", "csrf=x", "confirm=1&secret=x"])
          await raw(link, { method: "POST", headers, body });
        const [base = ""] = /^.*\/link\/[^/]+/.exec(link) ?? [];
        for (const action of ["confirm", "decline"]) {
          assert.equal(
            (await raw(`${base}/${action}`, { method: "POST", headers, body: "csrf=x" })).status,
            403,
          );
          const agent = new UserAgent();
          const landing = await agent.visit(link);
          const { fields } = landing.form(action === "confirm" ? "Continue to sign in" : /^Don.t link$/);
          const page = await agent.visit(`${base}/${action}`, { method: "POST", body: fields });
          assert.equal(page.form("Sign in").action.origin, liaison.upstreamIssuer);
        }
      },
      "a headless browser that presses every button and fills every field": async ({ link }) => {
        const context = await chromium.newContext();
        try {
          const tab = await context.newPage();
          const pressed = await pressEverything(tab, link, 1);
          assert.ok(pressed >= 4, `only ${pressed} controls were pressed`);
        } finally {
          await context.close();
        }
      },
      "a headless browser without cookies": async ({ link }) => {
        const context = await chromium.newContext();
        try {
          await context.route("**/*", async (route) => {
            const { cookie: _none, ...headers } = route.request().headers();
            await route.continue({ headers });
          });
          await pressEverything(await context.newPage(), link, 1);
        } finally {
          await context.close();
        }
      },
      "prefetch and prerender": async ({ link }) => {
        const rules = {
          prefetch: [{ source: "list", urls: [link] }],
          prerender: [{ source: "list", urls: [link] }],
        };
        await openedElsewhere(
          `<!doctype html><link rel="prefetch" href="${link}"><link rel="prerender" href="${link}">` +
            `<script type="speculationrules">${JSON.stringify(rules)}</script><a href="${link}">the link</a>`,
        );
        for (const purpose of ["prefetch", "prefetch;prerender"]) {
          for (const name of ["sec-purpose", "purpose", "x-moz"])
            await raw(link, { headers: { [name]: purpose } });
        }
      },
      "link previews, with every address that their page names": async ({ link }) => {
        for (const userAgent of bots) {
          const agent = new UserAgent();
          const headers = { "user-agent": userAgent };
          const page = await agent.visit(link, { headers });
          const named = [...page.body.matchAll(/(?:href|src|action)="([^"]+)"/g)].map(
            ([, address]) => address ?? "",
          );
          for (const address of named.filter((one) => !/^mailto:|^tel:|^#/.test(one))) {
            await agent
              .once(new URL(address.replaceAll("&amp;", "&"), page.url), { headers })
              .catch(() => {});
          }
        }
      },
      "a proxy that opens the link twice from another address, just before its person": async ({ link }) => {
        for (let turn = 0; turn < 2; turn += 1) {
          const { status, location } = await raw(link);
          assert.equal(status, 303);
          await raw(location ?? assert.fail());
        }
      },
      "a sandbox that opens the link while its person is signing in": async ({ link, person }) => {
        const browser = liaison.browser();
        const login = await browser.press(await browser.visit(link), "Continue to sign in");
        const context = await chromium.newContext();
        try {
          await pressEverything(await context.newPage(), link, 1);
        } finally {
          await context.close();
        }
        assert.match(login.body, /name="password"/);
        assert.ok(person.password);
      },
    };

    for (const [index, [kind, scan]] of Object.entries(kinds).entries()) {
      if (!isChosen(kind)) continue;
      it(`${kind}: nothing is consumed, and the person links afterwards`, async () => {
        const id = asOrganizationId(`scanned-${index}`);
        const email = `${id}@northwind.example`;
        await register(liaison, { id }, [{ id, email }]);
        const person = liaison.stranger();
        const { link } = await askForLink(liaison, person, email);
        await quiet(liaison);
        const request = await requestOf(liaison, link);
        const mails = liaison.mailbox.mails.length;

        await scan({ link, person });

        await assertUnbound(liaison, id);
        assert.deepEqual(await requestOf(liaison, link), request, "the request is as it was");
        assert.equal(liaison.mailbox.mails.length, mails);
        assert.equal((await openLink(liaison.browser(), link, person)).heading, "Your account is linked");
        assert.equal((await auditOf(liaison, asProfileId(id), "profile.bound")).length, 1);
      });

      it(`${kind}, to every link of a mail that has several: the same`, async () => {
        const id = asOrganizationId(`scanned-together-${index}`);
        const email = `${id}@northwind.example`;
        await register(liaison, { id }, [{ id, email }]);
        await allAsk(liaison, aCrowd(id, 3, email), email);
        const person = liaison.stranger();
        const { waiting } = await ask(liaison, person, email);
        const mail = await collectedFor(liaison, email);
        const links = linksOf(mail).map(({ link }) => link);
        assert.equal(links.length, 3, "two of the strangers', and the person's");
        const requests = await Promise.all(links.map((link) => requestOf(liaison, link)));
        const mails = liaison.mailbox.mails.length;

        for (const link of links) await scan({ link, person });

        await assertUnbound(liaison, id);
        assert.deepEqual(await Promise.all(links.map((link) => requestOf(liaison, link))), requests);
        assert.equal(liaison.mailbox.mails.length, mails);
        const mine =
          linkWithCode(mail, codeOn(waiting)) ?? assert.fail("the person's code isn't in the mail");
        assert.equal((await openLink(liaison.browser(), mine, person)).heading, "Your account is linked");
        assert.equal((await auditOf(liaison, asProfileId(id), "profile.bound")).length, 1);
      });
    }
  });
}
