/** Changes of registered clients, what is kept of their secrets, and when they used them. */

import assert from "node:assert/strict";
import { asClientId, type ClientId } from "../../src/domain/ids.ts";
import type { Client } from "../../src/domain/records.ts";
import { clientRevision } from "../../src/domain/revision.ts";
import type { AdminChange, Store } from "../../src/storage/contract.ts";
import { aClient, anId, aSelection, hashOf, MINUTE, NOW } from "../support/records.ts";
import { bound, type Case, present, race } from "./back-end.ts";

const BY = { actor: "admin:7", now: NOW };
const DONE = { result: "done", revokedGrants: [] } as const;
const MISSING = { result: "missing" } as const;

const apply = (store: Store, change: AdminChange) => store.administration.apply(change, BY);

async function registered(store: Store, overrides: Partial<Client> = {}): Promise<Client> {
  const client = aClient({ managedBy: "admin", ...overrides });
  assert.deepEqual(await apply(store, { kind: "register_client", client }), DONE);
  return client;
}

const edit = (client: Client, overrides: Partial<Client>): AdminChange => ({
  kind: "edit_client",
  client: { ...client, ...overrides },
  revision: clientRevision(client),
});

const rotation = (clientId: ClientId, secret: string, previousUntil = NOW + MINUTE): AdminChange => ({
  kind: "rotate_secret",
  clientId,
  secret,
  previousUntil,
});

async function lastEvent(store: Store) {
  const { action, actor, detail } = present((await store.audit.list({ limit: 1 }))[0]);
  return [action, actor, detail];
}

