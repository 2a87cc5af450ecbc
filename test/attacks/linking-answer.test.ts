/**
 * The answer of the link step says nothing about the directory: L12 of the threat list, without throttling.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { type Attacked, bindTo, mailsTo, quiet, startAttacked } from "../support/attack-fixture.ts";
import { register, signIn } from "../support/liaison.ts";
import { seen } from "../support/seen-page.ts";
import type { Page, UserAgent } from "../support/user-agent.ts";

const addresses = {
  "an unbound profile": "unbound-01@northwind.example",
  "a bound profile": "bound-0001@northwind.example",
  "a disabled profile": "disabled-1@northwind.example",
  "three profiles": "threefold1@northwind.example",
  "no profile": "nobody-001@northwind.example",
  "an upper-case spelling": "UNBOUND-01@NORTHWIND.EXAMPLE",
  "a list": "nobody-01@north.x,a@wind.exa",
  "a quoted local part": '"nobody 01"@northwind.exampl',
  "a header injection": "nobody@north.x\r\nBcc:a@wind.x",
  "a dotless i": "nobody-0ı@northwind.example",
};

/** Whether they take the same room as JSON. */
function isAsLongAs(one: string, other: string): boolean {
  return Buffer.byteLength(JSON.stringify(one)) === Buffer.byteLength(JSON.stringify(other));
}

describe("L12: the answer of the link step", () => {
  let liaison: Attacked;
  /** What happened, in order: `read` for every look into the directory, and what the test saw. */
  const events: string[] = [];
  before(async () => {
    liaison = await startAttacked({
      decorate: (store) => ({
        ...store,
        directory: {
          ...store.directory,
          membershipsByEmail: async (emailKey) => {
            events.push("read");
            return await store.directory.membershipsByEmail(emailKey);
          },
          membership: async (id) => {
            events.push("read");
            return await store.directory.membership(id);
          },
        },
      }),
    });
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "unbound", email: addresses["an unbound profile"] },
      { id: "bound", email: addresses["a bound profile"] },
      { id: "disabled", email: addresses["a disabled profile"], enabled: false },
      ...["a", "b", "c"].map((id) => ({ id, email: addresses["three profiles"] })),
    ]);
    await bindTo(liaison, liaison.stranger(), "bound");
    await quiet(liaison);
  });
  after(() => liaison?.close());

  async function answers(browser: UserAgent, linkStep: Page, email: string): Promise<string[]> {
    const { action, fields } = linkStep.form("Continue");
    fields.set("email", email);
    const posted = await browser.once(action, { method: "POST", body: fields });
    events.push("answered");
    const waiting = await browser.once(new URL(posted.headers.get("location") ?? "", action));
    const again = await browser.once(waiting.url.href.replace("/waiting", ""));
    const status = await browser.once(waiting.url.href.replace("/waiting", "/status"));
    // In this one browser it is shown, and nowhere in an address.
    const shown = waiting.dom.querySelector("dd bdi");
    assert.equal(shown?.text.replace(/\s/g, ""), email.replace(/\s/g, ""));
    assert.ok(!browser.visited.some((url) => decodeURIComponent(url).includes(email)), "no address holds it");
    return [posted, waiting, again, status].map((page) => seen(page, [shown?.innerHTML ?? ""]));
  }

  it("L12: status, headers and body are the same for every address", async () => {
    const person = liaison.stranger();
    const browser = liaison.browser();
    const linkStep = await signIn(browser, await liaison.customerSource.start(), person);
    const reference = await answers(browser, linkStep, addresses["no profile"]);
    assert.match(reference[0] ?? "", /^303\n/);
    assert.match(reference[1] ?? "", /Check your email/);
    for (const [what, email] of Object.entries(addresses)) {
      const [posted = "", ...pages] = await answers(browser, linkStep, email);
      const [expected = "", ...others] = reference;
      // The browser keeps what was typed, sealed: how long that is is no news to who typed it.
      const sealed = isAsLongAs(email, addresses["no profile"]) ? /$^/ : /liaison\.(?:inquiry|typed)=\d+/g;
      assert.equal(posted.replace(sealed, ""), expected.replace(sealed, ""), what);
      assert.ok(!posted.includes(email), "what was typed is nowhere on the answer");
      assert.deepEqual(pages, others, what);
    }
    await quiet(liaison);
  });

  it("L12: mail goes to stored addresses alone, one recipient a mail", async () => {
    await mailsTo(liaison, addresses["three profiles"], 3);
    await quiet(liaison);
    const textsTo = (address: string) =>
      liaison.mailbox.mails.flatMap(({ to, text }) => (to === address ? [text] : []));
    const stored = [
      addresses["an unbound profile"],
      addresses["a bound profile"],
      addresses["a disabled profile"],
      addresses["three profiles"],
    ];
    for (const { to, envelopeTo } of liaison.mailbox.mails) {
      assert.deepEqual(envelopeTo, [to]);
      assert.ok(stored.includes(to), to);
    }
    // Of its two requests the newer supersedes the older, whose mail may or may not have left.
    assert.match(textsTo(addresses["an unbound profile"]).at(-1) ?? "", /\/link\//);
    const disabled = textsTo(addresses["a disabled profile"]);
    assert.equal(disabled.length, 1);
    assert.doesNotMatch(disabled.join(), /\/link\//);
  });

  it("L12: no profile is read before the answer has arrived", async () => {
    const person = liaison.stranger();
    const browser = liaison.browser();
    const linkStep = await signIn(browser, await liaison.customerSource.start(), person);
    for (const email of [addresses["an unbound profile"], addresses["no profile"]]) {
      await quiet(liaison);
      events.length = 0;
      const { action, fields } = linkStep.form("Continue");
      fields.set("email", email);
      const posted = await browser.once(action, { method: "POST", body: fields });
      events.push("answered");
      assert.equal(posted.status, 303);
      await quiet(liaison);
      assert.deepEqual(events, ["answered", "read"]);
    }
  });

  it("L12: an empty or shapeless field is told so, whatever the directory holds", async () => {
    const browser = liaison.browser();
    const linkStep = await signIn(browser, await liaison.customerSource.start(), liaison.stranger());
    await quiet(liaison);
    events.length = 0;
    for (const email of ["", "unbound-01", "northwind.example", "@northwind.example"]) {
      const page = await browser.press(linkStep, "Continue", { email });
      assert.equal(page.status, 400, email);
    }
    await quiet(liaison);
    assert.deepEqual(events, []);
  });
});
