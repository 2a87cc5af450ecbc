/**
 * Z1, Z2, Z5 and L12 with throttles: what a flood can cause is capped, nobody else is kept out, and no answer
 * tells.
 */

import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, it } from "node:test";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { type Attacked, startAttacked } from "../support/attack-fixture.ts";
import { people, register, signIn } from "../support/liaison.ts";
import { mailboxFlood, perHour, settled } from "../support/mailbox-flood.ts";

const hour = 3600;

mailboxFlood(200);

describe("Z2: one identity asks for a thousand addresses", () => {
  const perIdentity = 4;
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked({
      config: (base) => ({
        ...base,
        limits: { ...(base["limits"] as object), inquiries_per_identity: perHour(perIdentity) },
      }),
    });
    const profiles = Array.from({ length: 12 }, (_, index) => ({
      id: `p-${index}`,
      email: `p-${index}@z2.example`,
    }));
    await register(liaison, { id: asOrganizationId("northwind") }, profiles);
  });
  after(() => liaison?.close());

  it("every address gets the same answer, and only so many are looked up", async () => {
    const browser = liaison.browser();
    const person = liaison.stranger();
    let page = await signIn(browser, await liaison.customerSource.start(), person);
    const shapes: string[] = [];
    // Known and unknown addresses by turns.
    for (let index = 0; index < 12; index += 1) {
      const email = index % 2 === 0 ? `p-${index}@z2.example` : `nobody-${index}@z2.example`;
      const waiting = await browser.press(page, "Continue", { email });
      shapes.push(`${waiting.status} ${waiting.heading} ${/waits its turn/.test(waiting.text)}`);
      page = await browser.visit(waiting.link(/another address/));
    }
    const expected = Array.from({ length: 12 }, (_, index) => `200 Check your email ${index >= perIdentity}`);
    assert.deepEqual(shapes, expected);
    await settled(liaison);
    assert.equal(liaison.mailbox.mails.length, perIdentity / 2);

    liaison.clock.advance(hour);
    await settled(liaison);
    const before = liaison.mailbox.mails.length;
    assert.ok(before <= perIdentity / 2 + 1, "of those that were held the newest alone is looked up");
  });

  it("the countdown says honestly when the next may be asked for, and nobody else's changes", async () => {
    const browser = liaison.browser();
    const person = liaison.stranger();
    let page = await signIn(browser, await liaison.customerSource.start(), person);
    let waiting = page;
    for (let index = 0; index <= perIdentity; index += 1) {
      waiting = await browser.press(page, "Continue", { email: `p-${index}@z2.example` });
      page = await browser.visit(waiting.link(/another address/));
    }
    const again = await browser.press(waiting, "Send it again");
    assert.match(again.text, /Wait a little before you ask again/);
    assert.match(again.text, /You can ask again in (59|60) minutes/);
    const other = liaison.browser();
    const theirs = await other.press(
      await signIn(other, await liaison.customerSource.start(), liaison.stranger()),
      "Continue",
      { email: "p-1@z2.example" },
    );
    assert.match(theirs.text, /You can ask again in 1 second|You can ask again now/);
    assert.doesNotMatch(theirs.text, /waits its turn/);
  });
});

describe("Z5: a flood of new sign-ins from one address", () => {
  const cap = 60;
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked({
      config: (base) => ({
        ...base,
        limits: {
          ...(base["limits"] as object),
          sign_ins_per_client_address: { limit: cap, window_seconds: 300 },
          inquiries_per_client_address: perHour(3),
        },
      }),
    });
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "p-ann", email: "ann@northwind.example" },
    ]);
  });
  after(() => liaison?.close());

  /** A request from another address of this machine. */
  function from(
    localAddress: string,
    url: string,
  ): Promise<{ status: number; retryAfter: string | undefined }> {
    return new Promise((resolve, reject) => {
      const sent = request(url.replace("localhost", "127.0.0.1"), { localAddress }, (response) => {
        response.resume();
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, retryAfter: response.headers["retry-after"] }),
        );
      });
      sent.on("error", reject).end();
    });
  }

  it("is answered 429 beyond the cap, and other people's sign-ins are served", async () => {
    const url = (await liaison.customerSource.start()).url.href;
    const answers = await Promise.all(Array.from({ length: 4 * cap }, () => from("127.0.0.5", url)));
    const refused = answers.filter(({ status }) => status === 429);
    assert.equal(answers.filter(({ status }) => status === 303).length, cap);
    assert.equal(refused.length, 3 * cap);
    assert.ok(refused.every(({ retryAfter }) => Number(retryAfter) > 0 && Number(retryAfter) <= 300));

    const browser = liaison.browser();
    const linkStep = await signIn(browser, await liaison.customerSource.start(), people.ann);
    assert.match(linkStep.heading, /registered/i);
    liaison.clock.advance(301);
    assert.equal(
      (await from("127.0.0.5", url)).status,
      303,
      "and so is the address, when the window is over",
    );
  });

  it("says on the page what to do", async () => {
    const url = (await liaison.customerSource.start()).url.href;
    const browser = liaison.browser();
    for (let turn = 0; turn < cap; turn += 1) await browser.once(url);
    const page = await browser.once(url);
    assert.equal(page.status, 429);
    assert.match(page.text, /Too many requests .*Wait 5 minutes and try again/);
  });

  it("Z10: who asks for the first time waits for nobody of their address; the page is the same", async () => {
    liaison.clock.advance(301);
    const before = liaison.mailbox.mails.length;
    const texts: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      const browser = liaison.browser();
      const person = liaison.stranger();
      const linkStep = await signIn(browser, await liaison.customerSource.start(), person);
      const waiting = await browser.press(linkStep, "Continue", { email: "ann@northwind.example" });
      texts.push(
        waiting.text
          .replaceAll(person.email, "…")
          .replace(/Code ?[A-Z]{4}|\d+ seconds?|Send it again.*/g, "…"),
      );
    }
    assert.deepEqual(texts.slice(1), texts.slice(0, -1));
    await settled(liaison);
    assert.equal(liaison.mailbox.mails.length - before, 4);
  });
});
