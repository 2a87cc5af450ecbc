import assert from "node:assert/strict";
import { asAccountId, asClientId, asGrantId, asProfileId, type GrantId } from "../../src/domain/ids.ts";
import type { Store } from "../../src/storage/contract.ts";
import { aClient, anId, aSelection, hashOf, NOW } from "../support/records.ts";
import { bind, bound, type Case, present, race, register, signIn } from "./harness.ts";

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

export function standingCases(contract: Case): void {
  contract(
    "a standing holds memberships, selection, remembered choice and the last identity",
    async ({ store }) => {
      const { account, identity, selection, first, second } = await twoProfiles(store);
      await bound(store);
      await store.directory.putProfile({ ...second, enabled: false }, "admin:7", NOW);
      await store.standings.select(selection, NOW);
      await store.accounts.signIn(identity, NOW + 77);
      const standing = present(
        await store.standings.forClient(account.id, selection.clientId, selection.sessionUid, NOW),
      );
      const ids = [first.id, second.id].sort();
      assert.deepEqual(standing, {
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

  contract("a standing is the client's and the session's own", async ({ store }) => {
    const { account, selection, first } = await twoProfiles(store);
    const { clientId, sessionUid } = selection;
    await store.standings.select(selection, NOW);
    const look = async (client: string, session: string | null, now = NOW) => {
      const standing = present(await store.standings.forClient(account.id, asClientId(client), session, now));
      return [standing.current?.grantId ?? null, standing.rememberedProfileId];
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
    assert.deepEqual(await store.standings.forClient(stranger.account.id, clientId, sessionUid, NOW), {
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
    });
    assert.equal(
      await store.standings.forClient(asAccountId(anId("account")), clientId, sessionUid, NOW),
      undefined,
    );
  });

  contract("a grant's standing is its selection and profile, until it expires", async ({ store }) => {
    const { selection, first } = await twoProfiles(store);
    await store.standings.select(selection, NOW);
    const { grantId, expiresAt } = selection;
    const membership = await store.directory.membership(first.id);
    assert.deepEqual(await store.standings.forGrant(grantId, NOW), { selection, membership, replaces: [] });
    assert.ok(await store.standings.forGrant(grantId, expiresAt - 1));
    assert.equal(await store.standings.forGrant(grantId, expiresAt), undefined);
    assert.equal(await store.standings.forGrant(asGrantId(anId("grant")), NOW), undefined);
  });

  contract("a profile bound to nobody or to another can't be selected", async ({ store }) => {
    const { selection } = await twoProfiles(store);
    const other = await bound(store);
    const unbound = await register(store);
    const { accountId, clientId, sessionUid, grantId } = selection;
    for (const profileId of [other.profile.id, unbound.profile.id, anId("profile")]) {
      assert.equal(
        await store.standings.select({ ...selection, profileId: asProfileId(profileId) }, NOW),
        undefined,
      );
    }
    const standing = present(await store.standings.forClient(accountId, clientId, sessionUid, NOW));
    assert.deepEqual([standing.current, standing.rememberedProfileId], [null, null]);
    assert.equal(await store.standings.forGrant(grantId, NOW), undefined);
  });

  contract("choosing the same profile again keeps the grant", async ({ store }) => {
    const { selection } = await twoProfiles(store);
    const { grantId } = selection;
    assert.deepEqual(await store.standings.select(selection, NOW), { grantId, revokedGrants: [] });
    const alive = await withTokens(store, grantId);
    const again = { ...selection, grantId: asGrantId(anId("grant")) };
    assert.deepEqual(await store.standings.select(again, NOW + 1), { grantId, revokedGrants: [] });
    assert.deepEqual(await alive(), [true, true]);
    assert.equal(await store.standings.forGrant(asGrantId(again.grantId), NOW), undefined);
  });

  contract("a profile that nobody chose isn't remembered, nor does it replace what is", async ({ store }) => {
    const { selection } = await twoProfiles(store);
    const { accountId, clientId, sessionUid, profileId } = selection;
    const remembered = async () =>
      present(await store.standings.forClient(accountId, clientId, sessionUid, NOW)).rememberedProfileId;
    await store.standings.select(selection, NOW, { remember: false });
    assert.equal(await remembered(), null);
    await store.standings.select(selection, NOW, { remember: true });
    assert.equal(await remembered(), profileId);
  });

  contract("racers choosing one profile all get one grant", async (opened) => {
    const { selection } = await twoProfiles(opened.store);
    const grants = await race(opened, 60, (store) =>
      store.standings.select({ ...selection, grantId: asGrantId(anId("grant")) }, NOW),
    );
    assert.equal(new Set(grants.map((grant) => present(grant).grantId)).size, 1);
    assert.deepEqual(new Set(grants.flatMap((grant) => present(grant).revokedGrants)), new Set());
  });

  contract(
    "a switch makes a new grant beside the old one, whose tokens go on, and is remembered",
    async ({ store }) => {
      const { account, selection, first, second } = await twoProfiles(store);
      const { clientId, sessionUid } = selection;
      await store.standings.select(selection, NOW);
      const oldTokens = await withTokens(store, selection.grantId);
      const switched = { ...selection, grantId: asGrantId(anId("grant")), profileId: second.id };
      const made = { grantId: switched.grantId, revokedGrants: [] };
      assert.deepEqual(await store.standings.select(switched, NOW + 1), made);
      assert.deepEqual(await oldTokens(), [true, true]);
      const membership = await store.directory.membership(first.id);
      const old = await store.standings.forGrant(selection.grantId, NOW);
      assert.deepEqual(old, { selection, membership, replaces: [] });
      const fresh = present(await store.standings.forGrant(asGrantId(switched.grantId), NOW));
      assert.deepEqual(fresh.replaces, [selection.grantId]);
      const standing = present(await store.standings.forClient(account.id, clientId, sessionUid, NOW));
      assert.deepEqual([standing.current, standing.rememberedProfileId], [switched, second.id]);
    },
  );

  contract(
    "choosing back makes another grant, and what was replaced before waits for that",
    async ({ store }) => {
      const { account, selection, second } = await twoProfiles(store);
      const { clientId, sessionUid } = selection;
      const switched = { ...selection, grantId: asGrantId(anId("grant")), profileId: second.id };
      const back = { ...selection, grantId: asGrantId(anId("grant")) };
      for (const one of [selection, switched, back]) await store.standings.select(one, NOW);
      const { replaces } = present(await store.standings.forGrant(asGrantId(back.grantId), NOW));
      assert.deepEqual(new Set(replaces), new Set([selection.grantId, switched.grantId]));
      assert.deepEqual(
        present(await store.standings.forGrant(asGrantId(switched.grantId), NOW)).replaces,
        [],
      );
      const standing = present(await store.standings.forClient(account.id, clientId, sessionUid, NOW));
      assert.equal(standing.current?.grantId, back.grantId);
    },
  );

  contract(
    "another session's and another client's selections are replaced by none but their own",
    async ({ store }) => {
      const { account, selection, second } = await twoProfiles(store);
      const others = [{ sessionUid: anId("session") }, { clientId: asClientId(anId("client")) }].map(
        (change) => ({
          ...selection,
          ...change,
          grantId: asGrantId(anId("grant")),
        }),
      );
      for (const one of [selection, ...others]) await store.standings.select(one, NOW);
      const switched = { ...selection, grantId: asGrantId(anId("grant")), profileId: second.id };
      await store.standings.select(switched, NOW);
      assert.deepEqual(present(await store.standings.forGrant(asGrantId(switched.grantId), NOW)).replaces, [
        selection.grantId,
      ]);
      for (const { clientId, sessionUid, grantId } of others) {
        const standing = present(
          await store.standings.forClient(account.id, asClientId(clientId), sessionUid, NOW),
        );
        assert.equal(standing.current?.grantId, grantId);
      }
    },
  );

  contract(
    "what the person didn't choose takes no other selection's place, and changes nothing",
    async ({ store }) => {
      const { account, selection, second } = await twoProfiles(store);
      const { clientId, sessionUid, grantId, expiresAt } = selection;
      const unasked = { ...selection, grantId: asGrantId(anId("grant")), profileId: second.id };
      await store.standings.select(selection, NOW, { remember: false, byHand: false });
      assert.equal(await store.standings.select(unasked, NOW, { byHand: false }), undefined);
      const standing = present(await store.standings.forClient(account.id, clientId, sessionUid, NOW));
      assert.deepEqual([standing.current, standing.rememberedProfileId], [selection, null]);
      assert.equal(await store.standings.forGrant(asGrantId(unasked.grantId), NOW), undefined);
      const again = { ...selection, grantId: asGrantId(anId("grant")) };
      const kept = await store.standings.select(again, NOW, { remember: false, byHand: false });
      assert.deepEqual(kept, { grantId, revokedGrants: [] });
      // One that has expired is nobody's choice any more.
      const later = { ...unasked, expiresAt: expiresAt + 1000 };
      assert.ok(await store.standings.select(later, expiresAt, { remember: false, byHand: false }));
    },
  );

  contract(
    "of racers that switch at once one is current, and redeeming its code ends the others",
    async (opened) => {
      const { store } = opened;
      const { account, selection, first, second } = await twoProfiles(store);
      const { clientId, sessionUid } = selection;
      await store.standings.select(selection, NOW);
      const chosen = await race(opened, 20, (racer, index) => {
        const profileId = index % 3 === 0 ? first.id : second.id;
        return racer.standings.select(
          { ...selection, grantId: asGrantId(anId("grant")), profileId },
          NOW + index,
        );
      });
      const grants = new Set([selection.grantId, ...chosen.map((one) => present(one).grantId)]);
      const standing = present(await store.standings.forClient(account.id, clientId, sessionUid, NOW));
      const current = present(standing.current).grantId;
      const { replaces } = present(await store.standings.forGrant(current, NOW));
      assert.deepEqual(new Set([current, ...replaces]), grants);
      const code = hashOf(anId("code"));
      await store.artifacts.upsert("AuthorizationCode", code, {}, { grantId: current }, NOW + 9999);
      const consumed = await race(opened, 20, (racer) =>
        racer.artifacts.consume("AuthorizationCode", code, NOW, { ends: replaces }),
      );
      assert.equal(consumed.filter(Boolean).length, 1);
      for (const grantId of grants) {
        assert.equal((await store.standings.forGrant(grantId, NOW)) !== undefined, grantId === current);
      }
    },
  );

  contract(
    "where a switch is ended before its code was redeemed, what it replaced is current again",
    async (opened) => {
      const { store } = opened;
      const { account, selection, second } = await twoProfiles(store);
      const { clientId, sessionUid, grantId } = selection;
      await store.standings.select(selection, NOW);
      const oldTokens = await withTokens(store, grantId);
      const switched = { ...selection, grantId: asGrantId(anId("grant")), profileId: second.id };
      await store.standings.select(switched, NOW);
      await store.directory.putProfile({ ...second, enabled: false }, "admin:7", NOW);
      const current = async () =>
        present(await store.standings.forClient(account.id, clientId, sessionUid, NOW)).current?.grantId;
      assert.equal(await current(), grantId);
      assert.deepEqual(await oldTokens(), [true, true]);
      const again = await store.standings.select({ ...selection, grantId: asGrantId(anId("grant")) }, NOW);
      assert.deepEqual(again, { grantId, revokedGrants: [] });
      await store.artifacts.revokeGrant(asGrantId(switched.grantId), { signIn: { sessionUid, clientId } });
      assert.deepEqual(
        [await oldTokens(), await current()],
        [[false, false], undefined],
        "the end of a session ends it",
      );
    },
  );

  contract(
    "whatever ends a profile's, a client's or a session's grants finds those that were replaced",
    async (opened) => {
      const { store } = opened;
      for (const ending of ["unbind", "profile", "organization", "grant", "session"] as const) {
        const { account, selection, first, second } = await twoProfiles(store);
        const { grantId, sessionUid, clientId } = selection;
        const uid = { uid: sessionUid, accountId: account.id, removed: [] };
        const authorizations = { [clientId]: { sid: `sid-${ending}`, grantId } };
        await store.artifacts.upsertSession(hashOf(sessionUid), {}, { ...uid, authorizations }, NOW + 9999);
        await store.standings.select(selection, NOW);
        const oldTokens = await withTokens(store, grantId);
        const switched = { ...selection, grantId: asGrantId(anId("grant")), profileId: second.id };
        await store.standings.select(switched, NOW);
        const newTokens = await withTokens(store, asGrantId(switched.grantId));
        const by = { actor: "admin:7", now: NOW };
        const { organization } = present(await store.directory.membership(first.id));
        if (ending === "unbind") await store.links.unbind(first.id, "admin:7", NOW);
        if (ending === "profile")
          await store.directory.putProfile({ ...first, enabled: false }, "admin:7", NOW);
        if (ending === "organization")
          await store.directory.putOrganization({ ...organization, enabled: false }, "admin:7", NOW);
        if (ending === "grant") await store.administration.apply({ kind: "revoke_grant", grantId }, by);
        if (ending === "session") await store.administration.apply({ kind: "end_session", sessionUid }, by);
        assert.deepEqual(await oldTokens(), [false, false], ending);
        assert.deepEqual(await newTokens(), ending === "session" ? [false, false] : [true, true], ending);
        const told = [];
        for (;;) {
          const next = await store.administration.claimSignOut("worker", NOW, 9999);
          if (next === undefined) break;
          told.push([next.clientId, next.sid]);
          await store.administration.settleSignOut(next.id, "worker", null);
        }
        assert.deepEqual(told, [[clientId, `sid-${ending}`]], `${ending}: once for each client`);
      }
    },
  );

  contract(
    "a client that goes takes the replaced selections along, and lists show them meanwhile",
    async ({ store }) => {
      const client = aClient({ managedBy: "admin" });
      const by = { actor: "admin:7", now: NOW };
      await store.administration.apply({ kind: "register_client", client }, by);
      const { account, selection: bare, second } = await twoProfiles(store);
      const selection = { ...bare, clientId: client.id };
      await store.standings.select(selection, NOW);
      const oldTokens = await withTokens(store, selection.grantId);
      const switched = { ...selection, grantId: asGrantId(anId("grant")), profileId: second.id };
      await store.standings.select(switched, NOW);
      const listed = await store.administration.grants(
        { accountId: account.id },
        { after: null, limit: 9 },
        NOW,
      );
      assert.deepEqual(new Set(listed.items), new Set([selection, switched]));
      await store.administration.apply({ kind: "remove_client", clientId: client.id }, by);
      assert.deepEqual(await oldTokens(), [false, false]);
      assert.equal(await store.standings.forGrant(asGrantId(switched.grantId), NOW), undefined);
    },
  );

  contract("an expired selection is replaced by a new grant, of the same profile too", async ({ store }) => {
    const { selection } = await twoProfiles(store);
    await store.standings.select(selection, NOW);
    const later = { ...selection, grantId: asGrantId(anId("grant")), expiresAt: selection.expiresAt + 1000 };
    assert.deepEqual(await store.standings.select(later, selection.expiresAt), {
      grantId: later.grantId,
      revokedGrants: [],
    });
    assert.equal(await store.standings.forGrant(selection.grantId, NOW), undefined);
    const { replaces } = present(await store.standings.forGrant(asGrantId(later.grantId), NOW));
    assert.deepEqual(replaces, [], "nothing is left of it to end later");
  });

  contract("a selection of another account in the same session ends at once", async ({ store }) => {
    const { selection } = await twoProfiles(store);
    await store.standings.select(selection, NOW);
    const tokens = await withTokens(store, selection.grantId);
    const other = await bound(store);
    const theirs = {
      ...selection,
      grantId: asGrantId(anId("grant")),
      accountId: other.account.id,
      profileId: other.profile.id,
    };
    const made = { grantId: theirs.grantId, revokedGrants: [selection.grantId] };
    assert.deepEqual(await store.standings.select(theirs, NOW, { byHand: false }), made);
    assert.deepEqual(await tokens(), [false, false]);
  });

  contract("after an unlink the grant speaks for nobody", async ({ store }) => {
    const { account, selection, first } = await twoProfiles(store);
    await store.standings.select(selection, NOW);
    await store.links.unbind(first.id, "admin:7", NOW, account.id);
    assert.equal(await store.standings.forGrant(selection.grantId, NOW), undefined);
    assert.equal(await store.standings.select(selection, NOW), undefined);
  });
}
