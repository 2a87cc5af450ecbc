/** Inquiries and mails that throttles hold back. */

import assert from "node:assert/strict";
import { asProfileId } from "../../src/domain/ids.ts";
import type { Inquiry, NewMail, Requester } from "../../src/domain/records.ts";
import type { InquiryThrottles, Store } from "../../src/storage/contract.ts";
import { aMail, anId, anInquiry, aRequester, MINUTE, NOW } from "../support/records.ts";
import { type Case, present, race } from "./back-end.ts";

const HOUR = 60 * MINUTE;
/** By how much longer each further inquiry of an identity may wait for others of its client address. */
const LONGEST = 3 * MINUTE;
const limits = {
  mailbox: { hourly: { limit: 2, windowSeconds: 3600 }, daily: { limit: 1000, windowSeconds: 86_400 } },
  profile: { limit: 3, windowSeconds: 3600 },
};
/** Whoever has asked before waits as long as the rule says; the first of an identity doesn't wait. */
const some = (identity: number, client = 1000): InquiryThrottles => ({
  pauseSeconds: 0,
  identity: { limit: identity, windowSeconds: 3600 },
  client: {
    limit: client,
    windowSeconds: 3600,
    key: "192.0.2.7",
    longestMs: (ordinal) => (ordinal === 1 ? 0 : ordinal * LONGEST),
  },
});