export function clientCases(contract: Case): void {
  contract("a client is registered once, and audited without its secrets", async (opened) => {
    const { store } = opened;
    const client = aClient({ managedBy: "admin" });
    const outcomes = await race(opened, 8, (racer) => apply(racer, { kind: "register_client", client }));
    assert.equal(outcomes.filter(({ result }) => result === "done").length, 1);
    assert.equal(outcomes.filter(({ result }) => result === "exists").length, 7);
    assert.deepEqual(await store.clients.find(client.id), client);
    const said = {
      client: client.id,
      name: client.name,
      redirectUrisAdded: "https://customersource.example/cb",
      policy: '{"kinds":["customer","operator"],"planRequired":true,"roles":["billing"]}',
    };
    const registration = ["client.registered", BY.actor, said];
    assert.deepEqual(await lastEvent(store), registration);
    const events = JSON.stringify(await store.audit.list({ limit: 9 }));
    assert.ok(!events.includes(present(client.secret)));
    assert.ok(!events.includes(present(client.previousSecret).secret));
  });

  contract(
    "an edit keeps both secrets and who manages it, and goes by what was read of the rest",
    async (opened) => {
      const { store } = opened;
      const client = await registered(store);
      const change = edit(client, {
        name: "PartnerSource",
        metadata: { redirect_uris: [] },
        secret: "x",
        managedBy: "config",
      });
      const edited = {
        ...change,
        client: { ...client, ...(change as { client: Client }).client, previousSecret: null },
      };
      assert.deepEqual(await apply(store, edited as AdminChange), DONE);
      const after = { ...client, name: "PartnerSource", metadata: { redirect_uris: [] } };
      assert.deepEqual(await store.clients.find(client.id), after);
      const gone = { redirectUrisRemoved: "https://customersource.example/cb" };
      const fields = { client: client.id, fields: "grant_types name redirect_uris", ...gone };
      assert.deepEqual(await lastEvent(store), ["client.changed", BY.actor, fields]);
      assert.deepEqual(await apply(store, change), { result: "changed" });
      // A rotation is no change of what is edited.
      assert.deepEqual(await apply(store, rotation(client.id, "new-secret")), DONE);
      const outcomes = await race(opened, 8, (racer, index) =>
        apply(racer, edit(after, { name: `Edit ${index}` })),
      );
      assert.equal(outcomes.filter(({ result }) => result === "done").length, 1);
      assert.equal(outcomes.filter(({ result }) => result === "changed").length, 7);
      assert.equal((await store.clients.find(client.id))?.secret, "new-secret");
    },
  );

  contract("a rotated secret stays beside the new one; the one before that is gone", async ({ store }) => {
    const client = await registered(store, { previousSecret: null });
    assert.deepEqual(await apply(store, rotation(client.id, "second", NOW + 2 * MINUTE)), DONE);
    const once = {
      ...client,
      secret: "second",
      previousSecret: { secret: client.secret, until: NOW + 2 * MINUTE },
    };
    assert.deepEqual(await store.clients.find(client.id), once);
    const rotated = { client: client.id, previousUntil: NOW + 2 * MINUTE };
    assert.deepEqual(await lastEvent(store), ["client.secret_rotated", BY.actor, rotated]);
    assert.deepEqual(await apply(store, rotation(client.id, "third")), DONE);
    const twice = { ...client, secret: "third", previousSecret: { secret: "second", until: NOW + MINUTE } };
    assert.deepEqual(await store.clients.find(client.id), twice);
    assert.deepEqual(await store.clients.list(), [twice]);
    const shared = await registered(store, { secret: null, previousSecret: null });
    assert.deepEqual(await store.clients.find(shared.id), shared);
    assert.deepEqual(await apply(store, rotation(shared.id, "x")), MISSING, "it has no secret to rotate");
  });

  contract("a client of the configuration can't be changed, nor one that isn't there", async ({ store }) => {
    const client = await registered(store, { managedBy: "config" });
    const before = await store.audit.list({ limit: 9 });
    for (const one of [client, aClient({ managedBy: "admin" })]) {
      assert.deepEqual(await apply(store, edit(one, { name: "Mine" })), MISSING);
      assert.deepEqual(await apply(store, rotation(one.id, "mine")), MISSING);
      assert.deepEqual(await apply(store, { kind: "remove_client", clientId: one.id }), MISSING);
    }
    assert.deepEqual(await store.clients.list(), [client]);
    assert.deepEqual(await store.audit.list({ limit: 9 }), before);
    assert.deepEqual(await apply(store, { kind: "register_client", client }), { result: "exists" });
  });

  contract(
    "a removed client goes with its uses, its choices and every grant; nobody is told",
    async ({ store }) => {
      const client = await registered(store);
      const kept = await registered(store);
      const { account, profile } = await bound(store);
      const grants = [client, client, kept].map(({ id: clientId }) =>
        aSelection({ clientId, accountId: account.id, profileId: profile.id }),
      );
      const tokens = [];
      for (const selection of grants) {
        present(await store.accountsAtClients.select(selection, NOW));
        const token = hashOf(anId("token"));
        await store.artifacts.upsert(
          "RefreshToken",
          token,
          { a: 1 },
          { grantId: selection.grantId },
          NOW + MINUTE,
        );
        tokens.push(token);
      }
      for (const { id } of [client, kept]) await store.clients.noteUse(id, "current", NOW);
      assert.deepEqual(await apply(store, { kind: "remove_client", clientId: client.id }), DONE);
      assert.deepEqual(await store.clients.list(), [kept]);
      const left = await Promise.all(tokens.map((token) => store.artifacts.find("RefreshToken", token, NOW)));
      assert.deepEqual(left, [undefined, undefined, { a: 1 }]);
      const accountAtClient = await Promise.all(
        grants.map(({ grantId }) => store.accountsAtClients.forGrant(grantId, NOW)),
      );
      assert.deepEqual(
        accountAtClient.map((one) => one !== undefined),
        [false, false, true],
      );
      const remembered = async (clientId: string) =>
        (await store.accountsAtClients.forClient(account.id, asClientId(clientId), null, NOW))
          ?.rememberedProfileId;
      assert.equal(await remembered(client.id), null);
      assert.equal(await remembered(kept.id), profile.id);
      assert.deepEqual(
        (await store.clients.uses([client.id, kept.id])).map(({ clientId }) => clientId),
        [kept.id],
      );
      assert.deepEqual(await lastEvent(store), [
        "client.removed",
        BY.actor,
        { client: client.id, name: client.name },
      ]);
      assert.equal(await store.administration.claimSignOut("w", NOW, MINUTE), undefined);
      assert.deepEqual(await apply(store, { kind: "remove_client", clientId: client.id }), MISSING);
    },
  );

  contract("the last use of either secret is kept, whoever notes it late", async (opened) => {
    const { store } = opened;
    const [one, other, never] = [anId("client"), anId("client"), anId("client")];
    await race(opened, 20, (racer, index) =>
      racer.clients.noteUse(asClientId(one), "current", NOW + ((index * 7) % 20)),
    );
    await store.clients.noteUse(asClientId(one), "current", NOW - 1);
    await store.clients.noteUse(asClientId(other), "previous", NOW + 3);
    assert.deepEqual(await store.clients.uses([asClientId(other), asClientId(never), asClientId(one)]), [
      { clientId: other, usedAt: null, previousUsedAt: NOW + 3, refusedAddresses: [] },
      { clientId: one, usedAt: NOW + 19, previousUsedAt: null, refusedAddresses: [] },
    ]);
    await store.clients.noteUse(asClientId(one), "previous", NOW + 1);
    assert.deepEqual(await store.clients.uses([asClientId(one)]), [
      { clientId: one, usedAt: NOW + 19, previousUsedAt: NOW + 1, refusedAddresses: [] },
    ]);
    assert.deepEqual(await store.clients.uses([]), []);
    await registered(store, { id: asClientId(one) });
    assert.deepEqual(await apply(store, { kind: "remove_client", clientId: asClientId(one) }), DONE);
    assert.deepEqual(await store.clients.uses([asClientId(one)]), []);
  });

  contract("of addresses that aren't registered a handful is kept, beside the uses", async (opened) => {
    const { store } = opened;
    const [one, other] = [anId("client"), anId("client")];
    const address = (name: string) =>
      ({ parameter: "redirect_uri", address: `https://${name}.example/` }) as const;
    const after = { parameter: "post_logout_redirect_uri", address: "https://after.example/" } as const;
    const kept = async (id: string) =>
      present((await store.clients.uses([asClientId(id)]))[0]).refusedAddresses;
    await store.clients.noteRefused(asClientId(one), address("first"), NOW);
    await store.clients.noteRefused(asClientId(one), after, NOW + 1);
    await store.clients.noteRefused(asClientId(one), address("first"), NOW + MINUTE);
    const both = [
      { ...after, at: NOW + 1 },
      { ...address("first"), at: NOW },
    ];
    assert.deepEqual(await kept(one), both);
    await store.clients.noteUse(asClientId(one), "current", NOW + 2);
    assert.deepEqual(await store.clients.uses([asClientId(one)]), [
      { clientId: one, usedAt: NOW + 2, previousUsedAt: null, refusedAddresses: both },
    ]);
    await store.clients.noteUse(asClientId(other), "current", NOW);
    await race(opened, 20, (racer, index) =>
      racer.clients.noteRefused(asClientId(other), address(`racer-${index}`), NOW),
    );
    const noted = await kept(other);
    assert.ok(noted.length >= 1 && noted.length <= 5, `${noted.length} are kept`);
    assert.equal(new Set(noted.map(({ address: noted }) => noted)).size, noted.length);
    await store.clients.noteRefused(asClientId(other), address("later"), NOW + MINUTE);
    assert.deepEqual((await kept(other))[0], { ...address("later"), at: NOW + MINUTE });
    assert.equal(present((await store.clients.uses([asClientId(other)]))[0]).usedAt, NOW);
    await registered(store, { id: asClientId(one) });
    assert.deepEqual(await apply(store, { kind: "remove_client", clientId: asClientId(one) }), DONE);
    assert.deepEqual(await store.clients.uses([asClientId(one)]), []);
  });
}
