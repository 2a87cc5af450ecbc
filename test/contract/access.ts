/** Keys of the REST API, and the ends of grants and sessions, with the portals that are told of them. */

import assert from "node:assert/strict";
import { MOST_AT_ONCE } from "../../src/domain/endings.ts";
import { asGrantId, asSecretHash } from "../../src/domain/ids.ts";
import type { ApiKey, Selection, SignOut } from "../../src/domain/records.ts";
import { revisionOf } from "../../src/domain/revision.ts";
import type { AdminChange, Store } from "../../src/storage/contract.ts";
import { anId, aSelection, hashOf, MINUTE, NOW } from "../support/records.ts";
import { bound, type Case, present, profileOf, race } from "./back-end.ts";
import { manyGrants } from "./endings-fixture.ts";

const BY = { actor: "admin:7", now: NOW };
const DONE = { result: "done", revokedGrants: [] } as const;
const MISSING = { result: "missing" } as const;

const apply = (store: Store, change: AdminChange, now = NOW) =>
  store.administration.apply(change, { ...BY, now });

function aKey(overrides: Partial<ApiKey> = {}): ApiKey {
  return {
    id: anId("key"),
    name: "Nightly ünport",
    secretHash: hashOf(anId("secret")),
    createdBy: "admin:7",
    scopes: ["directory:write", "audit:read"],
    createdAt: NOW,
    expiresAt: NOW + MINUTE,
    lastUsedAt: null,
    ...overrides,
  };
}

/**
 * A session of somebody with grants at two portals, of which one gave no sid; and a grant in another session.
 */
async function signedOn(store: Store) {
  const { account, profile, organization } = await bound(store);
  const of = { accountId: account.id, profileId: profile.id };
  const [uid, otherUid] = [anId("uid"), anId("uid")];
  const [one, bare] = [aSelection({ ...of, sessionUid: uid }), aSelection({ ...of, sessionUid: uid })];
  const elsewhere = aSelection({ ...of, sessionUid: otherUid });
  const tokens = new Map<string, string>();
  for (const selection of [one, bare, elsewhere]) {
    present(await store.accountsAtClients.select(selection, NOW));
    const token = hashOf(anId("token"));
    tokens.set(selection.grantId, token);
    await store.artifacts.upsert(
      "AccessToken",
      token,
      { a: 1 },
      { grantId: selection.grantId },
      NOW + MINUTE,
    );
  }
  const save = (sessionUid: string, authorizations: Record<string, { sid?: string }>) => {
    const session = { uid: sessionUid, accountId: account.id, authorizations, removed: [] };
    return store.artifacts.upsertSession(hashOf(anId("cookie")), { uid: sessionUid }, session, NOW + MINUTE);
  };
  await save(uid, { [one.clientId]: { sid: "sid-one" }, [bare.clientId]: {} });
  await save(otherUid, {
    [elsewhere.clientId]: { sid: "sid-elsewhere" },
    [one.clientId]: { sid: "sid-wrong" },
  });
  const isLive = async ({ grantId }: Selection) => {
    const token = await store.artifacts.find("AccessToken", asSecretHash(present(tokens.get(grantId))), NOW);
    const accountAtClient = await store.accountsAtClients.forGrant(grantId, NOW);
    assert.equal(token !== undefined, accountAtClient !== undefined);
    return accountAtClient !== undefined;
  };
  return { account, profile, organization, uid, one, bare, elsewhere, isLive };
}

const revoked = ({ grantId, clientId, accountId, sessionUid }: Selection) => ({
  grantId,
  clientId,
  accountId,
  sessionUid,
});

/** Claims every sign-out that is due. */
async function dueSignOuts(store: Store, now = NOW): Promise<SignOut[]> {
  const next = await store.administration.claimSignOut(anId("worker"), now, MINUTE);
  return next === undefined ? [] : [next, ...(await dueSignOuts(store, now))];
}

const told = (signOuts: SignOut[]) => signOuts.map(({ clientId, sid }) => [clientId, sid]).toSorted();

