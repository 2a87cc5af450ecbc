/** Cases of selections being switched when one of them ends: what goes on, and what portals are told. */

import assert from "node:assert/strict";
import { asClientId, asGrantId, asProfileId } from "../../src/domain/ids.ts";
import type { Selection } from "../../src/domain/records.ts";
import type { Store } from "../../src/storage/contract.ts";
import { anId, anOrganization, aProfile, aSelection, hashOf, NOW } from "../support/records.ts";
import { twoProfiles, withTokens } from "./accounts-at-clients.ts";
import { bind, bound, type Case, present, race, register } from "./back-end.ts";

const BY = { actor: "admin:7", now: NOW };

/**
 * A person with three bound profiles who went from the first to the second to the third, and redeemed the
 * first's code alone.
 */
async function threeSwitched(store: Store, lastExpiresAt?: number) {
  const { account, identity, selection: home, first, second } = await twoProfiles(store);
  const { profile: last } = await register(store);
  await bind(store, { account, identity }, last.id);
  const other = {
    ...home,
    grantId: asGrantId(anId("grant")),
    profileId: second.id,
    expiresAt: home.expiresAt + 1,
  };
  const expiresAt = lastExpiresAt ?? home.expiresAt + 2;
  const third = { ...home, grantId: asGrantId(anId("grant")), profileId: last.id, expiresAt };
  const { sessionUid, clientId } = home;
  const session = { uid: sessionUid, accountId: account.id, removed: [] };
  const authorizations = { [clientId]: { sid: `sid-of-${sessionUid}`, grantId: third.grantId } };
  await store.artifacts.upsertSession(hashOf(sessionUid), {}, { ...session, authorizations }, NOW + 9999);
  for (const one of [home, other, third]) await store.accountsAtClients.select(one, NOW);
  const alive = await withTokens(store, home.grantId);
  const current = async () =>
    present(await store.accountsAtClients.forClient(account.id, clientId, sessionUid, NOW)).current?.grantId;
  return {
    account,
    home,
    other,
    third,
    profiles: { home: first, other: second, third: last },
    alive,
    current,
  };
}

/** Issues a code of the grant and redeems it, as a portal does. */
async function redeem(store: Store, { grantId }: Selection) {
  const code = hashOf(anId("code"));
  await store.artifacts.upsert("AuthorizationCode", code, {}, { grantId }, NOW + 9999);
  const { replaces: ends } = present(await store.accountsAtClients.forGrant(grantId, NOW));
  assert.equal(await store.artifacts.consume("AuthorizationCode", code, NOW, { ends }), true);
}

/** The ids by which portals are told of ended sign-ins, each taken off the queue. */
async function told(store: Store) {
  const sids = [];
  for (;;) {
    const next = await store.administration.claimSignOut("worker", NOW, 9999);
    if (next === undefined) return sids;
    sids.push(next.sid);
    await store.administration.settleSignOut(next.id, "worker", null);
  }
}

/** Of the grants of one sign-in that go on one is current, and it replaces all the others. */
async function assertOneCurrent(
  store: Store,
  { accountId, clientId, sessionUid }: Selection,
  grants: string[],
) {
  const accountAtClient = present(
    await store.accountsAtClients.forClient(accountId, clientId, sessionUid, NOW),
  );
  const { grantId } = present(accountAtClient.current);
  const left = await Promise.all(grants.map((id) => store.accountsAtClients.forGrant(asGrantId(id), NOW)));
  const alive = left.filter((one) => one !== undefined);
  const others = alive.map(({ selection }) => selection.grantId).filter((id) => id !== grantId);
  for (const one of alive) {
    const isCurrent = one.selection.grantId === grantId;
    assert.deepEqual(new Set(one.replaces), new Set(isCurrent ? others : []));
  }
}

