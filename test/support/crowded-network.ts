/**
 * Z10 as a suite: many accounts behind one address ask for many addresses each, and the next person there is
 * served.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { asAccountId, asOrganizationId, asUpstreamId } from "../../src/domain/ids.ts";
import type { Inquiry } from "../../src/domain/records.ts";
import { createLinking, type Linking } from "../../src/linking/linking.ts";
import { formatInstant } from "../../src/ui/format.ts";
import { type Attacked, mailsTo, startAttacked } from "./attack-fixture.ts";
import { openLink, people, register, signIn } from "./liaison.ts";
import { linkIn } from "./mailbox.ts";
import { perHour } from "./mailbox-flood.ts";

const [accounts, addresses] = [50, 20];
/** What newcomers ask for: all of it is registered. */
const mailboxes = 50;
/** Where all of the suite's browsers come from. */
const network = "127.0.0.1";
const [minute, hour] = [60, 3600];
/** Limits and waits as they are by default. */
const [perIdentity, perClientAddress, longestDelaySeconds] = [20, 100, 6];

/** @param newcomers how many ask for the first time at once */
export function crowdedNetwork(newcomers: number): void {
  describe(`Z10: ${accounts} accounts ask for ${addresses} addresses each behind one network`, () => {
    let liaison: Attacked;
    /** The service as the pages use it, for people who have no browser here. */
    let linking: Linking;
    before(async () => {
      liaison = await startAttacked({
        config: (base) => ({
          ...base,
          // The upstream lives by the same clock: nobody signs in again here.
          sessions: { idle_seconds: 86_400, absolute_seconds: 86_400 },
          linking: { lookup_delay_seconds: { min: 2, max: longestDelaySeconds } },
          limits: {
            ...(base["limits"] as object),
            inquiries_per_identity: perHour(perIdentity),
            inquiries_per_client_address: perHour(perClientAddress),
            mails_per_mailbox: perHour(2),
          },
        }),
      });
      const { links, audit } = liaison.store;
      const limitOf = (limit: number) => ({ limit, windowSeconds: hour });
      linking = createLinking({
        links,
        audit,
        clock: liaison.clock,
        settings: {
          mailDomain: "contoso.example",
          lookupDelayMs: { min: 2000, max: longestDelaySeconds * 1000 },
          pauseSeconds: 60,
          inquiryLimits: { identity: limitOf(perIdentity), client: limitOf(perClientAddress) },
        },
      });
      await register(liaison, { id: asOrganizationId("northwind") }, [
        { id: "p-ann", email: "ann@northwind.example" },
        { id: "p-ben", email: "ben@northwind.example" },
        ...Array.from({ length: mailboxes }, (_, index) => ({
          id: `p-${index}`,
          email: `${index}@northwind.example`,
        })),
      ]);
    });
    after(() => liaison?.close());

    async function ask(account: string, typed: string): Promise<Inquiry> {
      const identity = {
        issuer: "https://id.example",
        subject: account,
        upstreamId: asUpstreamId("fabrikam"),
        accountId: asAccountId(account),
      };
      const requester = { ...identity, email: null, displayName: null };
      const asked = await linking.inquire({
        requester,
        typed,
        interactionCid: account,
        clientAddress: network,
      });
      return asked.asked ? asked.inquiry : assert.fail("it wasn't stored");
    }

    /** Lets the workers look at what is due at the present time of the clock. */
    async function looked(): Promise<Inquiry[]> {
      const isDue = ({ settledAt, notBefore }: Inquiry) =>
        settledAt === null && notBefore <= liaison.clock.now();
      liaison.wake("inquiries");
      for (let turn = 0; turn < 240; turn += 1) {
        const all = await liaison.store.links.inquiries({ limit: 2 * accounts * addresses + newcomers });
        if (!all.some(isDue)) return all;
        await pause(500);
      }
      return assert.fail("the workers aren't done");
    }

    it("the next person's is looked at within a minute, in the middle of it and at the end", async () => {
      const crowd = Array.from({ length: accounts }, (_, index) => `account-${index}`);
      const asked: Inquiry[] = [];
      for (let turn = 0; turn < addresses; turn += 1) {
        for (const account of crowd) asked.push(await ask(account, `nobody-${turn}@northwind.example`));
        if (turn === addresses / 2) {
          const middle = await ask("somebody", "nobody@northwind.example");
          assert.ok(middle.notBefore - middle.createdAt <= longestDelaySeconds * 1000);
        }
        // No sooner may any of them ask again.
        liaison.clock.advance(minute);
      }
      const waitOf = ({ notBefore, createdAt }: Inquiry) =>
        (notBefore - createdAt) / 1000 - longestDelaySeconds;
      assert.ok(
        asked.slice(0, accounts).every((inquiry) => waitOf(inquiry) <= 0),
        "nobody's first waits",
      );
      assert.ok(Math.max(...asked.map(waitOf)) > hour / 2, "the flow is full");
      assert.ok(
        asked.every((inquiry) => waitOf(inquiry) < hour),
        "nobody waits longer than an hour",
      );

      const browser = liaison.browser();
      const linkStep = await signIn(browser, await liaison.customerSource.start(), people.ann);
      const waiting = await browser.press(linkStep, "Continue", { email: "ann@northwind.example" });
      assert.equal(waiting.heading, "Check your email");
      assert.doesNotMatch(waiting.text, /waits? its turn/, "the page says nothing of others");
      liaison.clock.advance(longestDelaySeconds);
      await looked();
      const [mail] = await mailsTo(liaison, "ann@northwind.example", 1);
      const linked = await openLink(browser, linkIn(mail ?? assert.fail()), people.ann);
      assert.equal(linked.heading, "Your account is linked");

      liaison.clock.advance(hour);
      const late = (await looked()).filter(({ settledAt }) => settledAt === null);
      assert.deepEqual(late, [], "an hour later all have been looked at");
    });

    it(`${newcomers} newcomers at once are all looked at within a minute`, async (test) => {
      for (let index = 0; index < newcomers; index += 20) {
        const some = Array.from({ length: 20 }, (_, at) => `newcomer-${index + at}`);
        await Promise.all(
          some.map((account, at) => ask(account, `${(index + at) % mailboxes}@northwind.example`)),
        );
      }
      liaison.clock.advance(longestDelaySeconds);
      const begun = performance.now();
      const all = await looked();
      const took = (performance.now() - begun) / 1000;
      test.diagnostic(`${took.toFixed(1)} s`);
      assert.ok(took + longestDelaySeconds < minute);
      const theirs = all.filter(({ interactionCid }) => interactionCid.startsWith("newcomer-"));
      assert.deepEqual(new Set(theirs.map(({ matched }) => matched)), new Set([1]));
      assert.equal(theirs.length, newcomers);
    });

    it("the page says by when a further one is looked at, by the person's own requests alone", async () => {
      for (const isCrowded of [false, true]) {
        for (let turn = 0; isCrowded && turn < 5; turn += 1) {
          for (let index = 0; index < accounts; index += 1)
            await ask(`crowd-${index}`, "nobody@northwind.example");
          liaison.clock.advance(minute);
        }
        const person = liaison.stranger();
        const browser = liaison.browser();
        for (const times of [1, 2, 3, 4]) {
          const linkStep = await signIn(browser, await liaison.customerSource.start(), person);
          const page = await browser.press(linkStep, "Continue", { email: "ben@northwind.example" });
          assert.equal(page.heading, "Check your email");
          const [asked] = await liaison.store.links.inquiries({ limit: 1 });
          const by =
            (asked?.createdAt ?? 0) + ((times - 1) * hour * 1000) / perIdentity + longestDelaySeconds * 1000;
          const fullMinute = Math.ceil(by / 60_000) * 60_000;
          const site = { locale: "en", timeZone: "Europe/Copenhagen" };
          const said = /may wait its turn: until (.*) at the latest/.exec(page.text)?.[1];
          assert.equal(said, times < 3 ? undefined : formatInstant(site, fullMinute, liaison.clock.now()));
          liaison.clock.advance(minute);
        }
      }
    });
  });
}
