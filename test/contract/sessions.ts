import assert from "node:assert/strict";
import { asAccountId, asClientId, asGrantId } from "../../src/domain/ids.ts";
import { anId, hashOf, NOW } from "../support/records.ts";
import { type Case, race } from "./back-end.ts";

const LATER = NOW + 5000;
const [ADA, BOB] = [asClientId("ada"), asClientId("bob")];
const ada = { sid: "sid-a", grantId: asGrantId("grant-a"), persistsLogout: true };
const bob = { sid: "sid-b", grantId: asGrantId("grant-b"), persistsLogout: false };

/** A session as the provider has it, with whatever authorizations its writer believes in. */
function aSession() {
  const uid = anId("uid");
  return {
    uid,
    id: hashOf(anId("cookie")),
    payload: { uid, accountId: "a", loginTs: 17, authorizations: { stale: {} } },
  };
}

export function sessionCases(contract: Case): void {
  contract("a session round-trips by id and by uid, its authorizations composed in", async ({ store }) => {
    const { uid, id, payload } = aSession();
    const authorizations = { ada, bob, bare: {} };
    await store.artifacts.upsertSession(
      id,
      payload,
      { uid, accountId: asAccountId("a"), authorizations, removed: [] },
      LATER,
    );
    const whole = { ...payload, authorizations };
    assert.deepEqual(await store.artifacts.find("Session", id, NOW), whole);
    assert.deepEqual(await store.artifacts.findSessionByUid(uid, NOW), whole);
    assert.equal(await store.artifacts.findSessionByUid(anId("uid"), NOW), undefined);
    assert.equal(await store.artifacts.find("Session", hashOf("other"), NOW), undefined);
  });

  contract("a session without authorizations gets none", async ({ store }) => {
    const { uid, id } = aSession();
    await store.artifacts.upsertSession(
      id,
      { uid, kind: "Session" },
      { uid, authorizations: {}, removed: [] },
      LATER,
    );
    assert.deepEqual(await store.artifacts.find("Session", id, NOW), { uid, kind: "Session" });
  });

  contract("a session is absent from its exact expiry on", async ({ store }) => {
    const { uid, id, payload } = aSession();
    await store.artifacts.upsertSession(
      id,
      payload,
      { uid, authorizations: { [ADA]: ada }, removed: [] },
      LATER,
    );
    for (const now of [LATER - 1, LATER]) {
      assert.equal((await store.artifacts.find("Session", id, now)) !== undefined, now < LATER);
      assert.equal((await store.artifacts.findSessionByUid(uid, now)) !== undefined, now < LATER);
    }
    assert.ok(await store.artifacts.find("Session", id, LATER, { includeExpired: true }));
  });

  contract("portals that save one session at once all keep their authorization", async (opened) => {
    const { store } = opened;
    const { uid, id, payload } = aSession();
    await race(opened, 50, (racer, index) => {
      const authorizations = {
        [`portal-${index}`]: { sid: `sid-${index}`, grantId: asGrantId(`grant-${index}`) },
      };
      return racer.artifacts.upsertSession(id, payload, { uid, authorizations, removed: [] }, LATER);
    });
    const found = await store.artifacts.find("Session", id, NOW);
    const expected = Array.from({ length: 50 }, (_, index) => [
      `portal-${index}`,
      { sid: `sid-${index}`, grantId: asGrantId(`grant-${index}`) },
    ]);
    assert.deepEqual(found?.["authorizations"], Object.fromEntries(expected));
  });

  contract("an authorization is replaced by its client and removed by name", async ({ store }) => {
    const { uid, id, payload } = aSession();
    const save = (authorizations: Record<string, object>, removed: string[]) =>
      store.artifacts.upsertSession(
        id,
        payload,
        { uid, authorizations, removed: removed.map(asClientId) },
        LATER,
      );
    const other = aSession();
    await store.artifacts.upsertSession(
      other.id,
      other.payload,
      { uid: other.uid, authorizations: { [ADA]: ada }, removed: [] },
      LATER,
    );
    await save({ ada, bob }, []);
    await save({ ada: { sid: "sid-2" } }, ["bob"]);
    const found = await store.artifacts.find("Session", id, NOW);
    assert.deepEqual(found?.["authorizations"], { ada: { sid: "sid-2" } });
    const untouched = await store.artifacts.find("Session", other.id, NOW);
    assert.deepEqual(untouched?.["authorizations"], { ada });
  });

  contract("S3: a rotated session is never out of sight, and its old id is dead", async (opened) => {
    const { store } = opened;
    const { uid, id, payload } = aSession();
    await store.artifacts.upsertSession(
      id,
      payload,
      { uid, authorizations: { [ADA]: ada }, removed: [] },
      LATER,
    );
    const other = await opened.second();
    let current = id;
    for (let turn = 0; turn < 20; turn += 1) {
      const next = hashOf(anId("cookie"));
      const rotated = { ...payload, turn };
      const [seen] = await Promise.all([
        other.artifacts.findSessionByUid(uid, NOW),
        store.artifacts.upsertSession(
          next,
          rotated,
          { uid, authorizations: {}, removed: [], replaces: current },
          LATER,
        ),
      ]);
      assert.ok(seen);
      assert.equal(await store.artifacts.find("Session", current, NOW, { includeExpired: true }), undefined);
      assert.deepEqual(await other.artifacts.findSessionByUid(uid, NOW), {
        ...rotated,
        authorizations: { [ADA]: ada },
      });
      current = next;
    }
  });

  contract("the newest of parallel rows is the session of a uid", async ({ store }) => {
    const { uid, id, payload } = aSession();
    const newer = hashOf(anId("cookie"));
    const session = { uid, authorizations: {}, removed: [] };
    await store.artifacts.upsertSession(id, { ...payload, turn: 1 }, session, LATER);
    await store.artifacts.upsertSession(newer, { ...payload, turn: 2 }, session, NOW + 9);
    assert.equal((await store.artifacts.findSessionByUid(uid, NOW))?.["turn"], 2);
    assert.equal((await store.artifacts.findSessionByUid(uid, NOW + 9))?.["turn"], 1);
  });

  contract("ending a session ends every row of its uid and its clients' entries", async ({ store }) => {
    const { uid, id, payload } = aSession();
    const twin = hashOf(anId("cookie"));
    const bystander = aSession();
    const session = { uid, authorizations: { [ADA]: ada }, removed: [] };
    await store.artifacts.upsertSession(id, payload, session, LATER);
    await store.artifacts.upsertSession(twin, payload, session, LATER);
    await store.artifacts.upsertSession(
      bystander.id,
      bystander.payload,
      { ...session, uid: bystander.uid },
      LATER,
    );
    await store.artifacts.upsert("RefreshToken", twin, { a: 1 }, { grantId: asGrantId("grant-a") }, LATER);
    await store.artifacts.destroySession(hashOf("other"));
    await store.artifacts.destroySession(id);
    assert.equal(await store.artifacts.find("Session", id, NOW), undefined);
    assert.equal(await store.artifacts.find("Session", twin, NOW), undefined);
    assert.equal(await store.artifacts.findSessionByUid(uid, NOW), undefined);
    assert.ok(await store.artifacts.find("RefreshToken", twin, NOW));
    assert.deepEqual((await store.artifacts.findSessionByUid(bystander.uid, NOW))?.["authorizations"], {
      ada,
    });
    await store.artifacts.upsertSession(id, { uid }, { uid, authorizations: {}, removed: [] }, LATER);
    assert.deepEqual(await store.artifacts.find("Session", id, NOW), { uid });
  });

  contract(
    "whoever ends a session queues what tells its clients, once, under their own ids of it",
    async (opened) => {
      const { store } = opened;
      const { uid, id, payload } = aSession();
      await store.artifacts.upsertSession(
        id,
        payload,
        { uid, authorizations: { [ADA]: ada, [BOB]: bob }, removed: [] },
        LATER,
      );
      const tells = {
        accountId: asAccountId("account-a"),
        clientIds: ["ada", "stranger"].map(asClientId),
        now: NOW,
      };
      await race(opened, 10, (racer) => racer.artifacts.destroySession(id, tells));
      await store.artifacts.destroySession(hashOf("other"), tells);
      const queued = [];
      for (;;) {
        const one = await store.administration.claimSignOut("worker", NOW, 9999);
        if (one === undefined) break;
        queued.push([one.clientId, one.accountId, one.sid, one.createdAt]);
      }
      const expected = [
        ["ada", "account-a", "sid-a", NOW],
        ["stranger", "account-a", null, NOW],
      ];
      assert.deepEqual(queued.toSorted(), expected);
      assert.equal(await store.artifacts.findSessionByUid(uid, NOW), undefined);
    },
  );

  contract(
    "a found session that was ended meanwhile stays ended, under its old id and a new one",
    async ({ store }) => {
      const { uid, id, payload } = aSession();
      const session = { uid, authorizations: { [ADA]: ada }, removed: [] };
      assert.equal(await store.artifacts.upsertSession(id, payload, session, LATER), "saved");
      await store.artifacts.destroySession(id);
      const found = { ...session, found: true };
      const newer = hashOf(anId("cookie"));
      assert.equal(await store.artifacts.upsertSession(id, payload, found, LATER), "ended");
      assert.equal(
        await store.artifacts.upsertSession(newer, payload, { ...found, replaces: id }, LATER),
        "ended",
      );
      assert.equal(await store.artifacts.findSessionByUid(uid, NOW), undefined);
      // Not even its clients' entries came back.
      await store.artifacts.upsertSession(
        id,
        { uid, authorizations: {} },
        { ...session, authorizations: {} },
        LATER,
      );
      assert.deepEqual((await store.artifacts.findSessionByUid(uid, NOW))?.["authorizations"] ?? {}, {});
    },
  );

  contract("an id that was replaced doesn't come back, what a client got does", async ({ store }) => {
    const { uid, id, payload } = aSession();
    const newer = hashOf(anId("cookie"));
    await store.artifacts.upsertSession(
      id,
      payload,
      { uid, authorizations: { [ADA]: ada }, removed: [] },
      LATER,
    );
    const found = { uid, removed: [], found: true };
    const rotation = { ...found, authorizations: {}, replaces: id };
    assert.equal(
      await store.artifacts.upsertSession(newer, { ...payload, turn: 2 }, rotation, LATER),
      "saved",
    );
    const late = { ...found, authorizations: { bob } };
    assert.equal(await store.artifacts.upsertSession(id, payload, late, LATER), "rotated");
    assert.equal(await store.artifacts.find("Session", id, NOW), undefined);
    const session = await store.artifacts.findSessionByUid(uid, NOW);
    assert.deepEqual([session?.["turn"], session?.["authorizations"]], [2, { ada, bob }]);
  });
}
