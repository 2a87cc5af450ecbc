/** Lists of what is in use: sessions, sign-ins at portals, mails on their way. */

import assert from "node:assert/strict";
import { asAccountId, asClientId, asGrantId } from "../../src/domain/ids.ts";
import type { Selection } from "../../src/domain/records.ts";
import { aMail, anId, aSelection, hashOf, MINUTE, NOW } from "../support/records.ts";
import { bound, type Case, present } from "./back-end.ts";
import { readEach } from "./reading.ts";

const FIRST = { after: null, limit: 50 };
const ids = (all: readonly { id: string }[]) => all.map(({ id }) => id);

export function usedListingCases(contract: Case): void {
  contract(
    "sessions of an account are those of browsers, whatever grants they have, and those of grants",
    async (opened) => {
      const { store } = opened;
      const { account, profile } = await bound(store);
      const other = await bound(store);
      const of = { accountId: account.id, profileId: profile.id };
      const save = async (uid: string, accountId: string | undefined, expiresAt = NOW + MINUTE) => {
        const session = {
          uid,
          authorizations: {},
          removed: [],
          ...(accountId === undefined ? {} : { accountId: asAccountId(accountId) }),
        };
        await store.artifacts.upsertSession(hashOf(anId("cookie")), { uid }, session, expiresAt);
        return uid;
      };
      const grant = async (uid: string, overrides: Partial<Selection> = {}) => {
        const selection = aSelection({ ...of, sessionUid: uid, expiresAt: NOW + MINUTE, ...overrides });
        present(await store.accountsAtClients.select(selection, NOW));
        return selection;
      };
      const [bare, both, ended, over, gone] = ["bare", "both", "ended", "over", "gone"].map((name) =>
        anId(name),
      );
      assert.ok(bare && both && ended && over && gone);
      // One with a single sign-in that was ended, one with two, of which one client has two, one that is left
      // of by grants alone.
      for (const uid of [bare, both, ended]) await save(uid, account.id);
      await save(over, account.id, NOW);
      await save(gone, account.id, NOW);
      await save(anId("nobody"), undefined);
      await save(anId("other"), other.account.id);
      await grant(anId("other"), { accountId: other.account.id, profileId: other.profile.id });
      const once = await grant(ended);
      const [first, second] = [await grant(both), await grant(both)];
      const refreshed = await grant(over, { expiresAt: NOW + 2 * MINUTE });
      for (const one of [once, await grant(gone)]) {
        const revoke = { kind: "revoke_grant", grantId: one.grantId } as const;
        assert.equal(
          (await store.administration.apply(revoke, { actor: "admin:7", now: NOW })).result,
          "done",
        );
      }
      const { sessions, session } = store.administration;
      const expected = [
        { sessionUid: bare, accountId: account.id, clientIds: [] },
        { sessionUid: both, accountId: account.id, clientIds: [first.clientId, second.clientId].toSorted() },
        { sessionUid: ended, accountId: account.id, clientIds: [] },
        { sessionUid: over, accountId: account.id, clientIds: [refreshed.clientId] },
      ].toSorted((one, next) => (one.sessionUid < next.sessionUid ? -1 : 1));
      assert.deepEqual(await readEach((page) => sessions(account.id, page, NOW)), expected);
      for (const one of expected) assert.deepEqual(await session(one.sessionUid, NOW), one);
      assert.equal(await session(gone, NOW), undefined);
      const left = (await readEach((page) => sessions(account.id, page, NOW + MINUTE))).map(
        ({ sessionUid }) => sessionUid,
      );
      assert.deepEqual(left, [over], "what expired is in no list");
      assert.equal(await session(bare, NOW + MINUTE), undefined);
      const end = { kind: "end_session", sessionUid: bare } as const;
      assert.equal((await store.administration.apply(end, { actor: "admin:7", now: NOW })).result, "done");
      assert.equal(await session(bare, NOW), undefined);
    },
  );

  contract("sessions of an account are listed each once, however many grants each has", async ({ store }) => {
    const { account, profile } = await bound(store);
    const uids = Array.from({ length: 7 }, () => anId("uid")).toSorted();
    for (const sessionUid of uids) {
      for (let count = 0; count < 4; count += 1) {
        const selection = aSelection({ accountId: account.id, profileId: profile.id, sessionUid });
        present(await store.accountsAtClients.select(selection, NOW));
      }
    }
    const found = await readEach((page) => store.administration.sessions(account.id, page, NOW));
    assert.deepEqual(
      found.map(({ sessionUid, clientIds }) => [sessionUid, clientIds.length]),
      uids.map((uid) => [uid, 4]),
    );
  });

  contract("of a session with very many grants some are looked at, of every other all", async ({ store }) => {
    const { account, profile } = await bound(store);
    const [many, few] = [anId("uid"), anId("uid")];
    for (const sessionUid of [...Array.from({ length: 55 }, () => many), few]) {
      const selection = aSelection({ accountId: account.id, profileId: profile.id, sessionUid });
      present(await store.accountsAtClients.select(selection, NOW));
    }
    const { session } = store.administration;
    assert.equal((await session(many, NOW))?.clientIds.length, 50);
    assert.equal((await session(few, NOW))?.clientIds.length, 1);
  });

  contract("grants are listed while they hold, of a person, a profile or a portal", async ({ store }) => {
    const [ann, bea] = [await bound(store), await bound(store)];
    const clients = [anId("client"), anId("client"), anId("client")];
    const made: Selection[] = [];
    for (const { account, profile } of [ann, bea]) {
      for (const [index, clientId] of clients.entries()) {
        const times = index === 2 ? { expiresAt: NOW + 1 } : {};
        const selection = aSelection({
          accountId: account.id,
          profileId: profile.id,
          clientId: asClientId(clientId),
          ...times,
        });
        present(await store.accountsAtClients.select(selection, NOW));
        made.push(selection);
      }
    }
    made.sort((one, other) => (one.grantId < other.grantId ? -1 : 1));
    const { grants, countGrants } = store.administration;
    for (const now of [NOW, NOW + 1]) {
      const live: Selection[] = made.filter(({ expiresAt }) => expiresAt > now);
      assert.equal(live.length, now === NOW ? 6 : 4);
      const clientId = asClientId(clients[0] ?? assert.fail("no client"));
      const [accountId, profileId] = [ann.account.id, bea.profile.id];
      for (const filter of [
        {},
        { clientId },
        { accountId },
        { profileId },
        { profileId, clientId },
        { accountId, profileId },
      ]) {
        const fits = live.filter((one) =>
          Object.entries(filter).every(([key, value]) => one[key as "clientId"] === value),
        );
        const found = await readEach((page) => grants(filter, page, now));
        assert.deepEqual(found, fits, JSON.stringify(filter));
      }
      for (const one of made)
        assert.deepEqual(
          (await store.accountsAtClients.forGrant(one.grantId, now))?.selection,
          live.find((other) => other === one),
        );
    }
    assert.equal(await store.accountsAtClients.forGrant(asGrantId(anId("grant")), NOW), undefined);
    const counted = await Promise.all(clients.map((id) => countGrants(asClientId(id), NOW + 1, 9)));
    assert.deepEqual(counted, [2, 2, 0]);
    assert.equal(await countGrants(asClientId(present(clients[0])), NOW, 1), 1);
    assert.equal(await countGrants(asClientId(anId("client")), NOW, 9), 0);
  });

  contract("deliveries are listed newest first, of one state or all", async ({ store }) => {
    const made = [];
    for (const now of [NOW, NOW + 2, NOW, NOW + 1, NOW]) {
      const mail = aMail();
      await store.outbox.enqueue(mail, [], now);
      made.unshift({ id: mail.id, now });
    }
    const oldest = present(made.at(-1));
    const claimed = present(await store.outbox.claim("w", NOW, MINUTE, MINUTE)).message;
    assert.equal(claimed.id, oldest.id);
    await store.outbox.markSent(claimed.id, "w", "250 taken", NOW);
    const { deliveries } = store.administration;
    const all = await readEach((page) => deliveries({}, page));
    const newest = made.toSorted((one, other) => other.now - one.now);
    assert.deepEqual(ids(all), ids(newest));
    for (const one of all) assert.deepEqual(one, await store.outbox.find(one.id));
    assert.deepEqual(await readEach((page) => deliveries({ state: "sent" }, page)), [
      all.find(({ id }) => id === claimed.id),
    ]);
    assert.deepEqual(
      ids(await readEach((page) => deliveries({ state: "queued" }, page))),
      ids(newest.slice(0, -1)),
    );
    assert.deepEqual((await deliveries({ state: "held" }, FIRST)).items, []);
  });

  contract(
    "mails that were put off are listed without those that go next, newest first",
    async ({ store }) => {
      const { outbox, administration } = store;
      const putOff: string[] = [];
      for (let index = 0; index < 12; index += 1) {
        const mail = aMail();
        await outbox.enqueue(mail, [], NOW + index);
        if (index % 4 === 0) continue;
        const { message } = present(await outbox.claim("w", NOW + index, MINUTE, MINUTE));
        await outbox.markDeferred(message.id, "w", `451 later ${index}`, NOW + 10 * MINUTE, NOW);
        putOff.unshift(message.id);
      }
      const of = (filter: { state?: "queued" | "sent"; isPutOff: true }) =>
        readEach((page) => administration.deliveries(filter, page));
      const found = await of({ isPutOff: true });
      assert.deepEqual(new Set(ids(found)), new Set(putOff));
      const times = found.map(({ createdAt }) => createdAt);
      assert.deepEqual(
        times,
        times.toSorted((one, other) => other - one),
      );
      assert.deepEqual(ids(await of({ state: "queued", isPutOff: true })), ids(found));
      assert.deepEqual(await of({ state: "sent", isPutOff: true }), []);
    },
  );
}
