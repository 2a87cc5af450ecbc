/**
 * Runs the storage suite against the in-memory back end: the rules hold on any. And what the suite can't see
 * where nobody races, because whoever is at work is alone.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { asAccountId, asLinkRequestId } from "../../src/domain/ids.ts";
import type { Table } from "../../src/storage/fields.ts";
import type { Engine, New, Steps } from "../../src/storage/steps.ts";
import { AlreadyThere, get, insert, list, put } from "../../src/storage/steps.ts";
import { accounts, apiKeys, auditEvents, identities, linkRequests } from "../../src/storage/tables.ts";
import { MemoryDatabase } from "../support/memory-store/database.ts";
import { MemoryEngine } from "../support/memory-store/engine.ts";
import { nativeSteps } from "../support/memory-store/native-steps.ts";
import { openMemoryStore } from "../support/memory-store/store.ts";
import { aLinkRequest, anAuditEvent, anIdentity, hashOf, NOW } from "../support/records.ts";
import { present, profileOf, register } from "./back-end.ts";
import { storageContract } from "./suite.ts";

storageContract({
  name: "memory",
  async open() {
    const database = new MemoryDatabase();
    const stores = [openMemoryStore(database)];
    return {
      store: present(stores[0]),
      async second() {
        const other = openMemoryStore(database);
        stores.push(other);
        return other;
      },
      async destroy() {
        for (const opened of stores) await opened.close();
      },
    };
  },
});

test("memory: nobody shares a record with the store, neither who wrote nor who read it", async () => {
  const store = openMemoryStore();
  const { profile } = await register(store);
  const roles = [...profile.roles];
  profile.roles.push("written");
  (await profileOf(store, profile.id)).roles.push("found");
  const [listed] = await store.directory.membershipsByEmail(profile.emailKey);
  present(listed).profile.roles.push("listed");
  assert.deepEqual((await profileOf(store, profile.id)).roles, roles);
});

/** Two rows that no table may hold both of: one, and the same with other values. */
function rivals<Row extends object>(what: string, table: Table<Row>, one: New<Row>, change: Partial<Row>) {
  const [first, second] = [() => insert(table, one), () => insert(table, { ...one, ...change })];
  return { what, first, second, all: () => list(table, {}) };
}

const account = { accountId: asAccountId("a"), emailVerified: true, createdAt: NOW, lastSignInAt: NOW };
const identity = { ...anIdentity(), ...account };
const { requester, ...request } = aLinkRequest();
const { issuer, subject, upstreamId, accountId } = requester;
const of = { issuer, subject, upstreamId, accountId, requesterEmail: null, requesterName: null };
const state = { state: "pending", organizationId: null, settledAt: null } as const;
const pending = { ...request, ...of, ...state };
const event = { ...anAuditEvent(), chainSeq: 7, mac: "m" };
const times = { createdAt: NOW, expiresAt: NOW, lastUsedAt: null };
const apiKey = { id: "one", name: "k", secretHash: hashOf("secret"), scopes: [], createdBy: "a", ...times };
const another = { id: asLinkRequestId("other"), secretHash: hashOf("other") };

for (const { what, first, second, all } of [
  rivals("the account of an identity", identities, identity, { accountId: asAccountId("b") }),
  rivals("the secret of a link", linkRequests, pending, { id: another.id, state: "void" }),
  rivals("a profile's pending request", linkRequests, pending, another),
  rivals("a place in the chain", auditEvents, event, { id: "other" }),
  rivals("the secret of a key", apiKeys, apiKey, { id: "other" }),
  rivals("an id", apiKeys, apiKey, { secretHash: hashOf("other") }),
]) {
  test(`memory: ${what} is one row's, and whoever comes second has written nothing`, async () => {
    const engine: Engine = new MemoryEngine(new MemoryDatabase(), nativeSteps);
    await engine.run(first);
    const late = engine.transaction(function* (): Steps<void> {
      yield* put(accounts, { id: account.accountId, createdAt: NOW });
      yield* second();
    });
    await assert.rejects(late, AlreadyThere);
    assert.equal((await engine.run<unknown[]>(all)).length, 1);
    assert.equal(await engine.run(() => get(accounts, account.accountId)), undefined);
  });
}
