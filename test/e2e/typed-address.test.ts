/**
 * What was typed on the link step is shown again in the browser that typed it, for half an hour, and nowhere
 * else.
 */

import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { pino } from "pino";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { codeOn } from "../support/attack-fixture.ts";
import { type Liaison, openLink, people, register, signIn, startLiaison } from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";
import type { Page, UserAgent } from "../support/user-agent.ts";

const typed = "a.very-special+address@northwind.example";

describe("the typed address", () => {
  let liaison: Liaison;
  let log = "";
  before(async () => {
    const written = new Writable({
      write: (chunk, _encoding, done) => {
        log += String(chunk);
        done();
      },
    });
    liaison = await startLiaison({
      logger: pino({ level: "trace" }, written),
      config: (base) => ({ ...base, sessions: { idle_seconds: 86_400, absolute_seconds: 86_400 } }),
    });
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "p", email: "p@northwind.example" },
    ]);
  });
  after(() => liaison?.close());

  async function asked(address = typed): Promise<{ browser: UserAgent; waiting: Page }> {
    const browser = liaison.browser();
    const linkStep = await signIn(browser, await liaison.customerSource.start(), people.ben);
    assert.equal(filledIn(linkStep), "", "nothing is filled in before something was typed");
    const waiting = await browser.press(linkStep, "Continue", { email: address });
    assert.equal(waiting.heading, "Check your email");
    return { browser, waiting };
  }

  const filledIn = (page: Page) => page.dom.querySelector("#email")?.getAttribute("value") ?? "no field";
  const addressPage = ({ url }: Page) => url.href.replace(/\/waiting.*/, "/address");

  it(
    "stands on Check your email and in the field of another address, escaped, in no address and no line " +
      "of the log",
    async () => {
      const { browser, waiting } = await asked();
      assert.ok(
        waiting.text.replace("You entered ", "You entered").includes(`You entered${typed}`),
        waiting.text,
      );
      assert.equal(filledIn(await browser.follow(waiting, /another address/)), typed);
      const odd = `"<b>&"@northwind.example`;
      const next = await browser.press(await browser.visit(addressPage(waiting)), "Continue", { email: odd });
      assert.ok(next.text.includes(odd), next.text);
      assert.ok(!next.body.includes("<b>&"));
      for (const url of browser.visited) assert.ok(!decodeURIComponent(url).includes("very-special"), url);
      assert.ok(log.length > 0 && !log.includes("very-special"), "no line names it");
      for (const line of browser.cookiesSet)
        assert.ok(!decodeURIComponent(line).includes("very-special"), line);
      const inquiries = await liaison.store.links.inquiries({ limit: 50 });
      assert.ok(inquiries.length > 0);
      const looked = Date.now() + 5000;
      while (
        (await liaison.store.links.inquiries({ limit: 50 })).some(({ settledAt }) => settledAt === null)
      ) {
        assert.ok(Date.now() < looked, "every inquiry is looked up");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.ok(!JSON.stringify(await liaison.store.links.inquiries({ limit: 50 })).includes("very-special"));
    },
  );

  it("is in the cookie of that interaction's path alone, which lasts for 30 minutes", async () => {
    const { browser, waiting } = await asked();
    const line =
      browser.cookiesSet.findLast((one) => one.startsWith("liaison.typed=")) ?? assert.fail("no cookie");
    const expires = Date.parse(/expires=([^;]+)/i.exec(line)?.[1] ?? "");
    assert.ok(Math.abs(expires - liaison.clock.now() - 1800_000) < 60_000, line);
    assert.match(line, new RegExp(`path=${waiting.url.pathname.replace("/waiting", "")};`));
    assert.match(line, /httponly/i);
  });

  it("isn't shown to a browser that has all but that cookie", async () => {
    const { browser, waiting } = await asked();
    const other = liaison.browser();
    for (const cookie of (await browser.jar.serialize()).cookies.filter(
      ({ key }) => key !== "liaison.typed",
    )) {
      const { key, value, path } = cookie;
      await other.jar.setCookie(`${key}=${value}; path=${path}`, liaison.issuer);
    }
    const page = await other.visit(waiting.url);
    assert.equal(page.heading, "Check your email");
    assert.ok(!page.body.includes("very-special"));
    assert.equal(filledIn(await other.follow(page, /another address/)), "");
  });

  it("is shown for half an hour, and for half an hour more where it is sent again, unseen", async () => {
    const { browser, waiting } = await asked();
    liaison.clock.advance(1500);
    const again = await browser.press(waiting, "Send it again");
    assert.ok(again.text.includes(typed));
    liaison.clock.advance(1500);
    assert.ok((await browser.visit(waiting.url)).text.includes(typed));
    liaison.clock.advance(400);
    const later = await browser.visit(waiting.url);
    assert.equal(later.heading, "Check your email");
    assert.ok(!later.body.includes("very-special"));
    assert.equal(filledIn(await browser.visit(addressPage(waiting))), "");
    const unseen = await browser.press(later, "Send it again");
    assert.notEqual(codeOn(unseen), codeOn(later), "a link has just expired by then");
    assert.ok(!unseen.body.includes("very-special"), "whoever sits there by now isn't told it");
  });

  it("is forgotten with the account that it was typed for, and when the sign-in is done", async () => {
    const { browser, waiting } = await asked();
    const holds = async ({ url }: Page) =>
      (await browser.jar.getCookies(url.href)).some(({ key }) => key === "liaison.typed");
    assert.equal(await holds(waiting), true);
    await browser.press(waiting, "Use another account");
    assert.equal(await holds(waiting), false);

    const second = await asked("p@northwind.example");
    const held = async () =>
      (await second.browser.jar.getCookies(second.waiting.url.href)).some(
        ({ key }) => key === "liaison.typed",
      );
    const [mail] = await liaison.mailbox.arrived(1);
    await openLink(second.browser, linkIn(mail ?? assert.fail("no mail")), people.ben);
    assert.equal(await held(), true);
    const end = await second.browser.follow(second.waiting, /opened the link/);
    assert.ok(end.url.searchParams.has("code"), end.text);
    assert.equal(await held(), false);
  });
});
