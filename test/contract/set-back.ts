/**
 * The clock set back by a day: nothing waits longer for it than one window, and nothing that holds others
 * back is lost.
 */

import assert from "node:assert/strict";
import { MOST_OF_FAMILY } from "../../src/domain/endings.ts";
import type { NewMail } from "../../src/domain/records.ts";
import type { InquiryThrottles, Store } from "../../src/storage/contract.ts";
import { aMail, anId, anInquiry, aRequester, aSelection, hashOf, MINUTE, NOW } from "../support/records.ts";
import { bound, type Case, dueMails, present } from "./back-end.ts";
import { placeInFlow } from "./inquiry-flows.ts";

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** What the clock shows when it has been set back. */
const BACK = NOW - DAY;
const limits = {
  mailbox: { hourly: { limit: 1, windowSeconds: 3600 }, daily: { limit: 1000, windowSeconds: 86_400 } },
  profile: { limit: 9, windowSeconds: 3600 },
};

/** Queues mails, as an inquiry's answer does. */
async function queue(store: Store, mails: NewMail[], now: number): Promise<void> {
  const inquiry = anInquiry({ createdAt: now, notBefore: now });
  await store.links.inquire(inquiry);
  const worker = anId("worker");
  assert.equal((await store.links.claimInquiry(worker, now, 1000))?.id, inquiry.id);
  assert.equal(await store.links.settleInquiry(inquiry.id, worker, { links: [], mails }, now), true);
}

const idsOf = (claimed: Awaited<ReturnType<typeof dueMails>>) => claimed.map(({ message }) => message.id);

