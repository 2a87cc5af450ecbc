import assert from "node:assert/strict";
import type { NewMail } from "../../src/domain/records.ts";
import type { Store } from "../../src/storage/contract.ts";
import { aMail, anId, anInquiry, MINUTE, NOW } from "../support/records.ts";
import {
  aNotice,
  type Case,
  present,
  race,
  redemption,
  register,
  request,
  signIn,
  stateOf,
} from "./back-end.ts";

const LEASE = 1000;
const LIFETIME = 17 * MINUTE;

/** Queues mails the way every mail gets there: with its cause. They are due from `at` on. */
async function queue(store: Store, mails: NewMail[], at = NOW): Promise<void> {
  const inquiry = anInquiry();
  const worker = anId("worker");
  await store.links.inquire(inquiry);
  await store.links.claimInquiry(worker, NOW, LEASE);
  assert.equal(await store.links.settleInquiry(inquiry.id, worker, { links: [], mails }, at), true);
}

export function outboxCases(contract: Case): void {
  contract("a claimed message is what was queued", async ({ store }) => {
    const mail = aMail();
    await queue(store, [mail]);
    const claim = await store.outbox.claim("worker", NOW + 5, LEASE, LIFETIME);
    assert.deepEqual(claim, {
      message: {
        ...mail,
        state: "queued",
        attempts: 1,
        createdAt: NOW,
        nextAttemptAt: NOW,
        sentAt: null,
        lastError: null,
      },
      linkExpiresAt: null,
    });
  });

  contract("a mail of no other cause takes a slot of each throttle, or is not queued", async ({ store }) => {
    const [wide, narrow] = ["wide", "narrow"].map((key) => ({ key, limit: 2, windowSeconds: 60 }));
    const slots = [present(wide), { ...present(narrow), limit: 1 }];
    const [first, second, third] = [aMail(), aMail(), aMail()];
    assert.deepEqual(await store.outbox.enqueue(first, slots, NOW), { queued: true });
    const refused = { queued: false, key: "narrow", resetsAt: NOW + MINUTE };
    assert.deepEqual(await store.outbox.enqueue(second, slots, NOW + 1), refused);
    assert.deepEqual(await store.outbox.enqueue(second, slots, NOW + 2), refused, "nor is a slot taken");
    assert.equal(await store.outbox.find(second.id), undefined);
    assert.deepEqual(await store.outbox.enqueue(third, [present(wide)], NOW + 3), { queued: true });
    const full = { queued: false, key: "wide", resetsAt: NOW + MINUTE };
    assert.deepEqual(await store.outbox.enqueue(second, [present(wide)], NOW + 4), full);
    const claimed = await store.outbox.claim("worker", NOW + 5, LEASE, LIFETIME);
    assert.equal(claimed?.message.id, first.id);
  });

  contract("messages are claimed longest due first, and none before it is due", async ({ store }) => {
    const [second, first] = [aMail(), aMail()];
    await queue(store, [second], NOW + 2);
    await queue(store, [first], NOW + 1);
    assert.equal(await store.outbox.nextDueAt(), NOW + 1);
    assert.equal(await store.outbox.claim("worker", NOW, LEASE, LIFETIME), undefined);
    assert.equal((await store.outbox.claim("worker", NOW + 1, LEASE, LIFETIME))?.message.id, first.id);
    assert.equal(await store.outbox.claim("worker", NOW + 1, LEASE, LIFETIME), undefined);
    assert.equal((await store.outbox.claim("worker", NOW + 2, LEASE, LIFETIME))?.message.id, second.id);
  });

  contract("racing workers never hold the same message", async (opened) => {
    const mails = Array.from({ length: 20 }, () => aMail());
    await queue(opened.store, mails);
    const claims = await race(opened, 60, (store, index) =>
      store.outbox.claim(`w${index}`, NOW, LEASE, LIFETIME),
    );
    const claimed = claims.filter((claim) => claim !== undefined).map(({ message }) => message.id);
    assert.equal(claimed.length, 20);
    assert.deepEqual(new Set(claimed), new Set(mails.map((mail) => mail.id)));
  });

  contract("a sent message is never claimed again; only its holder marks it, once", async ({ store }) => {
    const mail = aMail();
    await queue(store, [mail]);
    assert.equal(await store.outbox.markSent(mail.id, "worker", "250 ok", NOW), false);
    await store.outbox.claim("worker", NOW, LEASE, LIFETIME);
    assert.equal(await store.outbox.markSent(mail.id, "other", "250 ok", NOW), false);
    assert.equal(await store.outbox.markSent(mail.id, "worker", "250 ok", NOW + 9), true);
    assert.equal(await store.outbox.markSent(mail.id, "worker", "250 ok", NOW + 9), false);
    assert.equal(await store.outbox.markDeferred(mail.id, "worker", "late", NOW + 10, NOW + 9), false);
    assert.equal(await store.outbox.nextDueAt(), undefined);
    assert.equal(await store.outbox.claim("worker", NOW + 99 * LEASE, LEASE, LIFETIME), undefined);
  });

  contract(
    "a lease ends at its exact millisecond, and the late worker changes nothing",
    async ({ store }) => {
      const mail = aMail();
      await queue(store, [mail]);
      await store.outbox.claim("dead", NOW, LEASE, LIFETIME);
      assert.equal(await store.outbox.nextDueAt(), NOW + LEASE);
      assert.equal(await store.outbox.claim("next", NOW + LEASE - 1, LEASE, LIFETIME), undefined);
      const taken = present(await store.outbox.claim("next", NOW + LEASE, LEASE, LIFETIME));
      assert.equal(taken.message.attempts, 2);
      assert.deepEqual(taken.message.content, mail.content);
      assert.equal(await store.outbox.markSent(mail.id, "dead", "250 ok", NOW + LEASE), false);
      assert.equal(await store.outbox.markDeferred(mail.id, "dead", "late", null, NOW + LEASE), false);
      assert.equal(await store.outbox.markSent(mail.id, "next", "250 ok", NOW + LEASE), true);
    },
  );

  contract("a deferred message comes back when it is due, with its error", async ({ store }) => {
    const mail = aMail();
    await queue(store, [mail]);
    await store.outbox.claim("worker", NOW, LEASE, LIFETIME);
    assert.equal(await store.outbox.markDeferred(mail.id, "worker", "421 later", NOW + 5000, NOW + 3), true);
    assert.equal(await store.outbox.nextDueAt(), NOW + 5000);
    assert.equal(await store.outbox.claim("worker", NOW + 4999, LEASE, LIFETIME), undefined);
    const { message } = present(await store.outbox.claim("worker", NOW + 5000, LEASE, LIFETIME));
    assert.deepEqual(
      [message.attempts, message.lastError, message.nextAttemptAt, message.createdAt, message.content],
      [2, "421 later", NOW + 5000, NOW, mail.content],
    );
  });

  contract("a message failed for good isn't claimed again", async ({ store }) => {
    const mail = aMail();
    await queue(store, [mail]);
    await store.outbox.claim("worker", NOW, LEASE, LIFETIME);
    assert.equal(await store.outbox.markDeferred(mail.id, "worker", "550 no such user", null, NOW + 3), true);
    assert.equal(await store.outbox.nextDueAt(), undefined);
    assert.equal(await store.outbox.claim("worker", NOW + 99 * LEASE, LEASE, LIFETIME), undefined);
  });

  contract(
    "a request's life starts when its mail is claimed, and anew with each attempt",
    async ({ store }) => {
      const { profile } = await register(store);
      const person = await signIn(store);
      const link = await request(store, person, profile.id, { expiresAt: NOW + 99 * MINUTE });
      const expiresAt = async () =>
        present(await store.links.view(link.request.id, link.request.secretHash)).request.expiresAt;
      const first = present(await store.outbox.claim("worker", NOW + 40, LEASE, LIFETIME));
      assert.deepEqual([first.message.id, first.linkExpiresAt], [link.mail.id, NOW + 40 + LIFETIME]);
      assert.deepEqual(first.message.content, link.mail.content);
      assert.equal(await expiresAt(), NOW + 40 + LIFETIME);
      const later = NOW + 60 * MINUTE;
      await store.outbox.markDeferred(link.mail.id, "worker", "451", later, NOW + 41);
      const second = present(await store.outbox.claim("worker", later, LEASE, LIFETIME));
      assert.equal(second.linkExpiresAt, later + LIFETIME);
      assert.equal(await expiresAt(), later + LIFETIME);
    },
  );

  contract(
    "mails of requests that are pending no more are dropped, and the next one is claimed",
    async ({ store }) => {
      const { profile } = await register(store);
      const [ada, bob] = [await signIn(store), await signIn(store)];
      const superseded = await request(store, ada, profile.id);
      const newer = await request(store, ada, profile.id);
      const cancelled = await request(store, bob, profile.id);
      await store.links.cancel(redemption(bob, cancelled), NOW);
      const redeemed = await register(store);
      const used = await request(store, ada, redeemed.profile.id);
      const voided = await request(store, bob, redeemed.profile.id);
      await store.links.redeem(redemption(ada, used), aNotice(), NOW);
      const claims = [];
      for (let turn = 0; turn < 9; turn += 1)
        claims.push(await store.outbox.claim("worker", NOW, LEASE, LIFETIME));
      const kinds = claims.filter((claim) => claim !== undefined).map(({ message }) => message.content);
      assert.equal(kinds.length, 2);
      assert.deepEqual(kinds[0], newer.mail.content);
      assert.equal(kinds[1]?.kind, "linked_notice");
      for (const [link, state] of [
        [superseded, "superseded"],
        [cancelled, "cancelled"],
        [used, "bound"],
        [voided, "void"],
      ] as const) {
        assert.equal(await stateOf(store, link), state);
        const view = present(await store.links.view(link.request.id, link.request.secretHash));
        assert.equal(view.request.expiresAt, link.request.expiresAt);
      }
    },
  );
}
