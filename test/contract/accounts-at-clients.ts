/** What an account is at one client: its memberships, its selection there, and what was chosen last. */

import assert from "node:assert/strict";
import { asAccountId, asClientId, asGrantId, asProfileId, type GrantId } from "../../src/domain/ids.ts";
import type { Store } from "../../src/storage/contract.ts";
import { anId, aSelection, hashOf, NOW } from "../support/records.ts";
import { bind, bound, type Case, present, race, register, signIn } from "./back-end.ts";

/** A person with two bound profiles, and a selection of the first that nobody stored yet. */
export async function twoProfiles(store: Store) {
  const { profile, account, identity } = await bound(store);
  const second = await register(store);
  await bind(store, { account, identity }, second.profile.id);
  const selection = aSelection({ accountId: account.id, profileId: profile.id });
  return { account, identity, selection, first: profile, second: second.profile };
}

/** Stores a token and the grant of a selection; tells whether both are still there. */
export async function withTokens(store: Store, grantId: GrantId) {
  const token = hashOf(anId("token"));
  await store.artifacts.upsert("RefreshToken", token, { a: 1 }, { grantId }, NOW + 9999);
  await store.artifacts.upsert("Grant", hashOf(grantId), { a: 1 }, { grantId }, NOW + 9999);
  return async () => {
    const token_ = await store.artifacts.find("RefreshToken", token, NOW);
    const grant = await store.artifacts.find("Grant", hashOf(grantId), NOW);
    return [token_ !== undefined, grant !== undefined];
  };
}

