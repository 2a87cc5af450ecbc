/**
 * The clock of a running service set back by a day: people who wait for a mail, or may ask for one, notice
 * next to nothing.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { type Liaison, people, register, signIn, startLiaison } from "../support/liaison.ts";
import type { Page } from "../support/user-agent.ts";

const daySeconds = 24 * 3600;

describe("the clock is set back by a day", () => {
  let liaison: Liaison;
  before(async () => {
    liaison = await startLiaison({
      config: (base) => ({
        ...base,
        linking: { resend_after_seconds: 60, lookup_delay_seconds: { min: 20, max: 20 } },
      }),
    });
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "p-ann", email: "ann@northwind.example" },
    ]);
  });
  after(() => liaison?.close());

  it("while an inquiry waits: its mail comes when it would have, and the next may be asked for", async () => {
    const browser = liaison.browser();
    const linkStep = await signIn(browser, await liaison.customerSource.start(), people.ann);
    let waiting: Page = await browser.press(linkStep, "Continue", { email: "ann@northwind.example" });
    liaison.clock.advance(-daySeconds);
    // The background notices within a second.
    await isMoved(liaison.clock.now() + 10_000);
    liaison.clock.advance(20);
    await liaison.mailbox.arrived(1);
    waiting = await browser.press(waiting, "Send it again");
    assert.match(waiting.text, /You can ask again in (59|60) seconds/, "one pause from now, not a day");
    liaison.clock.advance(60);
    waiting = await browser.press(waiting, "Send it again");
    assert.doesNotMatch(waiting.text, /Wait a little/);
    liaison.clock.advance(20);
    await liaison.mailbox.arrived(2);
  });

  /** Until the inquiry was stored no later than then. */
  async function isMoved(latest: number): Promise<void> {
    const giveUpAt = performance.now() + 10_000;
    for (;;) {
      const [inquiry] = await liaison.store.links.inquiries({ limit: 1 });
      if (inquiry !== undefined && inquiry.createdAt <= latest) return;
      assert.ok(performance.now() < giveUpAt, "nothing was done about it");
      await pause(20);
    }
  }
});
