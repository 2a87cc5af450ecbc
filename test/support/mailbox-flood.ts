/** Z1 as a suite, for a flood of any size. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createLinking } from "../../src/linking/linking.ts";
import { type Attacked, startAttacked } from "./attack-kit.ts";
import { openLink, people, register, signIn, type TestPerson } from "./liaison.ts";
import { linkIn } from "./mailbox.ts";
import type { Page, UserAgent } from "./user-agent.ts";

const hour = 3600;
export const perHour = (limit: number) => ({ limit, window_seconds: hour });
const victim = "victim@northwind.example";

/** Waits until the workers have nothing to do at the liaison's present time. */
export async function settled({ store }: Attacked): Promise<void> {
  // Inquiries are looked for twice a second, held mails that may go once.
  for (let calm = 0; calm < 12; calm += 1) {
    await pause(100);
    if ((await store.outbox.nextDueAt()) !== undefined) calm = -1;
  }
}

export function mailboxFlood(size: number): void {
  describe(`Z1: ${size} inquiries for one mailbox from as many identities`, () => {
    const perProfile = 5;
    let liaison: Attacked;
    let mails: () => number;
    before(async () => {
      liaison = await startAttacked({
        config: (base) => ({
          ...base,
          limits: { ...(base["limits"] as object), mails_per_profile: perHour(perProfile) },
          // The upstream's clock stays where it is, while ours goes on by hours.
          upstreams: (base["upstreams"] as object[]).map((one) => ({ ...one, reauthentication: "prompt_only" })),
        }),
      });
      await register(liaison, { id: "northwind" }, [
        { id: "p-victim", email: victim },
        { id: "p-own", email: people.ben.email },
      ]);
      mails = () => liaison.mailbox.mails.filter(({ to }) => to === victim).length;
    });
    after(() => liaison?.close());

    /** Strangers with accounts of their own ask for an address. */
    async function flood(email: string, name: string, crowd: number): Promise<void> {
      const unlimited = { limit: 1_000_000, windowSeconds: 1 };
      const { links, audit } = liaison.store;
      const linking = createLinking({
        ...{ links, audit, clock: liaison.clock },
        settings: {
          mailDomain: "contoso.example",
          lookupDelayMs: { min: 0, max: 0 },
          pauseSeconds: 0,
          inquiryLimits: { identity: unlimited, client: unlimited },
        },
      });
      for (let index = 0; index < crowd; index += 1) {
        const subject = `${name}-${index}`;
        const requester = { issuer: "https://id.example", subject, upstreamId: "fabrikam", accountId: subject };
        await linking.inquire({
          ...{ requester: { ...requester, email: null, displayName: null }, typed: email },
          ...{ interactionCid: subject, clientAddress: `2001:db8::${index}` },
        });
      }
      const inquiries = async () => (await liaison.store.links.latestInquiry(`${name}-${crowd - 1}`))?.settledAt;
      for (let turn = 0; (await inquiries()) === null; turn += 1) {
        assert.ok(turn < 600, "the worker isn't done");
        await pause(50);
      }
      await settled(liaison);
    }

    async function ask(person: TestPerson, email: string): Promise<{ browser: UserAgent; waiting: Page }> {
      const browser = liaison.browser();
      const linkStep = await signIn(browser, await liaison.customerSource.start(), person);
      const waiting = await browser.press(linkStep, "Continue", { email });
      assert.equal(waiting.heading, "Check your email");
      return { browser, waiting };
    }

    it("who signed in under the very address comes first, whenever they asked", async () => {
      await flood(people.ben.email, "before", 50);
      await ask(people.ben, people.ben.email);
      await flood(people.ben.email, "after", 50);
      liaison.clock.advance(hour);
      await settled(liaison);
      const theirs = liaison.mailbox.mails.filter(({ to }) => to === people.ben.email);
      assert.equal(theirs.length, 2 * perProfile);
      assert.ok(theirs.some(({ text }) => text.includes("Ben Baker")));
    });

    it("at most the configured number of mails an hour; the genuine person is among the first served", async () => {
      await flood(victim, "z1", size);
      assert.equal(mails(), perProfile);
      const { browser, waiting } = await ask(people.ann, victim);
      const heldPage = waiting.text.replace(/\b[BCDFGHJKLMNPQRSTVWXZ]{4}\b|\d+ seconds?/g, "…");
      assert.doesNotMatch(heldPage, /waits its turn/, "the page doesn't tell what others did");
      await settled(liaison);
      assert.equal(mails(), perProfile, "nobody gets more than the others");

      liaison.clock.advance(hour);
      await settled(liaison);
      assert.equal(mails(), 2 * perProfile);
      const mine = liaison.mailbox.mails.find(({ text }) => text.includes("Ann Archer"));
      assert.ok(mine, "among a thousand strangers' her mail left with the first");
      assert.equal((await openLink(browser, linkIn(mine), people.ann)).heading, "Your account is linked");
      await settled(liaison);
      const late = mails();
      liaison.clock.advance(hour);
      await settled(liaison);
      assert.equal(mails(), late, "what the strangers asked for is void");
    });
  });
}