export function accessCases(contract: Case): void {
  contract(
    "an API key is made once, found by its hash until it expires, and removed once",
    async (opened) => {
      const { store } = opened;
      const key = aKey();
      const made = await race(opened, 8, (racer) => apply(racer, { kind: "create_api_key", key }));
      assert.equal(made.filter(({ result }) => result === "done").length, 1);
      assert.equal(made.filter(({ result }) => result === "exists").length, 7);
      const { secretHash } = key;
      for (const twin of [aKey({ id: key.id }), aKey({ secretHash })]) {
        assert.deepEqual(await apply(store, { kind: "create_api_key", key: twin }), { result: "exists" });
      }
      const other = aKey({ createdAt: NOW + 1, scopes: [], lastUsedAt: NOW });
      assert.deepEqual(await apply(store, { kind: "create_api_key", key: other }), DONE);
      assert.deepEqual(await store.administration.apiKeys(), [{ ...other, lastUsedAt: null }, key]);
      assert.deepEqual(await store.administration.apiKey(secretHash, key.expiresAt - 1), key);
      assert.equal(await store.administration.apiKey(secretHash, key.expiresAt), undefined);
      assert.equal(await store.administration.apiKey(hashOf("other"), NOW), undefined);

      for (const now of [NOW + 7, NOW + 3]) await store.administration.noteApiKeyUse(key.id, now);
      await store.administration.noteApiKeyUse(anId("key"), NOW);
      assert.deepEqual(await store.administration.apiKey(secretHash, NOW), { ...key, lastUsedAt: NOW + 7 });

      const removed = await race(opened, 8, (racer) => apply(racer, { kind: "remove_api_key", id: key.id }));
      assert.equal(removed.filter(({ result }) => result === "done").length, 1);
      assert.equal(removed.filter(({ result }) => result === "missing").length, 7);
      assert.equal(await store.administration.apiKey(secretHash, NOW), undefined);
      const events = (await store.audit.list({ limit: 9 })).map(({ action, detail }) => [action, detail]);
      const said = { key: key.id, name: key.name, scopes: "directory:write audit:read" };
      assert.deepEqual(
        events.filter(([action]) => action === "api_key.removed"),
        [["api_key.removed", said]],
      );
      assert.deepEqual(events.filter(([action]) => action === "api_key.created").length, 2);
      assert.ok(!JSON.stringify(events).includes(secretHash));
    },
  );

  contract("a revoked grant ends with its tokens, once, and its portal is told", async (opened) => {
    const { store } = opened;
    const { one, bare, elsewhere, isLive, account, profile } = await signedOn(store);
    const outcomes = await race(opened, 8, (racer) =>
      apply(racer, { kind: "revoke_grant", grantId: one.grantId }),
    );
    const done = outcomes.filter(({ result }) => result === "done");
    assert.deepEqual(done, [{ result: "done", revokedGrants: [revoked(one)] }]);
    assert.equal(outcomes.filter(({ result }) => result === "missing").length, 7);
    assert.deepEqual([await isLive(one), await isLive(bare), await isLive(elsewhere)], [false, true, true]);
    const [event] = await store.audit.list({ limit: 1 });
    assert.deepEqual(
      [event?.action, event?.accountId, event?.profileId, event?.detail],
      ["grant.revoked", account.id, profile.id, { grant: one.grantId, client: one.clientId }],
    );
    const signOuts = await dueSignOuts(store);
    assert.deepEqual(signOuts, [
      {
        id: signOuts[0]?.id,
        clientId: one.clientId,
        accountId: account.id,
        sid: "sid-one",
        createdAt: NOW,
        attempts: 1,
      },
    ]);
    const late = { kind: "revoke_grant", grantId: bare.grantId } as const;
    assert.deepEqual(await apply(store, late, bare.expiresAt), MISSING, "it had expired");
  });

  contract(
    "an ended session takes its grants along, each portal told by the sid that it knows",
    async (opened) => {
      const { store } = opened;
      const { uid, one, bare, elsewhere, isLive, account } = await signedOn(store);
      const outcomes = await race(opened, 6, (racer) =>
        apply(racer, { kind: "end_session", sessionUid: uid }),
      );
      const [done] = outcomes.filter(({ result }) => result === "done");
      assert.ok(done?.result === "done");
      const byGrant = (grants: { grantId?: string }[]) => new Set(grants.map(({ grantId }) => grantId));
      assert.deepEqual(byGrant(done.revokedGrants), byGrant([one, bare]));
      assert.equal(outcomes.filter(({ result }) => result === "missing").length, 5);
      assert.deepEqual(
        [await isLive(one), await isLive(bare), await isLive(elsewhere)],
        [false, false, true],
      );
      assert.equal(await store.artifacts.findSessionByUid(uid, NOW), undefined);
      assert.ok(await store.artifacts.findSessionByUid(elsewhere.sessionUid, NOW));
      assert.deepEqual(
        told(await dueSignOuts(store)),
        [
          [one.clientId, "sid-one"],
          [bare.clientId, null],
        ].toSorted(),
      );
      const [event] = await store.audit.list({ limit: 1 });
      assert.deepEqual(
        [event?.action, event?.accountId, event?.detail],
        ["session.ended", account.id, { session: uid }],
      );
      const expired = { kind: "end_session", sessionUid: elsewhere.sessionUid } as const;
      const late = await apply(store, expired, NOW + MINUTE);
      assert.deepEqual(
        late,
        { result: "done", revokedGrants: [revoked(elsewhere)] },
        "a grant went on without it",
      );
      assert.equal(await isLive(elsewhere), false);
      const [last] = await store.audit.list({ limit: 1 });
      assert.deepEqual([last?.accountId, last?.detail], [account.id, { session: elsewhere.sessionUid }]);
      assert.deepEqual(await apply(store, expired, NOW + MINUTE), MISSING, "nothing is left of it");
      assert.deepEqual(await apply(store, { kind: "end_session", sessionUid: anId("uid") }), MISSING);
    },
  );

  contract("a session is gone whose grants alone are left, and ended, removed or not", async ({ store }) => {
    const { profile, selections } = await manyGrants(store, MOST_AT_ONCE + 1);
    const { sessionUid } = present(selections[0]);
    await store.artifacts.destroySession(hashOf(sessionUid));
    assert.equal((await store.links.unbind(profile.id, "admin:7", NOW))?.goesOn, true);
    assert.deepEqual(await apply(store, { kind: "end_session", sessionUid }), MISSING);
  });

  contract(
    "whatever ends a profile's grants has their portals told, also of grants without a session",
    async ({ store }) => {
      for (const ending of [
        "unbind",
        "disable profile",
        "disable organization",
        "import",
        "another person",
      ] as const) {
        const { account, profile, organization, one, bare, elsewhere } = await signedOn(store);
        const orphan = aSelection({ accountId: account.id, profileId: profile.id });
        present(await store.accountsAtClients.select(orphan, NOW));
        const expired = aSelection({ accountId: account.id, profileId: profile.id, expiresAt: NOW });
        present(await store.accountsAtClients.select(expired, NOW - 1));
        const disabled = { ...profile, enabled: false };
        if (ending === "unbind") await store.links.unbind(profile.id, "command:unbind", NOW);
        if (ending === "disable profile") await store.directory.putProfile(disabled, "command:x", NOW);
        if (ending === "disable organization")
          await store.directory.putOrganization({ ...organization, enabled: false }, "command:x", NOW);
        if (ending === "import")
          await store.directory.importBatch([{ organization, profile: disabled }], "command:import", NOW);
        if (ending === "another person") {
          const revision = revisionOf(await profileOf(store, profile.id));
          const edit = {
            kind: "edit_profile",
            profile,
            revision,
            isAnotherPerson: true,
            mailDomain: "x.example",
          } as const;
          assert.equal((await apply(store, edit)).result, "done");
        }
        const expectedPairs = [
          [one.clientId, "sid-one"],
          [bare.clientId, null],
          [elsewhere.clientId, "sid-elsewhere"],
          [orphan.clientId, null],
        ];
        assert.deepEqual(told(await dueSignOuts(store)), expectedPairs.toSorted(), ending);
      }
    },
  );

  contract("a person's own choice of another profile, or signing out, queues nothing", async ({ store }) => {
    const { one, uid, account, profile } = await signedOn(store);
    await store.artifacts.revokeGrant(one.grantId);
    await store.accountsAtClients.select({ ...one, grantId: asGrantId(anId("grant")) }, NOW);
    const switched = aSelection({
      accountId: account.id,
      profileId: profile.id,
      sessionUid: uid,
      clientId: one.clientId,
    });
    await store.accountsAtClients.select(switched, one.expiresAt);
    assert.deepEqual(await dueSignOuts(store), []);
  });
}
