import assert from "node:assert/strict";
import { asLinkRequestId, asSecretHash, asUpstreamId } from "../../src/domain/ids.ts";
import {
  anAttempt,
  anId,
  anUpstreamTransaction,
  aSignInOutcome,
  hashOf,
  MINUTE,
  NOW,
} from "../support/records.ts";
import { type Case, race } from "./back-end.ts";

export function signInCases(contract: Case): void {
  contract("an upstream transaction round-trips, for every purpose", async ({ store }) => {
    for (const transaction of [
      anUpstreamTransaction(),
      anUpstreamTransaction({
        maxAgeSeconds: null,
        purpose: { kind: "sign_in", interactionUid: anId("interaction") },
      }),
      anUpstreamTransaction({
        maxAgeSeconds: 0,
        purpose: { kind: "decline", requestId: asLinkRequestId(anId("request")), secretHash: hashOf("x") },
      }),
    ]) {
      await store.signIns.begin(transaction);
      assert.deepEqual(await store.signIns.take(anAttempt(transaction), NOW), transaction);
    }
  });

  contract("what a sign-in is begun for is kept longer with it, if it is there still", async ({ store }) => {
    const [interaction, gone] = [hashOf(anId("interaction")), hashOf(anId("interaction"))];
    const [end, until] = [NOW + MINUTE, NOW + 90 * MINUTE];
    await store.artifacts.upsert("Interaction", interaction, { a: 1 }, {}, end);
    for (const idHash of [interaction, interaction, gone]) {
      const transaction = anUpstreamTransaction({ createdAt: NOW });
      await store.signIns.begin(transaction, { model: "Interaction", idHash, until });
      assert.deepEqual(await store.signIns.take(anAttempt(transaction), NOW), transaction);
    }
    assert.deepEqual(await store.artifacts.find("Interaction", interaction, until - 1), { a: 1 });
    assert.equal(await store.artifacts.find("Interaction", interaction, until), undefined);
    assert.equal(await store.artifacts.find("Interaction", gone, NOW), undefined);
    const late = hashOf(anId("interaction"));
    await store.artifacts.upsert("Interaction", late, { a: 1 }, {}, NOW);
    await store.signIns.begin(anUpstreamTransaction({ createdAt: NOW }), {
      model: "Interaction",
      idHash: late,
      until,
    });
    assert.equal(await store.artifacts.find("Interaction", late, NOW), undefined, "none is revived");
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

  contract(
    "U1: an attempt that lost its answer is made again, and nobody else's comes between",
    async ({ store }) => {
      const transaction = anUpstreamTransaction();
      await store.signIns.begin(transaction);
      const attempt = anAttempt(transaction);
      for (let turn = 0; turn < 3; turn += 1) {
        assert.deepEqual(await store.signIns.take(attempt, NOW), transaction);
        assert.equal(await store.signIns.take(anAttempt(transaction), NOW), undefined);
      }
      assert.equal(await store.signIns.take({ ...attempt, stateHash: hashOf("other") }, NOW), undefined);
      assert.equal(
        await store.signIns.take({ ...attempt, upstreamId: asUpstreamId("CONSUMER") }, NOW),
        undefined,
      );
      assert.equal(await store.signIns.take(attempt, transaction.expiresAt), undefined);
    },
  );

  contract(
    "U1, U4: a wrong state, browser or upstream takes nothing and leaves it in place",
    async ({ store }) => {
      const transaction = anUpstreamTransaction();
      await store.signIns.begin(transaction);
      assert.equal(
        await store.signIns.take(anAttempt({ ...transaction, stateHash: hashOf("other") }), NOW),
        undefined,
      );
      assert.equal(
        await store.signIns.take(anAttempt({ ...transaction, browserHash: hashOf("other") }), NOW),
        undefined,
      );
      assert.equal(
        await store.signIns.take(anAttempt({ ...transaction, upstreamId: asUpstreamId("CONSUMER") }), NOW),
        undefined,
      );
      assert.equal(
        await store.signIns.take(
          anAttempt({ ...transaction, stateHash: asSecretHash(transaction.stateHash.toLowerCase()) }),
          NOW,
        ),
        undefined,
      );
      assert.deepEqual(await store.signIns.take(anAttempt(transaction), NOW), transaction);
    },
  );

  contract("a transaction and an outcome end at their exact millisecond", async ({ store }) => {
    const transaction = anUpstreamTransaction();
    const { expiresAt } = transaction;
    await store.signIns.begin(transaction);
    assert.equal(await store.signIns.take(anAttempt(transaction), expiresAt), undefined);
    assert.ok(await store.signIns.take(anAttempt(transaction), expiresAt - 1));
    const interaction = hashOf(anId("interaction"));
    const outcome = aSignInOutcome();
    await store.signIns.leaveOutcome(interaction, outcome, NOW + 5);
    assert.equal(await store.signIns.takeOutcome(interaction, [outcome.proofHash], NOW + 5), undefined);
    assert.ok(await store.signIns.takeOutcome(interaction, [outcome.proofHash], NOW + 4));
  });

  contract("an outcome replaces an earlier one and is taken once", async (opened) => {
    const { store } = opened;
    const interaction = hashOf(anId("interaction"));
    const outcome = aSignInOutcome({ upstreamId: asUpstreamId("second"), proofHash: hashOf("second") });
    const proofs = [hashOf("another"), outcome.proofHash];
    await store.signIns.leaveOutcome(interaction, aSignInOutcome(), NOW + 5);
    await store.signIns.leaveOutcome(interaction, outcome, NOW + 50);
    assert.equal(await store.signIns.takeOutcome(hashOf("other"), proofs, NOW), undefined);
    const taken = await race(opened, 50, (racer) => racer.signIns.takeOutcome(interaction, proofs, NOW + 49));
    assert.deepEqual(
      taken.filter((one) => one !== undefined),
      [outcome],
    );
  });

  contract(
    "L20: an outcome is nobody's without its own proof, and stays for whoever has it",
    async ({ store }) => {
      const interaction = hashOf(anId("interaction"));
      const [earlier, outcome] = [aSignInOutcome(), aSignInOutcome({ proofHash: hashOf("hers") })];
      await store.signIns.leaveOutcome(interaction, earlier, NOW + 50);
      await store.signIns.leaveOutcome(interaction, outcome, NOW + 50);
      for (const proofs of [
        [],
        [earlier.proofHash],
        [asSecretHash(outcome.proofHash.toLowerCase()), hashOf("his")],
      ]) {
        assert.equal(await store.signIns.takeOutcome(interaction, proofs, NOW), undefined);
      }
      assert.deepEqual(await store.signIns.takeOutcome(interaction, [outcome.proofHash], NOW), outcome);
    },
  );

  contract("what a taken sign-in was begun for is told to its own browser alone", async ({ store }) => {
    const transaction = anUpstreamTransaction();
    const { purpose, expiresAt } = transaction;
    await store.signIns.begin(transaction);
    assert.equal(await store.signIns.purposeOfTaken(transaction, NOW), undefined, "nobody has taken it");
    await store.signIns.take(anAttempt(transaction), NOW);
    assert.deepEqual(await store.signIns.purposeOfTaken(transaction, NOW), purpose);
    for (const other of [
      { browserHash: hashOf("other") },
      { stateHash: hashOf("other") },
      { upstreamId: asUpstreamId("CONSUMER") },
    ]) {
      assert.equal(await store.signIns.purposeOfTaken({ ...transaction, ...other }, NOW), undefined);
    }
    assert.equal(await store.signIns.purposeOfTaken(transaction, expiresAt), undefined);
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
      assert.deepEqual(await store.signIns.takeOutcome(hash, [left.proofHash], NOW), left);
    }
    await store.signIns.leaveOutcome(first, outcome, NOW + 5);
    await store.signIns.leaveOutcome(first, unknown, NOW + 5);
    assert.deepEqual(
      await store.signIns.takeOutcome(first, [unknown.proofHash], NOW),
      unknown,
      "nothing is left of an earlier one",
    );
  });
}
