/**
 * Cases of the small stores (clients, keys, throttles, audit), of sweeping, and of a store that is closed.
 */

import assert from "node:assert/strict";
import {
  asClientId,
  asGrantId,
  asLinkRequestId,
  asProfileId,
  asSecretHash,
  type LinkRequestId,
  type ProfileId,
} from "../../src/domain/ids.ts";
import { LiaisonError } from "../../src/errors.ts";
import {
  aClient,
  anAttempt,
  anAuditEvent,
  anId,
  anIdentity,
  anInquiry,
  anUpstreamTransaction,
  aSelection,
  aSignInOutcome,
  hashOf,
  NOW,
} from "../support/records.ts";
import { editClient, registerClient, removeClient } from "../support/stored-clients.ts";
import { bound, type Case, present, race } from "./back-end.ts";

export function singleRecordCases(contract: Case): void {
  contract("a client round-trips, is replaced as a whole, listed in order and removed", async ({ store }) => {
    const client = aClient({ id: asClientId("b"), managedBy: "admin" });
    const other = aClient({
      id: asClientId("a"),
      secret: null,
      aboutUrl: null,
      claimsInIdToken: false,
    });
    await registerClient(store, client);
    await registerClient(store, other);
    assert.deepEqual(await store.clients.find(asClientId("b")), client);
    assert.deepEqual(await store.clients.list(), [other, client]);
    const replaced = {
      ...client,
      name: "PartnerSource",
      homeUrl: "https://partnersource.example/home",
      aboutUrl: null,
      policy: { kinds: ["partner" as const], planRequired: false, roles: [] },
      claimsInIdToken: false,
      metadata: {},
    };
    await editClient(store, replaced);
    assert.deepEqual(await store.clients.find(asClientId("b")), replaced);
    await removeClient(store, asClientId("b"));
    assert.equal(await store.clients.find(asClientId("b")), undefined);
    assert.deepEqual(await store.clients.list(), [other]);
  });

  contract("a store that was opened is of the schema that this process needs", async ({ store }) => {
    const { found, needed } = await store.schemaVersion();
    assert.ok(needed > 0);
    assert.equal(found, needed);
  });

  contract("a key is made once, and racers all get it", async (opened) => {
    const name = anId("key");
    let made = 0;
    const values = await race(opened, 50, (store) =>
      store.keys.findOrCreate(name, async () => {
        made += 1;
        return `value-${made}`;
      }),
    );
    assert.equal(new Set(values).size, 1);
    const refuse = () => assert.fail("a key that is there was made again");
    assert.equal(await opened.store.keys.findOrCreate(name, refuse), values[0]);
    assert.equal(await opened.store.keys.findOrCreate(anId("key"), async () => "other"), "other");
  });

  contract("a key whose making fails isn't stored", async ({ store }) => {
    const broken = async () => Promise.reject(new Error("no entropy"));
    await assert.rejects(store.keys.findOrCreate("key", broken), /no entropy/);
    assert.equal(await store.keys.findOrCreate("key", async () => "made"), "made");
  });

  contract("Z1: a throttle never gives more slots than its limit, over two stores", async (opened) => {
    const key = "mailbox:Ada@contoso.example";
    const slots = await race(opened, 100, (store) => store.throttles.takeSlot(key, 7, 60, NOW));
    assert.equal(slots.filter(({ taken }) => taken).length, 7);
    assert.equal(new Set(slots.map(({ resetsAt }) => resetsAt)).size, 1);
  });

  contract("Z1: several slots at once are as many as are left, over two stores", async (opened) => {
    const limit = { limit: 50, windowSeconds: 60 };
    const slots = await race(opened, 30, (store) => store.throttles.takeSlots("some", 3, limit, NOW));
    assert.equal(
      slots.reduce((sum, { taken }) => sum + taken, 0),
      50,
    );
    assert.deepEqual(
      slots.map(({ taken }) => taken).filter((taken) => taken !== 0 && taken !== 3),
      [2],
    );
    const { throttles } = opened.store;
    assert.deepEqual(await throttles.takeSlots("some", 1, limit, NOW + 1), {
      taken: 0,
      resetsAt: NOW + 60_000,
    });
    assert.equal(
      (await throttles.takeSlot("some", 50, 60, NOW + 2)).taken,
      false,
      "one at a time counts the same",
    );
    const later = NOW + 60_000;
    assert.deepEqual(await throttles.takeSlots("some", 70, limit, later), {
      taken: 50,
      resetsAt: later + 60_000,
    });
    const years = 5 * 365 * 86_400_000;
    assert.deepEqual(await throttles.takeSlots("some", 1, limit, later - years), {
      taken: 0,
      resetsAt: later - years + 60_000,
    });
    assert.equal((await throttles.takeSlots("none", 3, { limit: 0, windowSeconds: 60 }, NOW)).taken, 0);
  });

  contract("a throttle's window ends at its exact millisecond; each key has its own", async ({ store }) => {
    const take = (key: string, now: number) => store.throttles.takeSlot(key, 1, 60, now);
    assert.deepEqual(await take("a", NOW), { taken: true, resetsAt: NOW + 60_000 });
    assert.deepEqual(await take("a", NOW + 59_999), { taken: false, resetsAt: NOW + 60_000 });
    assert.deepEqual(await take("A", NOW), { taken: true, resetsAt: NOW + 60_000 });
    assert.deepEqual(await take("a", NOW + 60_000), { taken: true, resetsAt: NOW + 120_000 });
    assert.deepEqual(await take("a", NOW + 60_001), { taken: false, resetsAt: NOW + 120_000 });
    const several = [];
    for (const now of [NOW, NOW, NOW, NOW + 60_000, NOW + 60_000, NOW + 60_000]) {
      several.push((await store.throttles.takeSlot("c", 2, 60, now)).taken);
    }
    assert.deepEqual(several, [true, true, false, true, true, false]);
    assert.deepEqual(await store.throttles.takeSlot("b", 0, 60, NOW), {
      taken: false,
      resetsAt: NOW + 60_000,
    });
  });

  contract("a clock that was set back by years delays nothing by more than one window", async ({ store }) => {
    const take = (now: number) => store.throttles.takeSlot("a", 2, 60, now);
    const years = 5 * 365 * 86_400_000;
    await take(NOW + years);
    assert.deepEqual(await take(NOW), { taken: true, resetsAt: NOW + 60_000 });
    assert.deepEqual(await take(NOW + 1), { taken: false, resetsAt: NOW + 60_000 });
    await store.throttles.takeSlot("full", 1, 60, NOW + years);
    const full = (now: number) => store.throttles.takeSlot("full", 1, 60, now);
    assert.deepEqual(await full(NOW), { taken: false, resetsAt: NOW + 60_000 });
    assert.deepEqual(await full(NOW + 59_999), { taken: false, resetsAt: NOW + 60_000 });
    assert.deepEqual(await full(NOW + 60_000), { taken: true, resetsAt: NOW + 120_000 });
  });

  contract("audit events round-trip, newest first, filtered and limited", async ({ store }) => {
    const [profileId, requestId] = [anId("profile"), anId("request")];
    const oldest = anAuditEvent({ at: NOW - 1, profileId: asProfileId(profileId) });
    const middle = anAuditEvent({
      at: NOW,
      requestId: asLinkRequestId(requestId),
      profileId: null,
      organizationId: null,
      accountId: null,
    });
    const newest = anAuditEvent({
      at: NOW,
      profileId: asProfileId(profileId),
      requestId: asLinkRequestId(requestId),
      detail: {},
    });
    for (const event of [middle, newest, oldest]) await store.audit.append(event);
    const ids = async (filter: { profileId?: ProfileId; requestId?: LinkRequestId; limit: number }) =>
      (await store.audit.list(filter)).map((event) => event.id);
    assert.deepEqual(await store.audit.list({ limit: 10 }), [newest, middle, oldest]);
    assert.deepEqual(await ids({ limit: 2 }), [newest.id, middle.id]);
    assert.deepEqual(await ids({ profileId: asProfileId(profileId), limit: 10 }), [newest.id, oldest.id]);
    assert.deepEqual(await ids({ requestId: asLinkRequestId(requestId), limit: 10 }), [newest.id, middle.id]);
    assert.deepEqual(
      await ids({ requestId: asLinkRequestId(requestId), profileId: asProfileId(profileId), limit: 10 }),
      [newest.id],
    );
    assert.deepEqual(await ids({ profileId: asProfileId(anId("profile")), limit: 10 }), []);
    await assert.rejects(store.audit.append(newest));
  });

  contract("Z7: an event that is noted once is noted by one of a hundred", async (opened) => {
    const { store } = opened;
    const requestId = asLinkRequestId(anId("request"));
    const first = anAuditEvent({ requestId, detail: { reason: "first" } });
    assert.equal(await store.audit.appendOnce(first), true);
    assert.equal(await store.audit.appendOnce({ ...first, at: NOW + 9, detail: {} }), false);
    const id = anId("event");
    const appended = await race(opened, 100, (racer, index) =>
      racer.audit.appendOnce(anAuditEvent({ id, requestId, detail: { index } })),
    );
    const winner = appended.indexOf(true);
    assert.equal(appended.filter(Boolean).length, 1);
    const kept = await store.audit.list({ requestId, limit: 9 });
    assert.deepEqual(kept.map(({ detail }) => detail).toReversed(), [{ reason: "first" }, { index: winner }]);
  });

  contract("sweeping removes what has expired, all of it, and nothing else", async ({ store }) => {
    const { account, profile } = await bound(store);
    const [old, young] = [NOW, NOW + 1];
    const sessions = [old, young].map((expiresAt) => ({
      expiresAt,
      uid: anId("uid"),
      id: hashOf(anId("cookie")),
    }));
    for (const { uid, id, expiresAt } of sessions) {
      const session = { uid, authorizations: { portal: { sid: "s" } }, removed: [] };
      await store.artifacts.upsertSession(id, { uid }, session, expiresAt);
    }
    const rotatedAway = { uid: present(sessions[1]).uid, authorizations: {}, removed: [] };
    await store.artifacts.upsertSession(hashOf(anId("cookie")), { a: 1 }, rotatedAway, old);
    const tokens = Array.from({ length: 450 }, () => hashOf(anId("token")));
    for (const token of tokens) await store.artifacts.upsert("AccessToken", token, {}, {}, old);
    const kept = anUpstreamTransaction({ expiresAt: young });
    for (const transaction of [anUpstreamTransaction({ expiresAt: old }), kept])
      await store.signIns.begin(transaction);
    await store.signIns.leaveOutcome(hashOf("x"), aSignInOutcome(), old);
    await store.throttles.takeSlot("a", 1, 1, old - 1000);
    const selection = aSelection({ accountId: account.id, profileId: profile.id, expiresAt: old });
    await store.accountsAtClients.select(selection, NOW - 1);

    assert.equal(await store.sweep(NOW), 450 + 2 + 1 + 1 + 1 + 1);
    assert.equal(await store.sweep(NOW), 0);
    const [dead, live] = sessions.map(({ uid, id }) => ({ uid, id }));
    const expired = await store.artifacts.find("Session", present(dead).id, NOW, { includeExpired: true });
    assert.equal(expired, undefined);
    const session = await store.artifacts.findSessionByUid(present(live).uid, NOW);
    assert.deepEqual(session, { uid: present(live).uid, authorizations: { portal: { sid: "s" } } });
    assert.ok(await store.signIns.take(anAttempt(kept), NOW));
    assert.equal((await store.directory.membership(profile.id))?.profile.accountId, account.id);
    // The swept session's authorizations are gone with it: a session of the same uid starts with none.
    const { uid, id } = present(dead);
    await store.artifacts.upsertSession(id, { uid }, { uid, authorizations: {}, removed: [] }, NOW + 9);
    assert.deepEqual(await store.artifacts.find("Session", id, NOW), { uid });
  });

  contract("D3: a store that can't be reached says so, whatever is asked of it", async ({ store }) => {
    await store.close();
    await store.close();
    const asked = [
      () => store.accounts.signIn(anIdentity(), NOW),
      () => store.links.inquire(anInquiry()),
      () => store.links.claimInquiry("worker", NOW, 1000),
      () => store.outbox.nextDueAt(),
      () => store.accountsAtClients.forGrant(asGrantId("grant"), NOW),
      () => store.artifacts.find("Grant", asSecretHash("id"), NOW),
      () => store.artifacts.consume("Grant", asSecretHash("id"), NOW),
      () => store.clients.find(asClientId("id")),
      () => store.keys.findOrCreate("name", async () => "value"),
      () => store.throttles.takeSlot("key", 1, 1, NOW),
      () => store.throttles.takeSlots("key", 2, { limit: 1, windowSeconds: 1 }, NOW),
      () => store.audit.append(anAuditEvent()),
      () => store.sweep(NOW),
    ];
    for (const ask of asked) {
      await assert.rejects(
        ask(),
        (error) => error instanceof LiaisonError && error.code === "store_unavailable",
      );
    }
  });
}
