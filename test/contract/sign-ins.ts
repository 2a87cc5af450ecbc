import assert from "node:assert/strict";
import { anAttempt, anId, anUpstreamTransaction, aSignInOutcome, hashOf, NOW } from "../support/records.ts";
import { type Case, race } from "./harness.ts";

export function signInCases(contract: Case): void {
  contract("an upstream transaction round-trips, for every purpose", async ({ store }) => {
    for (const transaction of [
      anUpstreamTransaction(),
      anUpstreamTransaction({ maxAgeSeconds: null, purpose: { kind: "sign_in", interactionUid: anId("interaction") } }),
      anUpstreamTransaction({
        maxAgeSeconds: 0,
        purpose: { kind: "decline", requestId: anId("request"), secretHash: hashOf("x") },
      }),
    ]) {
      await store.signIns.begin(transaction);
      assert.deepEqual(await store.signIns.take(anAttempt(transaction), NOW), transaction);
    }
  });

  contract("U1: of a hundred callbacks with one state, one takes the transaction", async (opened) => {
    const transaction = anUpstreamTransaction();
    await opened.store.signIns.begin(transaction);
    const taken = await race(opened, 100, (store) => store.signIns.take(anAttempt(transaction), NOW));
    assert.deepEqual(
      taken.filter((one) => one !== undefined),
      [transaction],
    );
  });

  contract("U1: an attempt that lost its answer is made again, and nobody else's comes between", async ({ store }) => {
    const transaction = anUpstreamTransaction();
    await store.signIns.begin(transaction);
    const attempt = anAttempt(transaction);
    for (let turn = 0; turn < 3; turn += 1) {
      assert.deepEqual(await store.signIns.take(attempt, NOW), transaction);
      assert.equal(await store.signIns.take(anAttempt(transaction), NOW), undefined);
    }
    assert.equal(await store.signIns.take({ ...attempt, stateHash: hashOf("other") }, NOW), undefined);
    assert.equal(await store.signIns.take({ ...attempt, upstreamId: "CONSUMER" }, NOW), undefined);
    assert.equal(await store.signIns.take(attempt, transaction.expiresAt), undefined);
  });

  contract("U1, U4: a wrong state, browser or upstream takes nothing and leaves it in place", async ({ store }) => {
    const transaction = anUpstreamTransaction();
    await store.signIns.begin(transaction);
    assert.equal(await store.signIns.take(anAttempt({ ...transaction, stateHash: hashOf("other") }), NOW), undefined);
    assert.equal(await store.signIns.take(anAttempt({ ...transaction, browserHash: hashOf("other") }), NOW), undefined);
    assert.equal(await store.signIns.take(anAttempt({ ...transaction, upstreamId: "CONSUMER" }), NOW), undefined);
    assert.equal(
      await store.signIns.take(anAttempt({ ...transaction, stateHash: transaction.stateHash.toLowerCase() }), NOW),
      undefined,
    );
    assert.deepEqual(await store.signIns.take(anAttempt(transaction), NOW), transaction);
  });

  contract("a transaction and an outcome end at their exact millisecond", async ({ store }) => {
    const transaction = anUpstreamTransaction();
    const { expiresAt } = transaction;
    await store.signIns.begin(transaction);
    assert.equal(await store.signIns.take(anAttempt(transaction), expiresAt), undefined);
    assert.ok(await store.signIns.take(anAttempt(transaction), expiresAt - 1));
    const interaction = hashOf(anId("interaction"));
    await store.signIns.leaveOutcome(interaction, aSignInOutcome(), NOW + 5);
    assert.equal(await store.signIns.takeOutcome(interaction, NOW + 5), undefined);
    assert.ok(await store.signIns.takeOutcome(interaction, NOW + 4));
  });

  contract("an outcome replaces an earlier one and is taken once", async (opened) => {
    const { store } = opened;
    const interaction = hashOf(anId("interaction"));
    const outcome = aSignInOutcome({ upstreamId: "second" });
    await store.signIns.leaveOutcome(interaction, aSignInOutcome(), NOW + 5);
    await store.signIns.leaveOutcome(interaction, outcome, NOW + 50);
    assert.equal(await store.signIns.takeOutcome(hashOf("other"), NOW), undefined);
    const taken = await race(opened, 50, (racer) => racer.signIns.takeOutcome(interaction, NOW + 49));
    assert.deepEqual(
      taken.filter((one) => one !== undefined),
      [outcome],
    );
  });

  contract("an outcome says how the person authenticated, where that is known", async ({ store }) => {
    const [first, second, third] = [
      hashOf(anId("interaction")),
      hashOf(anId("interaction")),
      hashOf(anId("interaction")),
    ];
    const authentication = { acr: 'urn:acr:"höch"', amr: ["pwd", "mfa"] };
    const outcome = aSignInOutcome({ authentication });
    const bare = aSignInOutcome({ authentication: { acr: null, amr: [] } });
    const { authentication: _unknown, ...unknown } = aSignInOutcome();
    for (const [hash, left] of [
      [first, outcome],
      [second, bare],
      [third, unknown],
    ] as const) {
      await store.signIns.leaveOutcome(hash, left, NOW + 5);
      assert.deepEqual(await store.signIns.takeOutcome(hash, NOW), left);
    }
    await store.signIns.leaveOutcome(first, outcome, NOW + 5);
    await store.signIns.leaveOutcome(first, unknown, NOW + 5);
    assert.deepEqual(await store.signIns.takeOutcome(first, NOW), unknown, "nothing is left of an earlier one");
  });
}