export function setBackCases(contract: Case): void {
  contract("set back: a full window ends one window later at the latest", async ({ store }) => {
    const take = (now: number) => store.throttles.takeSlot("full", 1, 60, now);
    assert.equal((await take(NOW)).taken, true);
    const end = BACK + MINUTE;
    assert.deepEqual(await take(BACK), { taken: false, resetsAt: end });
    assert.deepEqual(await take(BACK + 30_000), { taken: false, resetsAt: end }, "it doesn't move on");
    assert.equal((await take(end - 1)).taken, false);
    assert.equal((await take(end)).taken, true);
  });

  contract(
    "set back: so does a window that isn't full, and what was taken of it stays taken",
    async ({ store }) => {
      const take = (now: number) => store.throttles.takeSlot("half", 2, 60, now);
      await take(NOW);
      assert.deepEqual(await take(BACK), { taken: true, resetsAt: BACK + MINUTE });
      assert.deepEqual(await take(BACK + 1), { taken: false, resetsAt: BACK + MINUTE });
      assert.deepEqual(await take(BACK + MINUTE), { taken: true, resetsAt: BACK + 2 * MINUTE });
    },
  );

  contract("set back: a flow goes along, unless by less than a window", async ({ store }) => {
    const flow = { limit: 6, windowSeconds: 60, key: "flow" };
    const reserve = (now: number) => placeInFlow(store, flow, now, 365 * DAY);
    const places: number[] = [];
    for (let turn = 0; turn < 30; turn += 1) places.push((await reserve(NOW)) - NOW);
    assert.equal(places.at(-1), 240_000);
    assert.equal(await reserve(NOW - 30_000), NOW + 250_000, "brokers' clocks may differ");
    assert.equal(await reserve(BACK), BACK + 290_000);
    assert.equal(await reserve(BACK), BACK + 300_000, "once");
  });

  contract("set back: in a flow that goes along nobody waits longer than asked for", async ({ store }) => {
    const flow = { limit: 6, windowSeconds: 60, key: "flow" };
    const reserve = (now: number, longestMs: number) => placeInFlow(store, flow, now, longestMs);
    for (let turn = 0; turn < 30; turn += 1) await reserve(NOW, DAY);
    assert.equal(await reserve(NOW - 30_000, 20_000), NOW - 10_000);
    assert.equal(await reserve(BACK, 20_000), BACK + 20_000);
  });

  contract("set back: somebody who has just asked asks again after the pause", async ({ store }) => {
    const requester = aRequester();
    const client = { limit: 1000, windowSeconds: 3600, key: "192.0.2.7", longestMs: () => HOUR };
    const throttles: InquiryThrottles = {
      pauseSeconds: 60,
      identity: { limit: 9, windowSeconds: 3600 },
      client,
    };
    const ask = (createdAt: number) =>
      store.links.inquire(anInquiry({ requester, createdAt, notBefore: createdAt }), throttles);
    assert.equal((await ask(NOW)).asked, true);
    assert.deepEqual(await ask(BACK), { asked: false, askAgainAt: BACK + MINUTE });
    assert.equal((await ask(BACK + MINUTE)).asked, true);
  });

  contract("set back: inquiries are answered as soon as they would have been", async ({ store }) => {
    const requester = aRequester();
    const client = { limit: 1000, windowSeconds: 3600, key: "192.0.2.7", longestMs: () => HOUR };
    const throttles: InquiryThrottles = {
      pauseSeconds: 0,
      identity: { limit: 1, windowSeconds: 3600 },
      client,
    };
    const [first, throttled] = [3000, 4000].map((wait) =>
      anInquiry({ requester, createdAt: NOW, notBefore: NOW + wait }),
    );
    await store.links.inquire(present(first), throttles);
    await store.links.inquire(present(throttled), throttles);
    assert.equal(await store.administration.boundWaits(NOW), 0, "nothing moves while the clock is right");
    assert.equal(
      await store.administration.boundWaits(NOW - 5000),
      0,
      "nor for what brokers' clocks differ by",
    );
    const claim = async (now: number) => (await store.links.claimInquiry(anId("worker"), now, DAY))?.id;
    assert.equal(await claim(BACK + HOUR), undefined, "it waits for the day to come again");
    assert.equal(await store.administration.boundWaits(BACK), 2);
    assert.equal(await store.administration.boundWaits(BACK + 1), 0, "once");
    assert.equal(await claim(BACK + 2999), undefined);
    assert.equal(await claim(BACK + 3000), first?.id);
    const moved = present(await store.links.latestInquiry(present(throttled).interactionCid));
    assert.deepEqual(
      [moved.createdAt, moved.heldUntil, moved.notBefore],
      [BACK, BACK + HOUR, BACK + HOUR + 4000],
      "it is throttled as long as it was to be",
    );
    assert.equal(await claim(BACK + HOUR + 3999), undefined);
    assert.equal(await claim(BACK + HOUR + 4000), throttled?.id);
  });

  contract("set back: what a dead worker had claimed is free a minute later", async ({ store }) => {
    const inquiry = anInquiry({ createdAt: BACK - 1000, notBefore: BACK - 1000 });
    await store.links.inquire(inquiry);
    assert.equal((await store.links.claimInquiry("dead", NOW, MINUTE))?.id, inquiry.id);
    assert.equal(await store.administration.boundWaits(BACK), 1);
    assert.equal(await store.links.claimInquiry("other", BACK + MINUTE - 1, MINUTE), undefined);
    assert.equal((await store.links.claimInquiry("other", BACK + MINUTE, MINUTE))?.id, inquiry.id);

    const { administration } = store;
    assert.equal(await administration.takeLease("sealer", "dead", NOW, MINUTE), true);
    assert.equal(
      await administration.takeLease("sealer", "other", NOW - MINUTE, MINUTE),
      false,
      "brokers differ",
    );
    assert.equal(await administration.takeLease("sealer", "other", BACK, MINUTE), true);
    assert.equal(await administration.takeLease("sealer", "dead", BACK + 1, MINUTE), false);
  });

  contract("set back: so is what a dead worker verified and removed", async ({ store }) => {
    const asked = { id: anId("verification"), keptHead: null, seal: "asked" };
    present(await store.verifications.ask(asked, { actor: "admin:7", now: BACK }));
    const { account, profile } = await bound(store);
    const { grantId, ...selection } = aSelection({ accountId: account.id, profileId: profile.id });
    present(await store.accountsAtClients.select({ grantId, ...selection }, NOW));
    for (let count = 0; count <= MOST_OF_FAMILY; count += 1)
      await store.artifacts.upsert("AccessToken", hashOf(anId("token")), {}, { grantId }, NOW + HOUR);
    await store.administration.apply({ kind: "revoke_grant", grantId }, { actor: "admin:7", now: NOW });
    const verify = (worker: string, now: number) => store.verifications.claim(worker, now, MINUTE);
    const remove = (worker: string, now: number) => store.administration.claimEnding(worker, now, MINUTE);
    present(await verify("dead", NOW));
    present(await remove("dead", NOW));
    assert.equal(await store.administration.boundWaits(NOW), 0);
    await store.administration.boundWaits(BACK);
    assert.equal(await verify("other", BACK + MINUTE - 1), undefined);
    assert.equal(await remove("other", BACK + MINUTE - 1), undefined);
    assert.equal((await verify("other", BACK + MINUTE))?.id, asked.id);
    present(await remove("other", BACK + MINUTE));
  });

  contract(
    "set back: a queued mail goes at once, one that was put off within the hour",
    async ({ store }) => {
      const [fresh, tried, old] = [aMail(), aMail(), aMail()];
      await queue(store, [old], BACK - HOUR);
      assert.deepEqual(idsOf(await dueMails(store, BACK - HOUR)), [old.id]);
      const again = present(await store.outbox.claim("sender", NOW, MINUTE, MINUTE));
      assert.equal(await store.outbox.markDeferred(again.message.id, "sender", "451", NOW + HOUR, NOW), true);
      await queue(store, [tried], NOW);
      const claimed = present(await store.outbox.claim("sender", NOW, MINUTE, MINUTE));
      assert.equal(
        await store.outbox.markDeferred(claimed.message.id, "sender", "451", NOW + 15_000, NOW),
        true,
      );
      await queue(store, [fresh], NOW);
      assert.equal(await store.administration.boundWaits(NOW), 0);
      assert.equal(await store.administration.boundWaits(BACK), 3);
      assert.equal(await store.administration.boundWaits(BACK + 1), 0);
      assert.deepEqual(idsOf(await dueMails(store, BACK)), [fresh.id]);
      assert.deepEqual(idsOf(await dueMails(store, BACK + 15_000)), [tried.id]);
      assert.deepEqual(
        idsOf(await dueMails(store, BACK + HOUR)).filter((id) => id === old.id),
        [old.id],
      );
      assert.equal(present(await store.outbox.find(fresh.id)).createdAt, BACK);
    },
  );

  contract("set back: what waits for a mailbox goes as soon as it would have gone", async ({ store }) => {
    const throttle = (profile: string) => ({
      mailbox: { ...limits.mailbox, key: "ada@contoso.example" },
      profile: { ...limits.profile, key: profile },
    });
    const mails = ["p", "q", "r"].map((profile) => aMail({ throttle: throttle(profile) }));
    await queue(store, mails, NOW);
    assert.equal((await dueMails(store, NOW)).length, 1);
    assert.equal(await store.outbox.releaseDeferred(limits, BACK + 2 * HOUR), 0);
    await store.administration.boundWaits(BACK);
    assert.equal(await store.outbox.releaseDeferred(limits, BACK + MINUTE - 1), 0);
    assert.equal(await store.outbox.releaseDeferred(limits, BACK + MINUTE), 1);
    const kinds = (await dueMails(store, BACK + MINUTE)).map(({ message }) => message.content.kind);
    assert.ok(kinds.includes("collected"), kinds.join());
    // What the mailbox got before the clock was set back is over one window after it was looked at.
    const later = ["s", "t"].map((profile) => aMail({ throttle: throttle(profile) }));
    await queue(store, later, BACK + 2 * MINUTE);
    assert.equal(await store.outbox.releaseDeferred(limits, BACK + HOUR + MINUTE - 1), 0);
    assert.equal(
      await store.outbox.releaseDeferred(limits, BACK + HOUR + MINUTE),
      2,
      "one by itself, and the other",
    );
  });

  contract(
    "set back: portals are told of the end of a sign-in at once, or within the hour",
    async ({ store }) => {
      const { account, profile } = await bound(store);
      for (const now of [BACK - 2 * DAY, NOW]) {
        const selection = aSelection({ accountId: account.id, profileId: profile.id });
        present(await store.accountsAtClients.select(selection, now));
        const revoke = { kind: "revoke_grant", grantId: selection.grantId } as const;
        await store.administration.apply(revoke, { actor: "admin:7", now });
      }
      const claim = (now: number) => store.administration.claimSignOut("worker", now, MINUTE);
      const old = present(await claim(NOW - 1));
      assert.equal(await store.administration.settleSignOut(old.id, "worker", NOW + HOUR), true);
      assert.equal(await claim(BACK), undefined);
      await store.administration.boundWaits(BACK);
      const fresh = present(await claim(BACK));
      assert.equal(fresh.createdAt, BACK);
      assert.equal(await store.administration.settleSignOut(fresh.id, "worker", null), true);
      assert.equal(await claim(BACK + HOUR - 1), undefined);
      assert.equal((await claim(BACK + HOUR))?.id, old.id);
    },
  );
}