export function switchCases(contract: Case): void {
  for (const ending of ["profile", "organization", "unbind", "grant", "portal", "sweep"] as const) {
    contract(
      `what a grant replaced goes on when it is ended, and its newest ends the rest: ${ending}`,
      async (opened) => {
        const { store } = opened;
        const switched = await threeSwitched(store, ending === "sweep" ? NOW + 5 : undefined);
        const { home, other, third, profiles } = switched;
        const { organization } = present(await store.directory.membership(third.profileId));
        if (ending === "profile")
          await store.directory.putProfile({ ...profiles.third, enabled: false }, "admin:7", NOW);
        if (ending === "organization")
          await store.directory.putOrganization({ ...organization, enabled: false }, "admin:7", NOW);
        if (ending === "unbind") await store.links.unbind(third.profileId, "admin:7", NOW);
        if (ending === "grant")
          await store.administration.apply({ kind: "revoke_grant", grantId: asGrantId(third.grantId) }, BY);
        if (ending === "portal") await store.artifacts.revokeGrant(asGrantId(third.grantId));
        if (ending === "sweep") await store.sweep(third.expiresAt);
        assert.equal(await store.accountsAtClients.forGrant(asGrantId(third.grantId), NOW), undefined);
        assert.equal(await switched.current(), other.grantId);
        assert.deepEqual(
          present(await store.accountsAtClients.forGrant(asGrantId(other.grantId), NOW)).replaces,
          [home.grantId],
        );
        assert.deepEqual(present(await store.accountsAtClients.forGrant(home.grantId, NOW)).replaces, []);
        assert.deepEqual(await switched.alive(), [true, true]);
        await redeem(store, other);
        assert.deepEqual(await switched.alive(), [false, false]);
        assert.equal(await store.accountsAtClients.forGrant(home.grantId, NOW), undefined);
        assert.equal(await switched.current(), other.grantId);
      },
    );
  }

  contract(
    "what was switched to again and again ends at once, and what was there before goes on",
    async ({ store }) => {
      const { home, other, third, ...switched } = await threeSwitched(store);
      const organization = anOrganization();
      await store.directory.putOrganization(organization, "admin:seed", NOW);
      const { account, identity } = await bound(store);
      const elsewhere = aSelection({ accountId: account.id });
      const profiles = [];
      for (let index = 0; index < 2; index += 1) {
        const email = `${index}@litware.example`;
        const profile = aProfile({ organizationId: organization.id, email, emailKey: email });
        await store.directory.putProfile(profile, "admin:seed", NOW);
        await bind(store, { account, identity }, profile.id);
        profiles.push(profile.id);
      }
      const { profile: stays } = await register(store);
      await bind(store, { account, identity }, stays.id);
      const before = { ...elsewhere, profileId: stays.id };
      await store.accountsAtClients.select(before, NOW);
      const grants = [before.grantId];
      for (let index = 1; index <= 40; index += 1) {
        const grantId = asGrantId(anId("grant"));
        const profileId = asProfileId(profiles[index % 2] ?? "");
        await store.accountsAtClients.select(
          { ...before, grantId, profileId, expiresAt: before.expiresAt + index },
          NOW,
        );
        grants.push(grantId);
      }
      const ended = await store.directory.putOrganization(
        { ...organization, enabled: false },
        "admin:7",
        NOW,
      );
      assert.equal(ended.revokedGrants.length, 40);
      await assertOneCurrent(store, before, grants);
      assert.deepEqual(present(await store.accountsAtClients.forGrant(before.grantId, NOW)).replaces, []);
      const again = await store.accountsAtClients.select(
        { ...before, grantId: asGrantId(anId("grant")) },
        NOW,
        {
          byHand: false,
        },
      );
      assert.deepEqual(again, { grantId: before.grantId, revokedGrants: [] });
      assert.equal(await switched.current(), third.grantId, "another session's is left as it is");
      const { replaces } = present(await store.accountsAtClients.forGrant(asGrantId(third.grantId), NOW));
      assert.deepEqual(new Set(replaces), new Set([home.grantId, other.grantId]));
    },
  );

  contract("who switches while what was switched to is ended comes to one current grant", async (opened) => {
    const { store } = opened;
    const { home, other, third, profiles } = await threeSwitched(store);
    const grants = [home, other, third].map(({ grantId }) => grantId);
    await race(opened, 12, async (racer, index) => {
      if (index === 5) {
        await racer.directory.putProfile({ ...profiles.third, enabled: false }, "admin:7", NOW);
      } else if (index % 4 === 1) {
        const newest = asGrantId(grants.at(-1) ?? "");
        await racer.artifacts.revokeGrant(newest);
      } else {
        const grantId = asGrantId(anId("grant"));
        grants.push(grantId);
        const profileId = index % 2 === 0 ? home.profileId : other.profileId;
        await racer.accountsAtClients.select(
          { ...home, grantId, profileId, expiresAt: home.expiresAt + 10 + index },
          NOW,
        );
      }
    });
    await assertOneCurrent(store, home, grants);
  });

  contract(
    "signing out ends all that the session has at the client, though what it names was ended",
    async (opened) => {
      const { store } = opened;
      const { home, other, third, profiles, ...switched } = await threeSwitched(store);
      const elsewhere = [{ sessionUid: anId("session") }, { clientId: asClientId(anId("client")) }].map(
        (change) => {
          return { ...home, ...change, grantId: asGrantId(anId("grant")) };
        },
      );
      for (const one of elsewhere) await store.accountsAtClients.select(one, NOW);
      await store.directory.putProfile({ ...profiles.third, enabled: false }, "admin:7", NOW);
      const { sessionUid, clientId } = home;
      await store.artifacts.revokeGrant(asGrantId(third.grantId), { signIn: { sessionUid, clientId } });
      assert.deepEqual(await switched.alive(), [false, false]);
      for (const { grantId } of [home, other])
        assert.equal(await store.accountsAtClients.forGrant(asGrantId(grantId), NOW), undefined);
      for (const { grantId } of elsewhere)
        assert.ok(await store.accountsAtClients.forGrant(asGrantId(grantId), NOW));
    },
  );

  contract("a portal isn't told that a switch ended which it never took up", async ({ store }) => {
    const { home, other, third, profiles, ...switched } = await threeSwitched(store);
    await store.artifacts.upsert(
      "AuthorizationCode",
      hashOf(anId("code")),
      {},
      { grantId: asGrantId(third.grantId) },
      NOW + 9999,
    );
    await store.directory.putProfile({ ...profiles.third, enabled: false }, "admin:7", NOW);
    await store.links.unbind(other.profileId, "admin:7", NOW);
    assert.deepEqual(await told(store), []);
    assert.deepEqual([await switched.alive(), await switched.current()], [[true, true], home.grantId]);
    await store.directory.putProfile({ ...profiles.home, enabled: false }, "admin:7", NOW);
    assert.deepEqual(await told(store), [`sid-of-${home.sessionUid}`]);
  });

  contract("a portal is told of what it is on, whatever waits to take its place", async ({ store }) => {
    const { home, profiles } = await threeSwitched(store);
    await store.directory.putProfile({ ...profiles.home, enabled: false }, "admin:7", NOW);
    assert.deepEqual(await told(store), [`sid-of-${home.sessionUid}`]);
  });

  contract("a portal is told of what it took up though another was chosen meanwhile", async ({ store }) => {
    const { home, other, profiles } = await threeSwitched(store);
    await redeem(store, other);
    await store.directory.putProfile({ ...profiles.other, enabled: false }, "admin:7", NOW);
    assert.deepEqual(await told(store), [`sid-of-${home.sessionUid}`]);
  });

  contract(
    "a portal is told once of all that a session has there, and where nothing shows what it is on",
    async (opened) => {
      const { store } = opened;
      const ended = await threeSwitched(store);
      await store.administration.apply({ kind: "end_session", sessionUid: ended.home.sessionUid }, BY);
      assert.deepEqual(await told(store), [`sid-of-${ended.home.sessionUid}`]);
      const { selection, second } = await twoProfiles(store);
      for (const profileId of [selection.profileId, second.id]) {
        await store.accountsAtClients.select(
          { ...selection, grantId: asGrantId(anId("grant")), profileId },
          NOW,
        );
      }
      await store.directory.putProfile({ ...second, enabled: false }, "admin:7", NOW);
      assert.equal((await told(store)).length, 1);
    },
  );
}
