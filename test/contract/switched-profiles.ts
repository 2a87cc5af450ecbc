/** Switches of profile in one session: what is replaced, and what waits until the new code is redeemed. */

import assert from "node:assert/strict";
import { asClientId, asGrantId } from "../../src/domain/ids.ts";
import { aClient, anId, hashOf, NOW } from "../support/records.ts";
import { twoProfiles, withTokens } from "./accounts-at-clients.ts";
import { type Case, present, race } from "./back-end.ts";

export function switchedProfileCases(contract: Case): void {
  contract(
    "a switch makes a new grant beside the old one, whose tokens go on, and is remembered",
    async ({ store }) => {
      const { account, selection, first, second } = await twoProfiles(store);
      const { clientId, sessionUid } = selection;
      await store.accountsAtClients.select(selection, NOW);
      const oldTokens = await withTokens(store, selection.grantId);
      const switched = { ...selection, grantId: asGrantId(anId("grant")), profileId: second.id };
      const made = { grantId: switched.grantId, revokedGrants: [] };
      assert.deepEqual(await store.accountsAtClients.select(switched, NOW + 1), made);
      assert.deepEqual(await oldTokens(), [true, true]);
      const membership = await store.directory.membership(first.id);
      const old = await store.accountsAtClients.forGrant(selection.grantId, NOW);
      assert.deepEqual(old, { selection, membership, replaces: [] });
      const fresh = present(await store.accountsAtClients.forGrant(asGrantId(switched.grantId), NOW));
      assert.deepEqual(fresh.replaces, [selection.grantId]);
      const accountAtClient = present(
        await store.accountsAtClients.forClient(account.id, clientId, sessionUid, NOW),
      );
      assert.deepEqual([accountAtClient.current, accountAtClient.rememberedProfileId], [switched, second.id]);
    },
  );

  contract(
    "choosing back makes another grant, and what was replaced before waits for that",
    async ({ store }) => {
      const { account, selection, second } = await twoProfiles(store);
      const { clientId, sessionUid } = selection;
      const switched = { ...selection, grantId: asGrantId(anId("grant")), profileId: second.id };
      const back = { ...selection, grantId: asGrantId(anId("grant")) };
      for (const one of [selection, switched, back]) await store.accountsAtClients.select(one, NOW);
      const { replaces } = present(await store.accountsAtClients.forGrant(asGrantId(back.grantId), NOW));
      assert.deepEqual(new Set(replaces), new Set([selection.grantId, switched.grantId]));
      assert.deepEqual(
        present(await store.accountsAtClients.forGrant(asGrantId(switched.grantId), NOW)).replaces,
        [],
      );
      const accountAtClient = present(
        await store.accountsAtClients.forClient(account.id, clientId, sessionUid, NOW),
      );
      assert.equal(accountAtClient.current?.grantId, back.grantId);
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
      for (const one of [selection, ...others]) await store.accountsAtClients.select(one, NOW);
      const switched = { ...selection, grantId: asGrantId(anId("grant")), profileId: second.id };
      await store.accountsAtClients.select(switched, NOW);
      assert.deepEqual(
        present(await store.accountsAtClients.forGrant(asGrantId(switched.grantId), NOW)).replaces,
        [selection.grantId],
      );
      for (const { clientId, sessionUid, grantId } of others) {
        const accountAtClient = present(
          await store.accountsAtClients.forClient(account.id, asClientId(clientId), sessionUid, NOW),
        );
        assert.equal(accountAtClient.current?.grantId, grantId);
      }
    },
  );

  contract(
    "what the person didn't choose takes no other selection's place, and changes nothing",
    async ({ store }) => {
      const { account, selection, second } = await twoProfiles(store);
      const { clientId, sessionUid, grantId, expiresAt } = selection;
      const unasked = { ...selection, grantId: asGrantId(anId("grant")), profileId: second.id };
      await store.accountsAtClients.select(selection, NOW, { remember: false, byHand: false });
      assert.equal(await store.accountsAtClients.select(unasked, NOW, { byHand: false }), undefined);
      const accountAtClient = present(
        await store.accountsAtClients.forClient(account.id, clientId, sessionUid, NOW),
      );
      assert.deepEqual([accountAtClient.current, accountAtClient.rememberedProfileId], [selection, null]);
      assert.equal(await store.accountsAtClients.forGrant(asGrantId(unasked.grantId), NOW), undefined);
      const again = { ...selection, grantId: asGrantId(anId("grant")) };
      const kept = await store.accountsAtClients.select(again, NOW, { remember: false, byHand: false });
      assert.deepEqual(kept, { grantId, revokedGrants: [] });
      // One that has expired is nobody's choice any more.
      const later = { ...unasked, expiresAt: expiresAt + 1000 };
      assert.ok(await store.accountsAtClients.select(later, expiresAt, { remember: false, byHand: false }));
    },
  );

  contract(
    "of racers that switch at once one is current, and redeeming its code ends the others",
    async (opened) => {
      const { store } = opened;
      const { account, selection, first, second } = await twoProfiles(store);
      const { clientId, sessionUid } = selection;
      await store.accountsAtClients.select(selection, NOW);
      const chosen = await race(opened, 20, (racer, index) => {
        const profileId = index % 3 === 0 ? first.id : second.id;
        return racer.accountsAtClients.select(
          { ...selection, grantId: asGrantId(anId("grant")), profileId },
          NOW + index,
        );
      });
      const grants = new Set([selection.grantId, ...chosen.map((one) => present(one).grantId)]);
      const accountAtClient = present(
        await store.accountsAtClients.forClient(account.id, clientId, sessionUid, NOW),
      );
      const current = present(accountAtClient.current).grantId;
      const { replaces } = present(await store.accountsAtClients.forGrant(current, NOW));
      assert.deepEqual(new Set([current, ...replaces]), grants);
      const code = hashOf(anId("code"));
      await store.artifacts.upsert("AuthorizationCode", code, {}, { grantId: current }, NOW + 9999);
      const consumed = await race(opened, 20, (racer) =>
        racer.artifacts.consume("AuthorizationCode", code, NOW, { ends: replaces }),
      );
      assert.equal(consumed.filter(Boolean).length, 1);
      for (const grantId of grants) {
        assert.equal(
          (await store.accountsAtClients.forGrant(grantId, NOW)) !== undefined,
          grantId === current,
        );
      }
    },
  );

  contract(
    "where a switch is ended before its code was redeemed, what it replaced is current again",
    async (opened) => {
      const { store } = opened;
      const { account, selection, second } = await twoProfiles(store);
      const { clientId, sessionUid, grantId } = selection;
      await store.accountsAtClients.select(selection, NOW);
      const oldTokens = await withTokens(store, grantId);
      const switched = { ...selection, grantId: asGrantId(anId("grant")), profileId: second.id };
      await store.accountsAtClients.select(switched, NOW);
      await store.directory.putProfile({ ...second, enabled: false }, "admin:7", NOW);
      const current = async () =>
        present(await store.accountsAtClients.forClient(account.id, clientId, sessionUid, NOW)).current
          ?.grantId;
      assert.equal(await current(), grantId);
      assert.deepEqual(await oldTokens(), [true, true]);
      const again = await store.accountsAtClients.select(
        { ...selection, grantId: asGrantId(anId("grant")) },
        NOW,
      );
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
        await store.accountsAtClients.select(selection, NOW);
        const oldTokens = await withTokens(store, grantId);
        const switched = { ...selection, grantId: asGrantId(anId("grant")), profileId: second.id };
        await store.accountsAtClients.select(switched, NOW);
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
      await store.accountsAtClients.select(selection, NOW);
      const oldTokens = await withTokens(store, selection.grantId);
      const switched = { ...selection, grantId: asGrantId(anId("grant")), profileId: second.id };
      await store.accountsAtClients.select(switched, NOW);
      const listed = await store.administration.grants(
        { accountId: account.id },
        { after: null, limit: 9 },
        NOW,
      );
      assert.deepEqual(new Set(listed.items), new Set([selection, switched]));
      await store.administration.apply({ kind: "remove_client", clientId: client.id }, by);
      assert.deepEqual(await oldTokens(), [false, false]);
      assert.equal(await store.accountsAtClients.forGrant(asGrantId(switched.grantId), NOW), undefined);
    },
  );
}
