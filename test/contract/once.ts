/** Creations that are repeated under one key: they come true once, and each is answered as the first was. */

import assert from "node:assert/strict";
import { asOrganizationId } from "../../src/domain/ids.ts";
import type { AdminChange, Once, Store } from "../../src/storage/contract.ts";
import { anId, anOrganization, aProfile, hashOf, MINUTE, NOW } from "../support/records.ts";
import { type Case, race } from "./back-end.ts";

const BY = { actor: "api_key:5", now: NOW };

const anOnce = (overrides: Partial<Once> = {}): Once => ({
  keyHash: hashOf(anId("key")),
  fingerprint: "what-was-asked",
  answer: '{"secret":"ünlocked"}',
  expiresAt: NOW + 10 * MINUTE,
  ...overrides,
});

const creation = (): AdminChange => ({ kind: "create_organization", organization: anOrganization() });
const repeated = ({ fingerprint, answer }: Once) => ({ result: "repeated", fingerprint, answer });
const idOf = (change: AdminChange) => (change.kind === "create_organization" ? change.organization.id : "");
const isThere = async (store: Store, change: AdminChange) =>
  (await store.directory.organization(asOrganizationId(idOf(change)))) !== undefined;

export function onceCases(contract: Case): void {
  contract("a creation under a key comes true once, and is answered as the first was", async ({ store }) => {
    const once = anOnce();
    const [first, second] = [creation(), creation()];
    assert.equal((await store.administration.apply(first, { ...BY, once })).result, "done");
    const other = { ...once, fingerprint: "something-else", answer: "another answer" };
    const again = await store.administration.apply(second, { ...BY, once: other });
    assert.deepEqual(again, repeated(once), "whoever asks compares the fingerprints");
    assert.equal(await isThere(store, second), false);
    assert.equal((await store.audit.list({ limit: 9 })).length, 1);
    const elsewhere = anOnce();
    assert.equal((await store.administration.apply(second, { ...BY, once: elsewhere })).result, "done");
  });

  contract("of racers under one key one creates, and the others get its answer", async (opened) => {
    const { store } = opened;
    const keyHash = hashOf(anId("key"));
    const changes = Array.from({ length: 12 }, creation);
    const onces = changes.map((_, index) => anOnce({ keyHash, answer: `answer ${index}` }));
    const outcomes = await race(opened, changes.length, (racer, index) => {
      const [change, once] = [changes[index], onces[index]];
      assert.ok(change && once);
      return racer.administration.apply(change, { ...BY, once });
    });
    const winner = outcomes.findIndex(({ result }) => result === "done");
    const losers = outcomes.filter((_, index) => index !== winner);
    assert.equal(losers.length, changes.length - 1);
    for (const lost of losers) {
      assert.deepEqual(lost, {
        result: "repeated",
        fingerprint: "what-was-asked",
        answer: `answer ${winner}`,
      });
    }
    const made = await Promise.all(changes.map((change) => isThere(store, change)));
    assert.deepEqual(
      made.map((is, index) => (is ? index : -1)).filter((index) => index >= 0),
      [winner],
    );
  });

  contract("a key is free again at its exact expiry, swept or not", async ({ store }) => {
    const once = anOnce();
    const at = (now: number) =>
      store.administration.apply(creation(), { ...BY, now, once: { ...once, expiresAt: now + MINUTE } });
    const before = (now: number) => store.administration.apply(creation(), { ...BY, now, once });
    assert.equal((await before(NOW)).result, "done");
    assert.equal((await before(once.expiresAt - 1)).result, "repeated");
    assert.equal((await at(once.expiresAt)).result, "done");
    assert.equal((await at(once.expiresAt + MINUTE - 1)).result, "repeated");
    assert.equal(await store.sweep(once.expiresAt + MINUTE - 1), 0);
    assert.equal(await store.sweep(once.expiresAt + MINUTE), 1);
    assert.equal((await at(once.expiresAt + MINUTE - 1)).result, "done", "it was swept away");
  });

  contract("what was refused or failed leaves its key free", async ({ store }) => {
    const once = anOnce();
    const taken = creation();
    await store.administration.apply(taken, BY);
    const homeless = {
      kind: "create_profile",
      profile: aProfile({ organizationId: asOrganizationId(anId("organization")) }),
    } as const;
    assert.deepEqual(await store.administration.apply(taken, { ...BY, once }), { result: "exists" });
    assert.deepEqual(await store.administration.apply(homeless, { ...BY, once }), { result: "missing" });
    const lost = {
      ...homeless,
      kind: "edit_profile",
      revision: "",
      isAnotherPerson: false,
      mailDomain: "x",
    } as const;
    assert.deepEqual(await store.administration.apply(lost, { ...BY, once }), { result: "missing" });
    assert.equal((await store.administration.apply(creation(), { ...BY, once })).result, "done");
  });
}
