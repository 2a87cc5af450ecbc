/**
 * The waiting page, for a stranger who typed somebody's address: whatever the owner of the mailbox does with
 * the link, it says what it says for an address that nobody has. L2, L12 of the threat list; and to whom it
 * does say that a link was declined.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import type { Store } from "../../src/storage/contract.ts";
import {
  type Attacked,
  almostCarryOut,
  ask,
  askForLink,
  codeOn,
  profileOf,
  quiet,
  returnFromUpstream,
  startAttacked,
} from "../support/attack-fixture.ts";
import { openLink, register, type TestPerson } from "../support/liaison.ts";
import { seen } from "../support/seen-page.ts";
import { StoreCounter } from "../support/store-counter.ts";
import type { Page, UserAgent } from "../support/user-agent.ts";

interface Waiter {
  browser: UserAgent;
  person: TestPerson;
  address: string;
  waiting: Page;
}

interface Fixture {
  link: string;
  address: string;
  profileId: string;
  owner: TestPerson;
}

const declinedTitle = "The link was declined";

describe("the waiting page and what was done with the link", () => {
  let liaison: Attacked;
  const counter = new StoreCounter();
  before(async () => {
    liaison = await startAttacked({
      strangers: 90,
      decorate: (store: Store) => counter.decorate(store),
      config: (base) => ({ ...base, sessions: { idle_seconds: 86_400, absolute_seconds: 86_400 } }),
    });
  });
  after(() => liaison?.close());

  /**
   * All that a browser can ask of a sign-in that waits, with the calls of the store behind it, and blotted
   * out what is its own.
   */
  async function observed({ browser, person, address, waiting }: Waiter): Promise<string[]> {
    await quiet(liaison);
    const base = waiting.url.href.replace(/\/waiting.*/, "");
    const visits: [string, () => Promise<Page>][] = [
      ["waiting", () => browser.once(`${base}/waiting`)],
      ["the sign-in itself", () => browser.once(base)],
      ["status", () => browser.once(`${base}/status`)],
      ["another address", () => browser.once(`${base}/address`)],
      ["admission", () => browser.once(`${base}/admission`)],
      ["sent again", () => browser.press(waiting, "Send it again")],
      ["status after that", () => browser.once(`${base}/status`)],
    ];
    const all: string[] = [];
    for (const [what, visit] of visits) {
      counter.take();
      const page = await visit();
      const own = [address, person.email, person.name];
      // The list of portals is read anew every half minute, whoever asks, and workers look after their own at
      // any time.
      const calls = counter
        .take()
        .filter((call) => !/^(clients\.list$|administration\.|verifications\.)/.test(call));
      all.push([what, calls.join(" "), seen(page, own)].join("\n"));
    }
    return all;
  }

  /**
   * Two strangers who asked: one for the profile's address, the other for one of the same length that nobody
   * has.
   */
  async function strangersAsk(
    name: string,
  ): Promise<{ fixture: Fixture; stranger: Waiter; control: Waiter }> {
    const address = `${name}@northwind.example`;
    await register(liaison, { id: asOrganizationId(name) }, [{ id: name, email: address }]);
    const [person, other, owner] = [liaison.stranger(), liaison.stranger(), liaison.stranger()];
    const nobodys = `${"x".repeat(name.length)}@northwind.example`;
    const asked = await askForLink(liaison, person, address);
    const unknown = await ask(liaison, other, nobodys);
    return {
      fixture: { link: asked.link, address, profileId: name, owner },
      stranger: { browser: asked.browser, waiting: asked.waiting, person, address },
      control: { browser: unknown.browser, waiting: unknown.waiting, person: other, address: nobodys },
    };
  }

  /** The owner links her own account to her profile, by a link that she asked for herself. */
  async function ownersLink({ address, profileId, owner }: Fixture): Promise<void> {
    const { link } = await askForLink(liaison, owner, address);
    assert.equal((await openLink(liaison.browser(), link, owner)).heading, "Your account is linked");
    assert.notEqual((await profileOf(liaison, profileId)).accountId, null);
  }

  const doings: Record<string, (fixture: Fixture) => Promise<unknown>> = {
    nothing: async () => {},
    opened: async ({ link }) => await liaison.browser().visit(link),
    "opened and gone on to the sign-in": async ({ link }) => {
      const browser = liaison.browser();
      await browser.press(await browser.visit(link), "Continue to sign in");
    },
    declined: async ({ link, owner }) => {
      const page = await openLink(liaison.browser(), link, owner, "Don’t link");
      assert.equal(page.heading, "The link has been cancelled");
    },
    "declined twice": async ({ link, owner }) => {
      const browser = liaison.browser();
      await openLink(browser, link, owner, "Don’t link");
      assert.equal((await browser.visit(link)).status, 410);
    },
    "confirmed by another account": async ({ link, owner }) => {
      assert.equal((await openLink(liaison.browser(), link, owner)).status, 403);
    },
    expired: async ({ link }) => {
      liaison.clock.advance(1801);
      assert.equal((await liaison.browser().visit(link)).heading, "This link has expired");
    },
    "used: her own account was linked by a link of her own": async (fixture) => await ownersLink(fixture),
    unlinked: async (fixture) => {
      await ownersLink(fixture);
      await liaison.store.links.unbind(asProfileId(fixture.profileId), "test", liaison.clock.now());
    },
    "gone on to the sign-in, and cancelled there": async ({ link, owner }) => {
      const { browser, callback } = await almostCarryOut(link, owner);
      callback.searchParams.delete("code");
      callback.searchParams.set("error", "access_denied");
      const page = await returnFromUpstream(browser, callback);
      assert.match(page.text, /Nothing has been decided/);
    },
    "sent back: the mail bounced": async ({ address }) => {
      await quiet(liaison);
      const messageId =
        liaison.mailbox.mails.findLast(({ to }) => to === address)?.messageId ?? assert.fail("no mail");
      const bounce = { reason: "5.1.1 no such mailbox", permanent: true };
      const noted = await liaison.store.outbox.noteBounce(
        messageId.slice(1, -1),
        bounce,
        liaison.clock.now(),
      );
      assert.equal(noted?.state, "bounced");
    },
    "written to support about": async ({ address, owner }) => {
      const { browser, waiting } = await ask(liaison, owner, address);
      const form = await browser.visit(waiting.url.href.replace("/waiting", "/support"));
      const fields = { name: owner.name, organization: "Northwind", account_number: "", message: address };
      assert.match((await browser.press(form, "Send", fields)).text, /We.ve got your message/);
    },
    "another address was registered": async ({ profileId, link }) => {
      await register(liaison, { id: asOrganizationId(profileId) }, [
        { id: profileId, email: `new-${profileId}@northwind.example` },
      ]);
      assert.equal((await liaison.browser().visit(link)).heading, "This link no longer works");
    },
    "the organization was switched off": async ({ profileId, link }) => {
      await register(liaison, { id: asOrganizationId(profileId), enabled: false }, []);
      assert.equal((await liaison.browser().visit(link)).heading, "This profile is not active");
    },
    "the profile was switched off": async ({ profileId, address }) => {
      const profile = { id: profileId, email: address, enabled: false };
      await register(liaison, { id: asOrganizationId(profileId) }, [profile]);
    },
  };

  for (const [index, [what, act]] of Object.entries(doings).entries()) {
    it(`L2 L12: says nothing of it: ${what}`, async () => {
      const { fixture, stranger, control } = await strangersAsk(`owner-${index}`);
      await act(fixture);
      const [theirs, expected] = [await observed(stranger), await observed(control)];
      assert.deepEqual(theirs, expected);
      assert.match(theirs[0] ?? "", /Declined, changed your mind, no mail\?/);
      assert.ok(!theirs.join().includes(declinedTitle));
      assert.match(theirs[2] ?? "", /"state":"waiting"/);
    });
  }

  it("L2 L12: says nothing of a profile linked before, and unlinked after the stranger asked", async () => {
    const name = "linked-before";
    const address = `${name}@northwind.example`;
    await register(liaison, { id: asOrganizationId(name) }, [{ id: name, email: address }]);
    const fixture = { link: "", address, profileId: name, owner: liaison.stranger() };
    await ownersLink(fixture);
    const [person, other] = [liaison.stranger(), liaison.stranger()];
    const nobodys = `${"x".repeat(name.length)}@northwind.example`;
    const stranger = { person, address, ...(await ask(liaison, person, address)) };
    const control = { person: other, address: nobodys, ...(await ask(liaison, other, nobodys)) };
    await quiet(liaison);
    await liaison.store.links.unbind(asProfileId(name), "test", liaison.clock.now());
    assert.deepEqual(await observed(stranger), await observed(control));
  });

  describe("that a link was declined", () => {
    async function fixture(name: string) {
      const address = `${name}@northwind.example`;
      await register(liaison, { id: asOrganizationId(name) }, [{ id: name, email: address }]);
      const person = liaison.stranger();
      const asked = await askForLink(liaison, person, address);
      const base = asked.waiting.url.href.replace("/waiting", "");
      const state = async () =>
        JSON.parse((await asked.browser.once(`${base}/status`)).body).state as unknown;
      const isTold = async () => (await asked.browser.visit(base)).text.includes(declinedTitle);
      return { ...asked, person, state, isTold };
    }

    it("is told in the browser that declined it, whoever signed in to do so", async () => {
      const { browser, link, state, isTold } = await fixture("same-browser");
      assert.equal(await isTold(), false);
      await openLink(browser, link, liaison.stranger(), "Don’t link");
      assert.equal(await isTold(), true);
      assert.equal(await state(), "declined");
    });

    it("is told to whoever asked, where the same identity declined it in another browser", async () => {
      const { person, link, state, isTold } = await fixture("same-identity");
      await openLink(liaison.browser(), link, person, "Don’t link");
      assert.equal(await isTold(), true);
      assert.equal(await state(), "declined");
    });

    it("isn't told of the request that is sent after it", async () => {
      const { browser, waiting, link, state, isTold } = await fixture("sent-again");
      await openLink(browser, link, liaison.stranger(), "Don’t link");
      assert.equal(await isTold(), true);
      const again = await browser.press(waiting, "Send it again");
      assert.notEqual(codeOn(again), codeOn(waiting));
      assert.ok(!again.text.includes(declinedTitle));
      assert.equal(await state(), "waiting");
    });
  });
});
