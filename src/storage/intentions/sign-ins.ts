/** Sign-ins under way at an upstream, and what they came to. Each of these is one step. */

import type { SignInStore } from "../contract.ts";
import { decryptSignIn, encryptSignIn } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { call, type Engine, first, insert, put, take, takeOut } from "../steps.ts";
import { signInOutcomes, upstreamTransactions } from "../tables.ts";

export function createSignInStore(engine: Engine, encryption: FieldEncryption): SignInStore {
  return {
    async begin(transaction, extension) {
      const { stateHash, browserHash, upstreamId, createdAt, expiresAt } = transaction;
      const sealedPayload = encryptSignIn(encryption, transaction);
      const its = { stateHash, browserHash, upstreamId, createdAt, expiresAt };
      // Neither rests on the other.
      await Promise.all([
        engine.run(() => insert(upstreamTransactions, { ...its, sealedPayload, attemptHash: null })),
        extension && engine.run(() => call("extendArtifact", extension, createdAt)),
      ]);
    },

    take: ({ stateHash, browserHash, upstreamId, attemptHash }, now) =>
      engine.run(function* () {
        const its = { stateHash, browserHash, upstreamId, expiresAt: { gt: now } };
        const isFree = { attemptHash: { in: [null, attemptHash] } };
        const taken = yield* take(upstreamTransactions, { ...its, ...isFree }, { attemptHash }, {});
        if (taken === undefined) return undefined;
        const { sealedPayload, attemptHash: _own, ...transaction } = taken;
        return { ...transaction, ...decryptSignIn(encryption, stateHash, sealedPayload) };
      }),

    purposeOfTaken: ({ stateHash, browserHash, upstreamId }, now) =>
      engine.run(function* () {
        const its = { stateHash, browserHash, upstreamId, expiresAt: { gt: now } };
        const taken = yield* first(upstreamTransactions, { ...its, attemptHash: { not: null } });
        return taken && decryptSignIn(encryption, stateHash, taken.sealedPayload).purpose;
      }),

    leaveOutcome: (interactionHash, outcome, expiresAt) =>
      engine.run(function* () {
        const { accountId, upstreamId, authTime, proofHash, authentication = null } = outcome;
        const left = { accountId, upstreamId, authTime, proofHash, authentication };
        yield* put(signInOutcomes, { interactionHash, ...left, expiresAt });
      }),

    takeOutcome: (interactionHash, proofHashes, now) =>
      engine.run(function* () {
        const proven = { interactionHash, proofHash: { in: proofHashes }, expiresAt: { gt: now } };
        const taken = yield* takeOut(signInOutcomes, proven);
        if (taken === undefined) return undefined;
        const { accountId, upstreamId, authTime, proofHash, authentication } = taken;
        const outcome = { accountId, upstreamId, authTime, proofHash };
        return authentication === null ? outcome : { ...outcome, authentication };
      }),
  };
}
