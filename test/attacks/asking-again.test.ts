/**
 * The pause between two requests of one person guards every way of asking, and its page says nothing: L12,
 * Z9.
 */

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { type Liaison, people, register, signIn, startLiaison } from "../support/liaison.ts";
import type { Page, UserAgent } from "../support/user-agent.ts";

const known = "ann@northwind.example";
const unknown = "nobody@northwind.example";
const pauseSeconds = 30;

describe("the pause between two requests", () => {
  let liaison: Liaison;
  before(async () => {
    liaison = await startLiaison({
      config: (base) => ({
        ...base,
        linking: { resend_after_seconds: pauseSeconds, lookup_delay_seconds: { min: 0, max: 0 } },
        // The upstream lives by the same clock: nobody signs in again here.
        sessions: { idle_seconds: 86_400, absolute_seconds: 86_400 },
      }),
    });
    await register(liaison, { id: asOrganizationId("northwind") }, [{ id: "p-ann", email: known }]);
  });
  beforeEach(() => liaison.clock.advance(pauseSeconds));
  after(() => liaison?.close());

  const stored = async () => (await liaison.store.links.inquiries({ limit: 200 })).length;
  const linkStepOf = async (browser: UserAgent, portal = liaison.customerSource) =>
    await signIn(browser, await portal.start(), people.ben);
  const type = (browser: UserAgent, page: Page, email: string) => browser.press(page, "Continue", { email });
  const shapeOf = ({ status, heading, body }: Page) =>
    [
      status,
      heading,
      body.replace(/(name="csrf" value=")[^"]*|(value=")[^"]*@|(data-countdown=")[^<]*/g, "$1$2$3…"),
    ].join("\n");

  it("L12: whatever is typed meanwhile is kept, with when it works, alike for every address", async () => {
    const browser = liaison.browser();
    const waiting = await type(browser, await linkStepOf(browser), unknown);
    assert.equal(waiting.heading, "Check your email");
    const before = await stored();
    const shapes: string[] = [];
    for (const email of [known, unknown, "third@northwind.example"]) {
      const page = await type(browser, await browser.visit(waiting.link(/another address/)), email);
      assert.equal(page.status, 429);
      assert.match(page.text, /Wait a little before you ask again/);
      assert.match(page.text, /You can ask again in (2\d|30) seconds/);
      assert.match(page.body, new RegExp(`value="${email}"`), "nothing is lost");
      shapes.push(shapeOf(page));
    }
    assert.equal(new Set(shapes).size, 1, shapes.join("\n\n"));
    assert.equal(await stored(), before);

    const again = await browser.press(waiting, "Send it again");
    assert.match(again.text, /You can ask again in (2\d|30) seconds/);
    assert.equal(await stored(), before);
    liaison.clock.advance(pauseSeconds);
    assert.equal(
      (await type(browser, await browser.visit(waiting.link(/another address/)), known)).heading,
      "Check your email",
    );
    assert.equal(await stored(), before + 1);
  });

  it("another browser, tab or portal of the person doesn't shorten it; another person's stays", async () => {
    const [first, second] = [liaison.browser(), liaison.browser()];
    const waiting = await type(first, await linkStepOf(first), unknown);
    const before = await stored();
    for (const portal of [liaison.customerSource, liaison.partnerSource]) {
      const page = await type(second, await linkStepOf(second, portal), known);
      assert.deepEqual([page.status, page.body.includes(`value="${known}"`)], [429, true]);
    }
    assert.equal(await stored(), before);
    const other = liaison.browser();
    const theirs = await signIn(other, await liaison.customerSource.start(), people.eve);
    assert.equal((await type(other, theirs, known)).heading, "Check your email");

    liaison.clock.advance(pauseSeconds);
    const linkStep = await linkStepOf(second);
    assert.equal((await type(second, linkStep, known)).heading, "Check your email");
    const resent = await first.press(waiting, "Send it again");
    assert.match(resent.text, /Wait a little before you ask again.*You can ask again in (2\d|30) seconds/s);
    assert.equal(await stored(), before + 2);
  });

  it("of requests sent at once one is stored; a message to support isn't concerned", async () => {
    const browser = liaison.browser();
    const linkStep = await linkStepOf(browser);
    const before = await stored();
    const { action, fields } = linkStep.form("Continue");
    const answers = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const body = new URLSearchParams(fields);
        body.set("email", index % 2 === 0 ? known : unknown);
        return (await browser.once(action, { method: "POST", body })).status;
      }),
    );
    assert.deepEqual(answers.sort(), [303, ...Array.from({ length: 11 }, () => 429)]);
    assert.equal(await stored(), before + 1);
    const form = await browser.visit(action.href.replace("/address", "/support"));
    const sent = await browser.press(form, /^Send/, { name: "Ben", organization: "Northwind" });
    assert.equal(sent.status, 200);
    assert.match(sent.url.pathname, /\/support\/sent$/);
  });
});
