/** What seeding leaves in a store, on the embedded back end. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { demoPeople, seeds } from "../../src/demo/people.ts";
import { seedDirectory } from "../../src/demo/seed.ts";
import { seededSubject } from "../../src/demo/upstream-accounts.ts";
import { refusals } from "../../src/domain/access.ts";
import { parseAddress } from "../../src/domain/address.ts";
import { asProfileId } from "../../src/domain/ids.ts";
import type { Store } from "../../src/storage/contract.ts";
import { openMemoryStore } from "../support/memory-store/store.ts";

const issuer = "http://localhost:4401";
const now = Date.UTC(2030, 4, 17, 9, 30);
const clock = { now: () => now };
const atCustomerSource = { kinds: ["customer" as const], planRequired: true, roles: [] };

let store: Store;

beforeEach(async () => {
  store = openMemoryStore();
  await seedDirectory(store, clock, issuer);
});
afterEach(() => store.close());

async function memberships(expect: string) {
  const email = demoPeople.find((person) => person.expect === expect)?.registered_email ?? "";
  return store.directory.membershipsByEmail(parseAddress(email)?.key ?? "");
}

test("seven people, four of them unbound, one of them an administrator", async () => {
  assert.deepEqual(
    demoPeople.map(({ expect }) => expect),
    ["linked_once", "chooser", "other_email", "plan_lapsed", "disabled", "partner_only", "administrator"],
  );
  const chooser = await memberships("chooser");
  assert.deepEqual(chooser.map(({ organization }) => organization.kind).sort(), [
    "customer",
    "customer",
    "partner",
  ]);
  for (const expect of ["linked_once", "chooser", "other_email", "administrator"]) {
    for (const { profile } of await memberships(expect)) assert.equal(profile.accountId, null);
  }
  const [owner] = await memberships("administrator");
  assert.deepEqual([owner?.profile.adminRole, owner?.organization.kind], ["owner", "operator"]);
  const other = seeds.find((person) => person.expect === "other_email");
  assert.notEqual(other?.upstreamEmail, other?.registered_email);
});

test("three are bound to the account of their own identity, each refused at CustomerSource", async () => {
  const reasons: Record<string, string[]> = {};
  for (const { expect, username } of seeds.slice(3, 6)) {
    const [membership, ...others] = await memberships(expect);
    assert.ok(membership?.profile.accountId);
    assert.deepEqual(others, []);
    const view = await store.administration.account(membership.profile.accountId);
    assert.deepEqual(
      view?.identities.map(({ issuer: at, subject }) => [at, subject]),
      [[issuer, seededSubject(username)]],
    );
    reasons[expect] = refusals(atCustomerSource, membership, now);
  }
  assert.deepEqual(reasons, {
    plan_lapsed: ["plan_expired"],
    disabled: ["profile_disabled"],
    partner_only: ["kind_not_admitted"],
  });
});

test("no mail waits, and no inquiry", async () => {
  assert.equal(await store.outbox.nextDueAt(), undefined);
  assert.equal(await store.outbox.claim("worker", now + 1, 1000, 1000), undefined);
  assert.equal(await store.links.claimInquiry("worker", now + 100_000, 1000), undefined);
});

test("seeding again leaves what people did", async () => {
  const [amara] = await memberships("linked_once");
  const [ingrid] = await memberships("plan_lapsed");
  assert.ok(amara && ingrid);
  await store.directory.putProfile({ ...amara.profile, name: "Amara O." }, "admin:x", now);
  await store.links.unbind(ingrid.profile.id, "admin:x", now);
  await seedDirectory(store, clock, issuer);
  assert.equal((await memberships("linked_once"))[0]?.profile.name, "Amara O.");
  assert.equal((await memberships("plan_lapsed"))[0]?.profile.accountId, null);
});

test("a seeding cut short at any write is finished by the next", async () => {
  let budget = 1;
  for (; budget < 200; budget += 1) {
    const cut = openMemoryStore();
    const finished = await seedDirectory(failingAfter(cut, budget), clock, issuer).then(
      () => true,
      () => false,
    );
    await seedDirectory(cut, clock, issuer);
    const disabled = await cut.directory.membership(asProfileId("profile-samir-cedar"));
    assert.ok(disabled?.profile.accountId, `bound after ${budget} calls`);
    assert.equal(disabled.profile.enabled, false, `disabled after ${budget} calls`);
    assert.equal(await cut.outbox.nextDueAt(), undefined, `no mail after ${budget} calls`);
    await cut.close();
    if (finished) break;
  }
  assert.ok(budget > 30 && budget < 200, `${budget} calls`);
});

/** The store with every call beyond the first `budget` failing, as if the process had been killed there. */
function failingAfter(real: Store, budget: number): Store {
  let calls = 0;
  const limited = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get(target, name, receiver) {
        const method: unknown = Reflect.get(target, name, receiver);
        if (typeof method !== "function") return method;
        return (...args: unknown[]) => {
          calls += 1;
          if (calls > budget) return Promise.reject(new Error("killed"));
          return method.apply(target, args);
        };
      },
    });
  return {
    ...real,
    accounts: limited(real.accounts),
    directory: limited(real.directory),
    links: limited(real.links),
    outbox: limited(real.outbox),
  };
}
