/** Z1 as a suite, for a flood of any size. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import type { Requester } from "../../src/domain/records.ts";
import { type Attacked, codeOn, identityOf, startAttacked } from "./attack-fixture.ts";
import { aCrowd, allAsk, GATHERING_SECONDS } from "./crowd.ts";
import { openLink, people, register, signIn, type TestPerson } from "./liaison.ts";
import { linksOf, linkWithCode, type ReceivedMail } from "./mailbox.ts";
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

const day = 24 * hour;
/** How many requests one mail carries. */
const together = 50;

export function mailboxFlood(size: number): void {
  describe(`Z1: ${size} inquiries for one mailbox from as many identities`, () => {
    const alone = 5;
    let liaison: Attacked;
    let mails: () => ReceivedMail[];
    before(async () => {
      liaison = await startAttacked({
        config: (base) => ({
          ...base,
          limits: {
            ...(base["limits"] as object),
            mails_per_mailbox: perHour(alone),
            mails_per_mailbox_daily: { limit: 2 * alone, window_seconds: day },
          },
          // The upstream's clock stays where it is, while ours goes on by hours.
          upstreams: (base["upstreams"] as object[]).map((one) => ({
            ...one,
            reauthentication: "prompt_only",
          })),
        }),
      });
      await register(liaison, { id: asOrganizationId("northwind") }, [{ id: "p-victim", email: victim }]);
      mails = () => liaison.mailbox.mails.filter(({ to }) => to === victim);
    });
    after(() => liaison?.close());

    async function inquire(requesters: Requester[]): Promise<void> {
      await allAsk(liaison, requesters, victim);
      await settled(liaison);
    }

    async function ask(person: TestPerson): Promise<{ browser: UserAgent; waiting: Page; code: string }> {
      const browser = liaison.browser();
      const linkStep = await signIn(browser, await liaison.customerSource.start(), person);
      const waiting = await browser.press(linkStep, "Continue", { email: victim });
      assert.equal(waiting.heading, "Check your email");
      return { browser, waiting, code: codeOn(waiting) };
    }

    it("no more mails than documented, none of the crowd's before who asked on another day", async () => {
      // Tokens live by the machine's clock: what was yesterday happens by another one.
      liaison.clock.advance(-day);
      const identity = identityOf(liaison, people.ann);
      const { id: accountId } = await liaison.store.accounts.signIn(identity, liaison.clock.now());
      await inquire([{ ...identity, accountId }]);
      assert.equal(mails().length, 1, "below the limits a request has a mail of its own");
      liaison.clock.advance(day);
      await inquire(aCrowd("z1", size, victim));
      assert.equal(mails().length, 1 + alone);
      const { browser, waiting, code } = await ask(people.ann);
      assert.doesNotMatch(waiting.text, /waits its turn/, "the page doesn't tell what others did");
      await settled(liaison);
      assert.equal(mails().length, 1 + alone);

      liaison.clock.advance(GATHERING_SECONDS);
      await settled(liaison);
      const [collected, ...others] = mails().slice(1 + alone);
      assert.ok(collected !== undefined && others.length === 0, "one mail carries what is over the limits");
      assert.equal(linksOf(collected).length, together);
      assert.equal(linksOf(collected)[0]?.code, code, "hers first");

      const link = linkWithCode(collected, code) ?? assert.fail("no link");
      assert.equal((await openLink(browser, link, people.ann)).heading, "Your account is linked");
      await settled(liaison);
      const late = mails().length;
      liaison.clock.advance(2 * hour);
      await settled(liaison);
      assert.equal(mails().length, late, "what the strangers asked for is void");
    });

    it("what cannot be had at once comes hour by hour, fifty at a time, and none is lost", async () => {
      const before = mails().length;
      await liaison.store.links.unbind(asProfileId("p-victim"), "test", liaison.clock.now());
      liaison.clock.advance(day);
      await inquire(aCrowd("again", size, victim));
      for (let turn = 0; turn < 2 + size / together; turn += 1) {
        liaison.clock.advance(turn === 0 ? GATHERING_SECONDS : hour);
        await settled(liaison);
      }
      const theirs = mails().slice(before);
      assert.equal(theirs.flatMap(linksOf).length, size);
      const separate = theirs.filter((mail) => linksOf(mail).length === 1);
      assert.ok(separate.length <= 2 * alone + 1, String(separate.length));
      for (const mail of theirs) assert.ok(linksOf(mail).length <= together);
    });
  });
}