export function accountAtClientCases(contract: Case): void {
  contract(
    "an account at a client holds memberships, selection, remembered choice and the last identity",
    async ({ store }) => {
      const { account, identity, selection, first, second } = await twoProfiles(store);
      await bound(store);
      await store.directory.putProfile({ ...second, enabled: false }, "admin:7", NOW);
      await store.accountsAtClients.select(selection, NOW);
      await store.accounts.signIn(identity, NOW + 77);
      const accountAtClient = present(
        await store.accountsAtClients.forClient(account.id, selection.clientId, selection.sessionUid, NOW),
      );
      const ids = [first.id, second.id].sort();
      assert.deepEqual(accountAtClient, {
        accountId: account.id,
        memberships: await Promise.all(ids.map((id) => store.directory.membership(id))),
        current: selection,
        rememberedProfileId: first.id,
        identity: {
          ...identity,
          emailVerified: false,
          accountId: account.id,
          createdAt: account.createdAt,
          lastSignInAt: NOW + 77,
        },
      });
    },
  );

  contract("an account at a client is the client's and the session's own", async ({ store }) => {
    const { account, selection, first } = await twoProfiles(store);
    const { clientId, sessionUid } = selection;
    await store.accountsAtClients.select(selection, NOW);
    const look = async (client: string, session: string | null, now = NOW) => {
      const accountAtClient = present(
        await store.accountsAtClients.forClient(account.id, asClientId(client), session, now),
      );
      return [accountAtClient.current?.grantId ?? null, accountAtClient.rememberedProfileId];
    };
    assert.deepEqual(await look(clientId, sessionUid), [selection.grantId, first.id]);
    assert.deepEqual(await look(clientId, null), [null, first.id]);
    assert.deepEqual(await look(clientId, anId("session")), [null, first.id]);
    assert.deepEqual(await look(anId("client"), sessionUid), [null, null]);
    assert.deepEqual(await look(clientId, sessionUid, selection.expiresAt - 1), [
      selection.grantId,
      first.id,
    ]);
    assert.deepEqual(await look(clientId, sessionUid, selection.expiresAt), [null, first.id]);
    const stranger = await signIn(store);
    assert.deepEqual(
      await store.accountsAtClients.forClient(stranger.account.id, clientId, sessionUid, NOW),
      {
        accountId: stranger.account.id,
        memberships: [],
        current: null,
        rememberedProfileId: null,
        identity: {
          ...stranger.identity,
          emailVerified: false,
          accountId: stranger.account.id,
          createdAt: stranger.account.createdAt,
          lastSignInAt: stranger.account.createdAt,
        },
      },
    );
    assert.equal(
      await store.accountsAtClients.forClient(asAccountId(anId("account")), clientId, sessionUid, NOW),
      undefined,
    );
  });

  contract("a grant's standing is its selection and profile, until it expires", async ({ store }) => {
    const { selection, first } = await twoProfiles(store);
    await store.accountsAtClients.select(selection, NOW);
    const { grantId, expiresAt } = selection;
    const membership = await store.directory.membership(first.id);
    assert.deepEqual(await store.accountsAtClients.forGrant(grantId, NOW), {
      selection,
      membership,
      replaces: [],
    });
    assert.ok(await store.accountsAtClients.forGrant(grantId, expiresAt - 1));
    assert.equal(await store.accountsAtClients.forGrant(grantId, expiresAt), undefined);
    assert.equal(await store.accountsAtClients.forGrant(asGrantId(anId("grant")), NOW), undefined);
  });

  contract("a profile bound to nobody or to another can't be selected", async ({ store }) => {
    const { selection } = await twoProfiles(store);
    const other = await bound(store);
    const unbound = await register(store);
    const { accountId, clientId, sessionUid, grantId } = selection;
    for (const profileId of [other.profile.id, unbound.profile.id, anId("profile")]) {
      assert.equal(
        await store.accountsAtClients.select({ ...selection, profileId: asProfileId(profileId) }, NOW),
        undefined,
      );
    }
    const accountAtClient = present(
      await store.accountsAtClients.forClient(accountId, clientId, sessionUid, NOW),
    );
    assert.deepEqual([accountAtClient.current, accountAtClient.rememberedProfileId], [null, null]);
    assert.equal(await store.accountsAtClients.forGrant(grantId, NOW), undefined);
  });

  contract("choosing the same profile again keeps the grant", async ({ store }) => {
    const { selection } = await twoProfiles(store);
    const { grantId } = selection;
    assert.deepEqual(await store.accountsAtClients.select(selection, NOW), { grantId, revokedGrants: [] });
    const alive = await withTokens(store, grantId);
    const again = { ...selection, grantId: asGrantId(anId("grant")) };
    assert.deepEqual(await store.accountsAtClients.select(again, NOW + 1), { grantId, revokedGrants: [] });
    assert.deepEqual(await alive(), [true, true]);
    assert.equal(await store.accountsAtClients.forGrant(asGrantId(again.grantId), NOW), undefined);
  });

  contract("a profile that nobody chose isn't remembered, nor does it replace what is", async ({ store }) => {
    const { selection } = await twoProfiles(store);
    const { accountId, clientId, sessionUid, profileId } = selection;
    const remembered = async () =>
      present(await store.accountsAtClients.forClient(accountId, clientId, sessionUid, NOW))
        .rememberedProfileId;
    await store.accountsAtClients.select(selection, NOW, { remember: false });
    assert.equal(await remembered(), null);
    await store.accountsAtClients.select(selection, NOW, { remember: true });
    assert.equal(await remembered(), profileId);
  });

  contract("racers choosing one profile all get one grant", async (opened) => {
    const { selection } = await twoProfiles(opened.store);
    const grants = await race(opened, 60, (store) =>
      store.accountsAtClients.select({ ...selection, grantId: asGrantId(anId("grant")) }, NOW),
    );
    assert.equal(new Set(grants.map((grant) => present(grant).grantId)).size, 1);
    assert.deepEqual(new Set(grants.flatMap((grant) => present(grant).revokedGrants)), new Set());
  });

  contract("an expired selection is replaced by a new grant, of the same profile too", async ({ store }) => {
    const { selection } = await twoProfiles(store);
    await store.accountsAtClients.select(selection, NOW);
    const later = { ...selection, grantId: asGrantId(anId("grant")), expiresAt: selection.expiresAt + 1000 };
    assert.deepEqual(await store.accountsAtClients.select(later, selection.expiresAt), {
      grantId: later.grantId,
      revokedGrants: [],
    });
    assert.equal(await store.accountsAtClients.forGrant(selection.grantId, NOW), undefined);
    const { replaces } = present(await store.accountsAtClients.forGrant(asGrantId(later.grantId), NOW));
    assert.deepEqual(replaces, [], "nothing is left of it to end later");
  });

  contract("a selection of another account in the same session ends at once", async ({ store }) => {
    const { selection } = await twoProfiles(store);
    await store.accountsAtClients.select(selection, NOW);
    const tokens = await withTokens(store, selection.grantId);
    const other = await bound(store);
    const theirs = {
      ...selection,
      grantId: asGrantId(anId("grant")),
      accountId: other.account.id,
      profileId: other.profile.id,
    };
    const made = { grantId: theirs.grantId, revokedGrants: [selection.grantId] };
    assert.deepEqual(await store.accountsAtClients.select(theirs, NOW, { byHand: false }), made);
    assert.deepEqual(await tokens(), [false, false]);
  });

  contract("after an unlink the grant speaks for nobody", async ({ store }) => {
    const { account, selection, first } = await twoProfiles(store);
    await store.accountsAtClients.select(selection, NOW);
    await store.links.unbind(first.id, "admin:7", NOW, account.id);
    assert.equal(await store.accountsAtClients.forGrant(selection.grantId, NOW), undefined);
    assert.equal(await store.accountsAtClients.select(selection, NOW), undefined);
  });
}
