/**
 * Endings of more grants than go at once: decided for every reader by one small write, removed part by part,
 * told of once.
 */

import assert from "node:assert/strict";
import { MOST_AT_ONCE } from "../../src/domain/endings.ts";
import { asGrantId, asSecretHash } from "../../src/domain/ids.ts";
import { CONSOLE_CLIENT_ID, type Selection } from "../../src/domain/records.ts";
import {
  aClient,
  anId,
  anOrganization,
  aProfile,
  aSelection,
  hashOf,
  MINUTE,
  NOW,
} from "../support/records.ts";
import { apply, setRole } from "./administrator-fixture.ts";
import { bind, bound, type Case, present, race, register, type SignedIn, signIn } from "./back-end.ts";
import {
  assertEnded,
  editOf,
  endings,
  isTokenStored,
  manyGrants,
  redeemed,
  removeAll,
  told,
} from "./endings-fixture.ts";

const MANY = MOST_AT_ONCE + 13;
const LATER = NOW + 9999;

export function endingCases(contract: Case): void {
  for (const ending of endings) {
    contract(
      `many grants are ended at once for every reader, and never come back: ${ending.name}`,
      async (opened) => {
        const { store } = opened;
        const many = await manyGrants(store, MANY);
        const other = await opened.second();
        for (const { grantId } of many.selections)
          assert.ok(await other.accountsAtClients.forGrant(grantId, NOW));
        await ending.end(store, many);

        await assertEnded(other, many);
        await ending.revive(store, many);
        await assertEnded(other, many);
        const [first] = many.selections;
        const wanted = { ...present(first), grantId: asGrantId(anId("grant")) };
        const made = await other.accountsAtClients.select(wanted, NOW, { byHand: false });
        assert.deepEqual(made, { grantId: wanted.grantId, revokedGrants: [] });
        const holds = await redeemed(store, wanted);

        const removed = await removeAll(store, "worker", 7);
        const gone = many.selections.map(({ grantId }) => grantId);
        assert.deepEqual(new Set(removed.grants), new Set(gone));
        assert.equal(removed.grants.length, gone.length, "each once");
        assert.ok(removed.parts.length >= MANY / 7);
        for (const token of many.tokens)
          assert.equal(await store.artifacts.find("RefreshToken", asSecretHash(token), NOW), undefined);
        assert.equal(await holds(), true, "what was made after it goes on");
        assert.equal(
          present(await store.accountsAtClients.forGrant(asGrantId(wanted.grantId), NOW)).selection.grantId,
          wanted.grantId,
        );
        assert.equal(await store.administration.claimEnding("late", LATER, MINUTE), undefined);

        // The first one's session has the new grant there, which ending it now would tell of.
        const sids = ending.tells
          ? many.selections.slice(1).map(({ sessionUid }) => `sid-of-${sessionUid}`)
          : [];
        assert.deepEqual((await told(store)).map(({ sid }) => sid).toSorted(), sids.toSorted());
        const events = (await store.audit.list({ limit: 99 })).filter(ending.isItsEvent);
        assert.equal(events.length, 1, "audited once");
      },
    );
  }

  contract("so many go at once, and one more makes them go in the background", async ({ store }) => {
    const few = await manyGrants(store, MOST_AT_ONCE);
    const ended = await store.links.unbind(few.profile.id, "admin:7", NOW);
    assert.equal(ended?.revokedGrants.length, MOST_AT_ONCE);
    assert.equal(ended?.goesOn, undefined);
    assert.equal(await store.administration.claimEnding("worker", LATER, MINUTE), undefined);
    assert.equal((await told(store)).length, MOST_AT_ONCE);
    const many = await manyGrants(store, MOST_AT_ONCE + 1);
    assert.deepEqual(await store.links.unbind(many.profile.id, "admin:7", NOW), {
      revokedGrants: [],
      goesOn: true,
    });
    assert.deepEqual(await told(store), []);
    assert.equal((await removeAll(store, "worker", 200)).grants.length, MOST_AT_ONCE + 1);
  });

  contract(
    "an ending is one worker's until his lease runs out, and another goes on where he was",
    async (opened) => {
      const { store } = opened;
      const many = await manyGrants(store, MANY);
      await store.links.unbind(many.profile.id, "admin:7", NOW);
      assert.equal(await store.administration.claimEnding("early", NOW - 1, MINUTE), undefined);
      const claims = await race(opened, 12, (racer, index) =>
        racer.administration.claimEnding(`worker-${index}`, NOW, MINUTE),
      );
      const [winner] = claims.flatMap((claim, index) => (claim === undefined ? [] : [`worker-${index}`]));
      assert.equal(claims.filter((claim) => claim !== undefined).length, 1);
      const { key } = present(claims.find((claim) => claim !== undefined));
      const remove = (worker: string, now: number, most = 5) =>
        store.administration.removeEnded(key, worker, { most, now, leaseMs: MINUTE });
      assert.deepEqual(await remove("somebody else", NOW), { result: "lost" });
      const first = await remove(present(winner), NOW + 7);
      assert.ok(first.result === "more" && first.grants.length === 5);
      const claimAgain = (now: number) => store.administration.claimEnding("successor", now, MINUTE);
      assert.equal(await claimAgain(NOW + MINUTE + 6), undefined, "the part prolonged it");
      assert.deepEqual(await claimAgain(NOW + MINUTE + 7), { key });
      assert.deepEqual(await remove(present(winner), NOW + MINUTE + 8), { result: "lost" });
      const second = await remove("successor", NOW + MINUTE + 8);
      assert.ok(second.result === "more");
      assert.ok(second.grants.every((grantId) => !first.grants.includes(grantId)));
      const rest = await remove("successor", NOW + MINUTE + 9, MANY);
      assert.ok(rest.result === "done" && rest.grants.length === MANY - 10);
      assert.deepEqual(await remove("successor", NOW + MINUTE + 9), { result: "lost" });
      assert.equal((await told(store, NOW + 2 * MINUTE)).length, MANY);
    },
  );

  contract("workers that race remove each grant once and tell of each once", async (opened) => {
    const { store } = opened;
    const many = await manyGrants(store, MANY);
    await store.links.unbind(many.profile.id, "admin:7", NOW);
    const { key } = present(await store.administration.claimEnding("one", NOW, 0));
    const parts = await race(opened, 6, async (racer, index) => {
      const worker = index % 2 === 0 ? "one" : "other";
      if (worker === "other") await racer.administration.claimEnding(worker, NOW, 0);
      return await racer.administration.removeEnded(key, worker, { most: 4, now: NOW, leaseMs: 0 });
    });
    const grants = parts.flatMap((part) => (part.result === "lost" ? [] : part.grants));
    assert.equal(new Set(grants).size, grants.length);
    const rest = await removeAll(store, "last", 50);
    assert.equal(grants.length + rest.grants.length, MANY);
    assert.equal((await told(store)).length, MANY);
  });

  contract(
    "what is ended again while it is being removed begins again, and ends what came between",
    async (opened) => {
      const { store } = opened;
      const many = await manyGrants(store, MANY);
      const { organization } = many;
      const put = (enabled: boolean) =>
        store.directory.putOrganization({ ...organization, enabled }, "admin:7", NOW);
      await put(false);
      const { key } = present(await store.administration.claimEnding("first", NOW, MINUTE));
      const remove = (worker: string) =>
        store.administration.removeEnded(key, worker, { most: 5, now: NOW, leaseMs: MINUTE });
      const begun = await remove("first");
      assert.equal(begun.result, "more");
      await put(true);
      const between = aSelection({ accountId: many.account.id, profileId: many.profile.id });
      present(await store.accountsAtClients.select(between, NOW));
      // The one between may be among those that are looked at, and stays.
      const goneOn = await remove("first");
      assert.equal(goneOn.result, "more");
      assert.ok(await store.accountsAtClients.forGrant(between.grantId, NOW));
      await put(false);
      await put(true);
      assert.equal(await store.accountsAtClients.forGrant(between.grantId, NOW), undefined);
      assert.deepEqual(await remove("first"), { result: "lost" });
      const { grants } = await removeAll(store, "second", 20);
      const before = [begun, goneOn].flatMap((part) => (part.result === "more" ? part.grants : []));
      assert.equal(before.length + grants.length, MANY + 1);
      assert.ok(grants.includes(between.grantId));
    },
  );

  contract(
    "who selects while an organization is ended is ended with it, or begins after it",
    async (opened) => {
      const { store } = opened;
      const many = await manyGrants(store, MANY);
      const { organization, account, profile } = many;
      const raced: string[] = [];
      await race(opened, 12, async (racer, index) => {
        if (index === 5)
          return void (await racer.directory.putOrganization({ ...organization, enabled: false }, "a", NOW));
        const selection = aSelection({ accountId: account.id, profileId: profile.id });
        raced.push(selection.grantId);
        await racer.accountsAtClients.select(selection, NOW);
      });
      await store.directory.putOrganization(organization, "admin:7", NOW);
      const { grants } = await removeAll(store, "worker", 30);
      for (const grantId of raced) {
        const stands = (await store.accountsAtClients.forGrant(asGrantId(grantId), NOW)) !== undefined;
        assert.notEqual(grants.includes(grantId), stands);
      }
      for (const { grantId } of many.selections)
        assert.equal(await store.accountsAtClients.forGrant(grantId, NOW), undefined);
    },
  );

  contract(
    "a sign-in of several grants is told of once, whatever parts they fall into",
    async ({ store }) => {
      const many = await manyGrants(store, MANY);
      const { organization, account, identity } = many;
      const second = aProfile({ organizationId: organization.id });
      await store.directory.putProfile(second, "admin:seed", NOW);
      await bind(store, { account, identity }, second.id);
      for (const selection of many.selections) {
        await store.accountsAtClients.select(
          { ...selection, grantId: asGrantId(anId("grant")), profileId: second.id },
          NOW,
        );
      }
      await store.directory.putOrganization({ ...organization, enabled: false }, "admin:7", NOW);
      const { grants } = await removeAll(store, "worker", 3);
      assert.equal(grants.length, 2 * MANY);
      const sids = (await told(store)).map(({ sid }) => sid);
      assert.deepEqual(
        sids.toSorted(),
        many.selections.map(({ sessionUid }) => `sid-of-${sessionUid}`).toSorted(),
      );
    },
  );

  contract("a switch into what is ended goes back to what was there, and tells nobody", async ({ store }) => {
    const many = await manyGrants(store, MANY);
    const { account, identity } = many;
    const { profile: home } = await register(store);
    await bind(store, { account, identity }, home.id);
    const selection = aSelection({ accountId: account.id, profileId: home.id });
    await store.accountsAtClients.select(selection, NOW);
    const holds = await redeemed(store, selection);
    const switched = { ...selection, grantId: asGrantId(anId("grant")), profileId: many.profile.id };
    await store.accountsAtClients.select(switched, NOW);
    await store.directory.putOrganization({ ...many.organization, enabled: false }, "admin:7", NOW);
    const current = async () =>
      present(
        await store.accountsAtClients.forClient(account.id, selection.clientId, selection.sessionUid, NOW),
      ).current;
    assert.equal((await current())?.grantId, selection.grantId);
    await removeAll(store, "worker", 9);
    assert.equal((await current())?.grantId, selection.grantId);
    assert.equal(await holds(), true);
    const clients = (await told(store)).map(({ clientId }) => clientId);
    assert.ok(!clients.includes(selection.clientId));
  });

  contract(
    "what had expired by then is removed and nobody told; what expires later is",
    async ({ store }) => {
      const many = await manyGrants(store, MANY);
      const { expiresAt } = present(many.selections[0]);
      await store.links.unbind(many.profile.id, "admin:7", expiresAt);
      await removeAll(store, "worker", 50, expiresAt + 1);
      assert.deepEqual(await told(store, expiresAt + 1), []);
      const others = await manyGrants(store, MANY);
      await store.links.unbind(others.profile.id, "admin:7", expiresAt - 1);
      await removeAll(store, "worker", 50, expiresAt + 1);
      assert.equal((await told(store, expiresAt + 1)).length, MANY);
    },
  );

  contract("a session of many grants ends at once, and its portals are told of it then", async (opened) => {
    const { store } = opened;
    const { account, profile } = await bound(store);
    const uid = anId("uid");
    const selections = Array.from({ length: MANY }, () =>
      aSelection({ accountId: account.id, profileId: profile.id, sessionUid: uid }),
    );
    for (const selection of selections) await store.accountsAtClients.select(selection, NOW);
    const authorizations = Object.fromEntries(
      selections.map(({ clientId }) => [clientId, { sid: `at-${clientId}` }]),
    );
    const session = { uid, accountId: account.id, authorizations, removed: [] };
    await store.artifacts.upsertSession(hashOf(uid), { uid }, session, LATER);
    const outcome = await apply(store, { kind: "end_session", sessionUid: uid });
    assert.deepEqual(outcome, { result: "done", revokedGrants: [] });
    const sids = selections.map(({ clientId }) => `at-${clientId}`);
    assert.deepEqual((await told(store)).map(({ sid }) => sid).toSorted(), sids.toSorted());
    const other = await opened.second();
    assert.equal(await other.artifacts.findSessionByUid(uid, NOW), undefined);
    for (const { grantId } of selections)
      assert.equal(await other.accountsAtClients.forGrant(grantId, NOW), undefined);
    assert.equal((await removeAll(store, "worker", 20)).grants.length, MANY);
    for (const { grantId } of selections)
      assert.equal(await other.accountsAtClients.forGrant(grantId, NOW), undefined);
    assert.deepEqual(await told(store), []);
  });

  contract(
    "a client's choices and its own tokens go with it, and a new one of its id begins anew",
    async (opened) => {
      const { store } = opened;
      const client = aClient({ managedBy: "admin" });
      await apply(store, { kind: "register_client", client });
      const people: (SignedIn & { profileId: string })[] = [];
      for (let index = 0; index <= MOST_AT_ONCE; index += 1) {
        const { account, identity, profile } = await bound(store);
        people.push({ account, identity, profileId: profile.id });
        const selection = aSelection({ accountId: account.id, profileId: profile.id, clientId: client.id });
        await store.accountsAtClients.select(selection, NOW);
      }
      const keys = { clientId: client.id };
      const token = hashOf(anId("token"));
      await store.artifacts.upsert("ClientCredentials", token, { scope: "x" }, keys, LATER);
      assert.ok(await store.artifacts.find("ClientCredentials", token, NOW));
      await apply(store, { kind: "remove_client", clientId: client.id });
      const other = await opened.second();
      const find = (idHash: string) => other.artifacts.find("ClientCredentials", asSecretHash(idHash), NOW);
      assert.equal(await find(token), undefined);
      await apply(store, { kind: "register_client", client });
      assert.equal(await find(token), undefined);
      const newer = hashOf(anId("token"));
      await store.artifacts.upsert("ClientCredentials", newer, { scope: "x" }, keys, LATER);
      await removeAll(store, "worker", 20);
      assert.ok(await find(newer));
      for (const { account } of people) {
        const accountAtClient = present(
          await store.accountsAtClients.forClient(account.id, client.id, null, NOW),
        );
        assert.equal(accountAtClient.rememberedProfileId, null);
      }
      assert.deepEqual(await told(store), []);
    },
  );

  contract("a client without grants loses its own tokens all the same", async ({ store }) => {
    const client = aClient({ managedBy: "admin" });
    const token = hashOf(anId("token"));
    await apply(store, { kind: "register_client", client });
    await store.artifacts.upsert("ClientCredentials", token, {}, { clientId: client.id }, LATER);
    await apply(store, { kind: "remove_client", clientId: client.id });
    await apply(store, { kind: "register_client", client });
    assert.equal(await store.artifacts.find("ClientCredentials", token, NOW), undefined);
  });

  contract("a grant of very many tokens ends at once, and they go part by part", async ({ store }) => {
    const { account, profile } = await bound(store);
    const selection = aSelection({ accountId: account.id, profileId: profile.id });
    await store.accountsAtClients.select(selection, NOW);
    const { grantId } = selection;
    const tokens = Array.from({ length: 230 }, () => hashOf(anId("token")));
    for (const token of tokens) await store.artifacts.upsert("RefreshToken", token, {}, { grantId }, LATER);
    await store.artifacts.upsert("Grant", hashOf(grantId), {}, { grantId }, LATER);
    await store.artifacts.revokeGrant(grantId);
    assert.equal(await store.accountsAtClients.forGrant(grantId, NOW), undefined);
    assert.equal(await store.artifacts.find("Grant", hashOf(grantId), NOW), undefined);
    const left = async () =>
      (await Promise.all(tokens.map((token) => isTokenStored(store, token)))).filter(Boolean).length;
    assert.ok((await left()) > 0);
    await removeAll(store, "worker", 40);
    assert.equal(await left(), 0);
  });

  contract("an import ends many, as many at once as one ending", async ({ store }) => {
    const many = [await manyGrants(store, 30), await manyGrants(store, 30)];
    const rows = many.map(({ organization, profile }) => editOf(organization, profile));
    const ended = await store.directory.importBatch(rows, "command:import", NOW);
    assert.deepEqual([ended.revokedGrants.length, ended.goesOn], [30, true]);
    for (const one of many) await assertEnded(store, one);
    assert.equal((await removeAll(store, "worker", 20)).grants.length, 30);
    assert.equal((await told(store)).length, 60);
  });

  contract(
    "A9: many sign-ins to the administration's pages end at once, and those to portals don't",
    async (opened) => {
      const { store } = opened;
      for (const way of ["role", "organization"] as const) {
        const organization = anOrganization({ kind: "operator" });
        const profile = aProfile({ organizationId: organization.id });
        await store.directory.putOrganization(organization, "admin:seed", NOW);
        await store.directory.putProfile(profile, "admin:seed", NOW);
        const person = await signIn(store);
        await bind(store, person, profile.id);
        await apply(store, setRole(profile.id, "support"));
        const of = { accountId: person.account.id, profileId: profile.id };
        const pages: Selection[] = Array.from({ length: MANY }, () =>
          aSelection({ ...of, clientId: CONSOLE_CLIENT_ID }),
        );
        const portal = aSelection(of);
        for (const selection of [...pages, portal]) await store.accountsAtClients.select(selection, NOW);
        if (way === "role") await apply(store, setRole(profile.id, null));
        else await store.directory.putOrganization({ ...organization, kind: "customer" }, "admin:7", NOW);
        const other = await opened.second();
        for (const { grantId } of pages)
          assert.equal(await other.accountsAtClients.forGrant(grantId, NOW), undefined);
        assert.ok(await other.accountsAtClients.forGrant(portal.grantId, NOW));
        assert.equal((await removeAll(store, "worker", 20)).grants.length, MANY, way);
        assert.ok(await other.accountsAtClients.forGrant(portal.grantId, NOW));
      }
    },
  );
}
