import assert from "node:assert/strict";
import { asInquiryId, asProfileId } from "../../src/domain/ids.ts";
import type { Store } from "../../src/storage/contract.ts";
import { aMail, aNewLink, anId, anInquiry, aRequester, NOW } from "../support/records.ts";
import { type Case, dueMails, present, race, register, request, signIn, stateOf } from "./back-end.ts";

const LEASE = 1000;
const NOTHING = { links: [], mails: [] };

/** A stored inquiry that `worker` holds. */
async function claimed(store: Store, worker: string) {
  const inquiry = anInquiry();
  await store.links.inquire(inquiry);
  assert.deepEqual(await store.links.claimInquiry(worker, NOW, LEASE), { ...inquiry, answeredTo: null });
  return inquiry;
}

export function inquiryCases(contract: Case): void {
  contract("an inquiry round-trips, with and without an address", async ({ store }) => {
    const inquiry = anInquiry();
    const without = anInquiry({ address: null, requester: aRequester({ email: null, displayName: null }) });
    await store.links.inquire(inquiry);
    await store.links.inquire(without);
    assert.deepEqual(await store.links.latestInquiry(inquiry.interactionCid), inquiry);
    assert.deepEqual(await store.links.latestInquiry(without.interactionCid), without);
    assert.equal(await store.links.latestInquiry(anId("cid")), undefined);
  });

  contract("the newest inquiry of an interaction is the latest one, settled or not", async ({ store }) => {
    const interactionCid = anId("cid");
    const older = anInquiry({ interactionCid, createdAt: NOW - 900 });
    const newer = anInquiry({ interactionCid, createdAt: NOW - 800 });
    await store.links.inquire(newer);
    await store.links.inquire(older);
    assert.equal((await store.links.latestInquiry(interactionCid))?.id, newer.id);
    const again = anInquiry({ interactionCid, createdAt: NOW - 800 });
    await store.links.inquire(again);
    assert.equal((await store.links.latestInquiry(interactionCid))?.id, again.id);
  });

  contract(
    "inquiries are claimed longest due first, of equals as they were stored, none early",
    async ({ store }) => {
      const early = anInquiry({ createdAt: NOW - 200, notBefore: NOW - 100 });
      const [late, equal] = [NOW - 300, NOW - 350].map((createdAt) =>
        anInquiry({ createdAt, notBefore: NOW }),
      );
      const future = anInquiry({ createdAt: NOW - 400, notBefore: NOW + 1 });
      for (const inquiry of [future, present(late), present(equal), early])
        await store.links.inquire(inquiry);
      const claim = async (now: number) => (await store.links.claimInquiry("one", now, LEASE))?.id;
      assert.equal(await claim(NOW - 101), undefined);
      for (const expected of [early, late, equal]) assert.equal(await claim(NOW), expected?.id);
      assert.equal(await claim(NOW), undefined);
      assert.equal(await claim(NOW + 1), future.id);
      // Whose lease ran out is due from then on.
      assert.equal(await claim(NOW + LEASE), late?.id);
    },
  );

  contract(
    "of thousands of inquiries those that are due are claimed, in order, at their instant",
    async (opened) => {
      const { store } = opened;
      const waiting = Array.from({ length: 5000 }, (_, index) =>
        anInquiry({ notBefore: NOW + 60_000 + (index % 50) }),
      );
      const due = [NOW - 2, NOW - 3, NOW].map((notBefore) => anInquiry({ notBefore }));
      const [second, first, third] = due.map(({ id }) => id);
      waiting.splice(1000, 0, ...due);
      const another = await opened.second();
      for (let index = 0; index < waiting.length; index += 50) {
        const some = waiting.slice(index, index + 50);
        await Promise.all(
          some.map((inquiry, turn) => (turn % 2 === 0 ? store : another).links.inquire(inquiry)),
        );
      }
      const claim = async (now: number) => (await store.links.claimInquiry("one", now, LEASE))?.id;
      assert.deepEqual(
        [await claim(NOW), await claim(NOW), await claim(NOW), await claim(NOW)],
        [first, second, third, undefined],
      );
      assert.ok(await claim(NOW + 60_000), "the others' time comes");
    },
  );

  contract("racing workers never hold the same inquiry", async (opened) => {
    const ids = new Set<string>();
    for (let index = 0; index < 20; index += 1) {
      const inquiry = anInquiry();
      ids.add(inquiry.id);
      await opened.store.links.inquire(inquiry);
    }
    const claims = await race(opened, 60, (store, index) =>
      store.links.claimInquiry(`worker-${index}`, NOW, LEASE),
    );
    const claimed = claims.filter((inquiry) => inquiry !== undefined).map((inquiry) => inquiry.id);
    assert.equal(claimed.length, 20);
    assert.deepEqual(new Set(claimed), ids);
  });

  contract(
    "a lease ends at its exact millisecond, and the late worker changes nothing",
    async ({ store }) => {
      const inquiry = await claimed(store, "dead");
      assert.equal(await store.links.claimInquiry("next", NOW + LEASE - 1, LEASE), undefined);
      assert.equal((await store.links.claimInquiry("next", NOW + LEASE, LEASE))?.id, inquiry.id);
      const outcome = { links: [], mails: [aMail()] };
      assert.equal(await store.links.settleInquiry(inquiry.id, "dead", outcome, NOW + LEASE), false);
      assert.equal(await store.outbox.nextDueAt(), undefined);
      assert.equal((await store.links.latestInquiry(inquiry.interactionCid))?.address, inquiry.address);
      assert.equal(await store.links.settleInquiry(inquiry.id, "next", NOTHING, NOW + LEASE), true);
    },
  );

  contract("settling deletes the typed address and happens once", async (opened) => {
    const { store } = opened;
    const inquiry = await claimed(store, "worker");
    const settled = await race(opened, 50, (racer) =>
      racer.links.settleInquiry(inquiry.id, "worker", { links: [], mails: [aMail()] }, NOW + 4),
    );
    assert.equal(settled.filter(Boolean).length, 1);
    assert.deepEqual(await store.links.latestInquiry(inquiry.interactionCid), {
      ...inquiry,
      address: null,
      settledAt: NOW + 4,
    });
    assert.equal((await dueMails(store, NOW + 4)).length, 1);
    assert.equal(await store.links.claimInquiry("worker", NOW + 9 * LEASE, LEASE), undefined);
  });

  contract("an answer in parts is gone on with where it was left, and adds up", async ({ store }) => {
    const { profile } = await register(store);
    const inquiry = await claimed(store, "dead");
    const { requester } = inquiry;
    const link = aNewLink({ inquiryId: inquiry.id, requester, profileId: profile.id });
    const more = { answeredTo: profile.id, leaseMs: 2 * LEASE };
    const part = { links: [link], mails: [], matched: 2, more };
    assert.equal(await store.links.settleInquiry(inquiry.id, "other", part, NOW), false);
    assert.equal(await store.outbox.nextDueAt(), undefined);
    assert.equal(await store.links.settleInquiry(inquiry.id, "dead", part, NOW), true);
    assert.equal(await stateOf(store, link), "pending");
    assert.equal((await dueMails(store, NOW)).length, 1, "what is written goes out");
    const halfway = present(await store.links.latestInquiry(inquiry.interactionCid));
    assert.deepEqual([halfway.settledAt, halfway.address], [null, inquiry.address]);

    assert.equal(
      await store.links.claimInquiry("next", NOW + 2 * LEASE - 1, LEASE),
      undefined,
      "it keeps its lease",
    );
    const again = present(await store.links.claimInquiry("next", NOW + 2 * LEASE, LEASE));
    assert.deepEqual([again.id, again.answeredTo], [inquiry.id, profile.id]);
    const rest = { links: [], mails: [aMail()], matched: 1 };
    assert.equal(await store.links.settleInquiry(inquiry.id, "dead", rest, NOW + 2 * LEASE), false);
    assert.equal(await store.links.settleInquiry(inquiry.id, "next", rest, NOW + 2 * LEASE), true);
    const settled = present(await store.links.latestInquiry(inquiry.interactionCid));
    assert.deepEqual([settled.matched, settled.address, settled.settledAt], [3, null, NOW + 2 * LEASE]);
  });

  contract("only a claimed inquiry is settled", async ({ store }) => {
    const inquiry = anInquiry();
    await store.links.inquire(inquiry);
    assert.equal(await store.links.settleInquiry(inquiry.id, "worker", NOTHING, NOW), false);
    assert.equal(
      await store.links.settleInquiry(asInquiryId(anId("inquiry")), "worker", NOTHING, NOW),
      false,
    );
    assert.deepEqual(await store.links.latestInquiry(inquiry.interactionCid), inquiry);
  });

  contract(
    "L11: settling makes one pending request, one mail and one audit event a profile",
    async ({ store }) => {
      const { account, identity } = await signIn(store);
      const requester = { ...identity, accountId: account.id };
      const inquiry = anInquiry({ requester });
      await store.links.inquire(inquiry);
      await store.links.claimInquiry("worker", NOW, LEASE);
      const registered = [await register(store), await register(store), await register(store)];
      const links = registered.map(({ profile }) =>
        aNewLink({ inquiryId: inquiry.id, requester, profileId: profile.id, emailVersion: 1 }),
      );
      const extra = aMail();
      assert.equal(
        await store.links.settleInquiry(inquiry.id, "worker", { links, mails: [extra] }, NOW + 4),
        true,
      );
      for (const [index, link] of links.entries()) {
        const { request: wanted } = link;
        const view = present(await store.links.view(wanted.id, wanted.secretHash));
        assert.deepEqual(view.request, { ...wanted, state: "pending", settledAt: null });
        assert.equal(view.membership.profile.id, registered[index]?.profile.id);
        assert.deepEqual(view.membership.organization, registered[index]?.organization);
        assert.equal(
          await store.links.view(wanted.id, present(links[(index + 1) % 3]).request.secretHash),
          undefined,
        );
        const events = await store.audit.list({ requestId: wanted.id, limit: 9 });
        assert.deepEqual(
          events.map(({ action, actor, at, profileId, organizationId }) => [
            action,
            actor,
            at,
            profileId,
            organizationId,
          ]),
          [
            [
              "link.requested",
              `account:${account.id}`,
              NOW + 4,
              wanted.profileId,
              registered[index]?.organization.id,
            ],
          ],
        );
      }
      const mails = await dueMails(store, NOW + 4);
      const queued = [...links.map((link) => link.mail), extra];
      assert.deepEqual(
        mails.map(({ message }) => [message.id, message.messageId, message.to, message.content]),
        queued.map((mail) => [mail.id, mail.messageId, mail.to, mail.content]),
      );
    },
  );

  contract("settling is all or nothing", async ({ store }) => {
    const { profile } = await register(store);
    const inquiry = await claimed(store, "worker");
    const good = aNewLink({ inquiryId: inquiry.id, requester: inquiry.requester, profileId: profile.id });
    const broken = aNewLink({
      inquiryId: inquiry.id,
      requester: inquiry.requester,
      profileId: asProfileId(anId("profile")),
    });
    const outcome = { links: [good, broken], mails: [] };
    await assert.rejects(store.links.settleInquiry(inquiry.id, "worker", outcome, NOW));
    assert.equal(await store.links.view(good.request.id, good.request.secretHash), undefined);
    assert.equal(await store.outbox.nextDueAt(), undefined);
    assert.equal((await store.links.latestInquiry(inquiry.interactionCid))?.settledAt, null);
  });

  contract("a secret hash belongs to one request", async ({ store }) => {
    const { profile } = await register(store);
    const person = await signIn(store);
    const link = await request(store, person, profile.id);
    const inquiry = await claimed(store, "worker");
    const { secretHash } = link.request;
    const copy = aNewLink({
      inquiryId: inquiry.id,
      requester: inquiry.requester,
      profileId: profile.id,
      secretHash,
    });
    await assert.rejects(store.links.settleInquiry(inquiry.id, "worker", { links: [copy], mails: [] }, NOW));
    assert.equal(await stateOf(store, link), "pending");
  });

  contract("L8: a newer request supersedes that of the same identity and profile only", async ({ store }) => {
    const { profile } = await register(store);
    const other = await register(store);
    const [ada, bob] = [await signIn(store), await signIn(store)];
    const first = await request(store, ada, profile.id);
    const elsewhere = await request(store, ada, other.profile.id);
    const byBob = await request(store, bob, profile.id);
    const second = await request(store, ada, profile.id);
    assert.equal(await stateOf(store, first), "superseded");
    assert.equal(await stateOf(store, second), "pending");
    assert.equal(await stateOf(store, byBob), "pending");
    assert.equal(await stateOf(store, elsewhere), "pending");
    const view = present(await store.links.view(first.request.id, first.request.secretHash));
    assert.equal(view.request.settledAt, NOW);
  });
}