/** A mail that counts at a mailbox and a profile. */
function aThrottled({ mailbox, profile = "p" }: { mailbox: string; profile?: string }): NewMail {
  const throttle = {
    mailbox: { ...limits.mailbox, key: mailbox },
    profile: { ...limits.profile, key: profile },
  };
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
      assert.equal(
        await store.links.latestInquiry(third.interactionCid),
        undefined,
        "the newer one took its place",
      );

      const stranger = await asked(store, anInquiry({ createdAt: NOW + 4, notBefore: NOW + 4 }), some(2));
      assert.equal(stranger.heldUntil, null, "another identity isn't throttled");
      const claimed: string[] = [];
      for (const now of [NOW + 5, NOW + 5, NOW + 5, NOW + 5, NOW + HOUR]) {
        const inquiry = await store.links.claimInquiry("worker", now, 10 * HOUR);
        if (inquiry !== undefined) claimed.push(inquiry.id);
      }
      assert.deepEqual(new Set(claimed), new Set([first.id, second.id, stranger.id, fourth.id]));
    },
  );

  contract(
    "Z7: asked a hundred times over its limit, an identity leaves one inquiry more",
    async ({ store }) => {
      const requester = aRequester();
      for (let turn = 0; turn < 100; turn += 1) {
        await asked(store, anInquiry({ requester, createdAt: NOW + turn, notBefore: NOW + turn }), some(3));
      }
      const kept = await store.links.inquiries({ accountId: requester.accountId, limit: 200 });
      assert.deepEqual(
        kept.map(({ createdAt }) => createdAt - NOW),
        [99, 2, 1, 0],
      );
    },
  );

  contract(
    "a held inquiry that is answered in part is settled with that when it is asked again",
    async ({ store }) => {
      const requester = aRequester();
      await asked(store, anInquiry({ requester, createdAt: NOW, notBefore: NOW }), some(1));
      const throttled = await asked(
        store,
        anInquiry({ requester, createdAt: NOW + 1, notBefore: NOW + 1 }),
        some(1),
      );
      // The window has ended by then, and begins anew with one of another sign-in.
      await asked(store, anInquiry({ requester, createdAt: NOW + HOUR, notBefore: NOW + HOUR }), some(1));
      for (let turn = 0; turn < 3; turn += 1)
        present(await store.links.claimInquiry("worker", NOW + HOUR, 10 * HOUR));
      const more = { answeredTo: asProfileId("p-1"), leaseMs: HOUR };
      const part = { links: [], mails: [], matched: 1, more };
      assert.equal(await store.links.settleInquiry(throttled.id, "worker", part, NOW + HOUR), true);
      await asked(
        store,
        anInquiry({ requester, createdAt: NOW + HOUR + 1, notBefore: NOW + HOUR + 1 }),
        some(1),
      );
      const settled = present(await store.links.latestInquiry(throttled.interactionCid));
      assert.deepEqual([settled.settledAt, settled.address, settled.matched], [NOW + HOUR + 1, null, 1]);
    },
  );

  contract("Z9: an inquiry's own wait begins when the throttles let it through", async ({ store }) => {
    const requester = aRequester();
    const waits = [700, 300, 500, 200];
    const turns: number[] = [];
    for (const wait of waits) {
      const inquiry = anInquiry({ requester, createdAt: NOW, notBefore: NOW + wait });
      turns.push((await asked(store, inquiry, some(3, 1))).notBefore - NOW);
    }
    // Two at once, one when it has waited for the client's flow, one when the identity's window has ended.
    assert.deepEqual(turns, [700, 300, 3 * LONGEST + 500, HOUR + 200]);
  });

  contract(
    "of one identity's racing inquiries one is stored, and the next after the pause",
    async (opened) => {
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
      assert.equal(
        (await ask(store, NOW, { requester: aRequester() })).asked,
        true,
        "another identity is another's",
      );
      assert.equal((await ask(store, NOW + 29_999)).asked, false);
      const next = await ask(store, NOW + 30_000);
      assert.equal(next.asked && next.inquiry.ordinal, 2, "who was refused took no slot");
    },
  );

  contract(
    "Z10: further inquiries from one client address go one after the other beyond its limit",
    async ({ store }) => {
      const ask = async (requester: Requester) => {
        const inquiry = anInquiry({ requester, createdAt: NOW, notBefore: NOW });
        const { notBefore, heldUntil } = await asked(store, inquiry, some(20, 60));
        assert.equal(heldUntil, null, "nobody is told of what depends on others");
        return notBefore - NOW;
      };
      const crowd = Array.from({ length: 30 }, () => aRequester());
      for (const requester of crowd) assert.equal(await ask(requester), 0, "the first of each");
      const second: number[] = [];
      const third: number[] = [];
      for (const requester of crowd) second.push(await ask(requester));
      for (const requester of crowd.slice(0, 29)) third.push(await ask(requester));
      assert.deepEqual([new Set(second), new Set(third)], [new Set([0]), new Set([0])], "the flow's burst");
      const fourth: number[] = [];
      for (const requester of crowd.slice(0, 3)) fourth.push(await ask(requester));
      assert.deepEqual(fourth, [0, MINUTE, 2 * MINUTE], "the burst is over");

      // However long the flow is, each waits by its own count, and takes no place beyond.
      for (let turn = 0; turn < 17; turn += 1) {
        for (const requester of crowd.slice(3, 12)) assert.ok((await ask(requester)) <= (turn + 4) * LONGEST);
      }
      const late = aRequester();
      assert.deepEqual([await ask(late), await ask(late), await ask(late)], [0, 2 * LONGEST, 3 * LONGEST]);
      assert.equal(await ask(aRequester()), 0, "no one's first is behind another's twentieth");
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
    assert.equal(await store.outbox.releaseDeferred(limits, NOW + MINUTE), 2, "what is over goes together");
    assert.equal((await sent(store, NOW + MINUTE)).length, 2);
    assert.deepEqual(await store.outbox.list({ states: ["held"], limit: 9 }), []);
  });

  contract(
    "held mails go by themselves as soon as there is room, before the next collected one",
    async ({ store }) => {
      const mailbox = "one@contoso.example";
      const mails = (count: number) =>
        Array.from({ length: count }, () => aThrottled({ mailbox, profile: anId("p") }));
      const released = async (minutes: number) => {
        const count = await store.outbox.releaseDeferred(limits, NOW + minutes * MINUTE);
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
    },
  );

  contract(
    "a mailbox gets a day's limit of mails of its own at the most, evenly while it is crowded",
    async ({ store }) => {
      const mailbox = { ...limits.mailbox, daily: { limit: 3, windowSeconds: 86_400 } };
      const key = "one@contoso.example";
      /** How many of these go by themselves at once, and how many when what waits is looked at again. */
      const go = async (minutes: number, count: number, later: number) => {
        const at = NOW + minutes * MINUTE;
        const mails = Array.from({ length: count }, () => {
          const throttle = { mailbox: { ...mailbox, key }, profile: { ...limits.profile, key: anId("p") } };
          return { ...aMail(), throttle };
        });
        await settle(store, mails, at);
        const atOnce = (await sent(store, at)).length;
        await store.outbox.releaseDeferred({ ...limits, mailbox }, NOW + later * MINUTE);
        return [atOnce, (await sent(store, NOW + later * MINUTE)).length];
      };
      assert.deepEqual(await go(0, 3, 1), [2, 1], "over the hour's limit: carried");
      assert.deepEqual(await go(60, 1, 61), [0, 1], "crowded for two hours since, and again from now on");
      assert.deepEqual(
        await go(180, 1, 181),
        [0, 1],
        "not crowded any more: by itself, the third of the day",
      );
      assert.deepEqual(await go(300, 1, 301), [0, 1], "over the day's limit: carried");
      assert.deepEqual(await go(1439, 1, 1440), [0, 1], "when the first of them are a day old");
      assert.deepEqual(await go(1440, 2, 1441), [1, 1], "the room of two, and no more");
    },
  );
}
