/** Inquiries and mails that throttles hold back. */

import assert from "node:assert/strict";
import type { InquiryThrottles, NewMail, Store } from "../../src/storage/contract.ts";
import type { Inquiry } from "../../src/storage/records.ts";
import { aMail, anId, anInquiry, aRequester, MINUTE, NOW } from "../support/records.ts";
import { type Case, present, race } from "./harness.ts";

const HOUR = 60 * MINUTE;
const limits = {
  mailbox: { hourly: { limit: 2, windowSeconds: 3600 }, daily: { limit: 9, windowSeconds: 86_400 } },
  profile: { limit: 3, windowSeconds: 3600 },
};
const some = (identity: number, client = 1000): InquiryThrottles => ({
  pauseSeconds: 0,
  identity: { limit: identity, windowSeconds: 3600 },
  client: { limit: client, windowSeconds: 3600, key: "192.0.2.7" },
});

/** A mail that counts at a mailbox and a profile. */
function aThrottled({ mailbox, profile = "p" }: { mailbox: string; profile?: string }): NewMail {
  const throttle = { mailbox: { ...limits.mailbox, key: mailbox }, profile: { ...limits.profile, key: profile } };
  return { ...aMail(), throttle };
}

/** Stores an inquiry that no pause keeps back. */
async function asked(store: Store, inquiry: Inquiry, throttles: InquiryThrottles): Promise<Inquiry> {
  const outcome = await store.links.inquire(inquiry, throttles);
  return outcome.asked ? outcome.inquiry : assert.fail("it wasn't stored");
}

/** Settles an inquiry with these mails. */
async function settle(store: Store, mails: NewMail[], at = NOW) {
  const inquiry = anInquiry();
  const worker = anId("worker");
  await store.links.inquire(inquiry);
  assert.equal((await store.links.claimInquiry(worker, NOW, 1000))?.id, inquiry.id);
  assert.equal(await store.links.settleInquiry(inquiry.id, worker, { links: [], mails }, at), true);
}

/** Claims all that is due, and marks it sent. */
async function sent(store: Store, now: number): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const claimed = await store.outbox.claim("sender", now, 1000, MINUTE);
    if (claimed === undefined) return ids;
    ids.push(claimed.message.id);
    assert.equal(await store.outbox.markSent(claimed.message.id, "sender", "250 ok", now), true);
  }
}

