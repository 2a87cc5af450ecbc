import assert from "node:assert/strict";
import { asAccountId, asUpstreamId } from "../../src/domain/ids.ts";
import type { AccountId, Identity } from "../../src/domain/records.ts";
import { LiaisonError } from "../../src/errors.ts";
import type { Store } from "../../src/storage/contract.ts";
import { anId, anIdentity, NOW } from "../support/records.ts";
import { type Case, present, race, signIn } from "./back-end.ts";

async function identitiesOf(store: Store, id: AccountId): Promise<Identity[]> {
  return present(await store.administration.account(id)).identities;
}

export function accountCases(contract: Case): void {
  contract("a first sign-in creates account, identity and one audit event", async ({ store }) => {
    const identity = anIdentity();
    const account = await store.accounts.signIn(identity, NOW);
    assert.equal(account.createdAt, NOW);
    assert.deepEqual(await store.administration.account(account.id), {
      account,
      identities: [
        { ...identity, emailVerified: false, accountId: account.id, createdAt: NOW, lastSignInAt: NOW },
      ],
    });
    const events = await store.audit.list({ limit: 10 });
    assert.deepEqual(
      events.map((event) => [event.action, event.actor, event.accountId, event.at]),
      [["account.created", `account:${account.id}`, account.id, NOW]],
    );
  });

  contract(
    "a later sign-in keeps the account and remembers the display data and the time",
    async ({ store }) => {
      const { account, identity } = await signIn(store);
      const changed = {
        ...identity,
        upstreamId: asUpstreamId("renamed"),
        email: null,
        emailVerified: true,
        displayName: "Ada Byron",
      };
      assert.deepEqual(await store.accounts.signIn(changed, NOW + 9), account);
      const [kept] = await identitiesOf(store, account.id);
      assert.deepEqual(kept, {
        ...changed,
        accountId: account.id,
        createdAt: account.createdAt,
        lastSignInAt: NOW + 9,
      });
      assert.equal((await store.audit.list({ limit: 10 })).length, 1);
    },
  );

  contract(
    "whether the address is verified is remembered as the upstream said it last",
    async ({ store }) => {
      const identity = anIdentity();
      const seen: boolean[] = [];
      for (const emailVerified of [true, false, true, undefined]) {
        const { emailVerified: _none, ...rest } = identity;
        const { id } = await store.accounts.signIn(
          emailVerified === undefined ? rest : { ...rest, emailVerified },
          NOW,
        );
        seen.push(...(await identitiesOf(store, id)).map((one) => one.emailVerified));
      }
      assert.deepEqual(seen, [true, false, true, false]);
    },
  );

  contract("U11: identities are compared byte for byte", async ({ store }) => {
    const spellings = [
      { issuer: "https://login.example/caf\u00e9", subject: "Abc" },
      { issuer: "https://login.example/cafe\u0301", subject: "Abc" },
      { issuer: "https://login.example/caf\u00e9/", subject: "Abc" },
      { issuer: "https://LOGIN.example/caf\u00e9", subject: "Abc" },
      { issuer: "https://login.example/caf\u00e9", subject: "abc" },
      { issuer: "https://login.example/caf\u00e9", subject: "Abc " },
      { issuer: "https://other.example", subject: "Abc" },
    ];
    const ids = new Set<string>();
    for (const spelling of spellings) ids.add((await store.accounts.signIn(anIdentity(spelling), NOW)).id);
    assert.equal(ids.size, spellings.length);
  });

  contract("an identity that isn't well-formed text is refused", async ({ store }) => {
    for (const subject of ["a\ud800", "a\udfff", "a\0b"]) {
      await assert.rejects(
        store.accounts.signIn(anIdentity({ subject }), NOW),
        (error) => error instanceof LiaisonError && error.code === "upstream_rejected",
      );
    }
  });

  contract("racers with one identity all get one account, created once", async (opened) => {
    const identity = anIdentity();
    const accounts = await race(opened, 60, (store) => store.accounts.signIn(identity, NOW));
    assert.equal(new Set(accounts.map((account) => account.id)).size, 1);
    assert.equal((await opened.store.audit.list({ limit: 100 })).length, 1);
  });

  contract("an unknown account is undefined", async ({ store }) => {
    await signIn(store);
    assert.equal(await store.administration.account(asAccountId(anId("account"))), undefined);
  });
}