export function throttledMailCases(contract: Case): void {
  contract(
    "an inquiry over its identity's limit is held until the window ends, the newest alone",
    async ({ store }) => {
      const requester = aRequester();
      const ask = (createdAt: number) =>
        asked(store, anInquiry({ requester, createdAt, notBefore: createdAt }), some(2));
      const [first, second] = [await ask(NOW), await ask(NOW + 1)];
      assert.deepEqual([first.ordinal, first.heldUntil, first.notBefore], [1, null, NOW]);
      assert.deepEqual([second.ordinal, second.heldUntil, second.notBefore], [2, null, NOW + 1]);
      const third = await ask(NOW + 2);
      assert.deepEqual([third.ordinal, third.heldUntil, third.notBefore], [3, NOW + HOUR, NOW + HOUR]);
      const fourth = await ask(NOW + 3);
      assert.equal(fourth.heldUntil, NOW + HOUR);
      assert.deepEqual(await store.links.latestInquiry(fourth.interactionCid), fourth);
      const dismissed = present(await store.links.latestInquiry(third.interactionCid));
      assert.deepEqual([dismissed.settledAt, dismissed.address, dismissed.matched], [NOW + 3, null, null]);

      const stranger = await asked(store, anInquiry({ createdAt: NOW + 4, notBefore: NOW + 4 }), some(2));
      assert.equal(stranger.heldUntil, null, "another identity isn't held");
      const claimed: string[] = [];
      for (const now of [NOW + 5, NOW + 5, NOW + 5, NOW + 5, NOW + HOUR]) {
        const inquiry = await store.links.claimInquiry("worker", now, 10 * HOUR);
        if (inquiry !== undefined) claimed.push(inquiry.id);
      }
      assert.deepEqual(new Set(claimed), new Set([first.id, second.id, stranger.id, fourth.id]));
    },
  );

  contract("Z9: an inquiry's own wait begins when the throttles let it through", async ({ store }) => {
    const requester = aRequester();
    const waits = [700, 300, 500, 200];
    const turns: number[] = [];
    for (const wait of waits) {
      const inquiry = anInquiry({ requester, createdAt: NOW, notBefore: NOW + wait });
      turns.push((await asked(store, inquiry, some(3, 2))).notBefore - NOW);
    }
    // Two at once, one in its place of the client's flow, one when the identity's window has ended.
    assert.deepEqual(turns, [700, 300, HOUR / 2 + 500, HOUR + 200]);
  });

  contract("of one identity's racing inquiries one is stored, and the next after the pause", async (opened) => {
    const { store } = opened;
    const requester = aRequester();
    const ask = (racer: Store, createdAt: number, changes: Partial<Inquiry> = {}) =>
      racer.links.inquire(anInquiry({ requester, createdAt, notBefore: createdAt, ...changes }), {
        ...some(9),
        pauseSeconds: 30,
      });
    const outcomes = await race(opened, 20, (racer) => ask(racer, NOW));
    assert.equal(outcomes.filter(({ asked: isAsked }) => isAsked).length, 1);
    assert.ok(outcomes.every((outcome) => outcome.asked || outcome.askAgainAt === NOW + 30_000));
    assert.equal((await store.links.inquiries({ limit: 50 })).length, 1, "the others left nothing");
    assert.equal((await ask(store, NOW, { requester: aRequester() })).asked, true, "another identity is another's");
    assert.equal((await ask(store, NOW + 29_999)).asked, false);
    const next = await ask(store, NOW + 30_000);
    assert.equal(next.asked && next.inquiry.ordinal, 2, "who was refused took no slot");
  });

  contract(
    "inquiries from one client address go one after the other beyond its limit, and none is lost",
    async ({ store }) => {
      const turns: number[] = [];
      for (let turn = 0; turn < 5; turn += 1) {
        const { notBefore, heldUntil } = await asked(store, anInquiry({ createdAt: NOW, notBefore: NOW }), some(9, 2));
        assert.equal(heldUntil, null, "nobody is told of what depends on others");
        turns.push(notBefore - NOW);
      }
      assert.deepEqual(turns, [0, 0, HOUR / 2, HOUR, 1.5 * HOUR]);
    },
  );

  contract("a mailbox's limit takes no room from its profile, nor the other way round", async ({ store }) => {
    const [one, two] = ["one@contoso.example", "two@contoso.example"];
    await settle(
      store,
      [1, 2, 3, 4].map(() => aThrottled({ mailbox: one })),
    );
    assert.equal((await sent(store, NOW)).length, 2);
    await settle(store, [aThrottled({ mailbox: two }), aThrottled({ mailbox: two })]);
    assert.equal((await sent(store, NOW)).length, 1, "the profile had room for one more");
    await settle(store, [aThrottled({ mailbox: two, profile: "q" })]);
    assert.equal((await sent(store, NOW)).length, 1, "and that mailbox for one more");
    assert.equal(await store.outbox.releaseHeld(limits, NOW + MINUTE), 2, "what is over goes together");
    assert.equal((await sent(store, NOW + MINUTE)).length, 2);
    assert.deepEqual(await store.outbox.list({ states: ["held"], limit: 9 }), []);
  });

  contract("held mails go by themselves as soon as there is room, before the next collected one", async ({ store }) => {
    const mailbox = "one@contoso.example";
    const mails = (count: number) => Array.from({ length: count }, () => aThrottled({ mailbox, profile: anId("p") }));
    const released = async (minutes: number) => {
      const count = await store.outbox.releaseHeld(limits, NOW + minutes * MINUTE);
      assert.equal((await sent(store, NOW + minutes * MINUTE)).length, count);
      return count;
    };
    await settle(store, mails(1));
    await sent(store, NOW);
    await settle(store, mails(1), NOW + 30 * MINUTE);
    await sent(store, NOW + 30 * MINUTE);
    await settle(store, mails(2), NOW + 31 * MINUTE);
    assert.equal(await released(32), 1, "together: the next collected one may go an hour later");
    await settle(store, mails(2), NOW + 33 * MINUTE);
    assert.deepEqual([await released(59.9), await released(60)], [0, 1], "the hour of the first is over");
    assert.deepEqual([await released(89.9), await released(90)], [0, 1], "and that of the second");
  });
}
