/** Sign-ins under way at an upstream, in memory, and what they came to; limits; keys. */

import type { KeyStore, SignInStore, ThrottleStore } from "../../../src/storage/contract.ts";
import type { KeyHash } from "../../../src/storage/encrypted-fields.ts";
import { call, type Engine, first, get, insert, put, remove, update } from "../../../src/storage/steps.ts";
import { extendArtifact } from "./artifacts.ts";
import { takeSome } from "./native-steps.ts";
import { keys, signInOutcomes, upstreamTransactions } from "./tables.ts";

export function createSignInStore(engine: Engine): SignInStore {
  return {
    begin: (transaction, extension) =>
      engine.run(function* () {
        const { stateHash, browserHash, upstreamId, createdAt, expiresAt } = transaction;
        const row = { stateHash, browserHash, upstreamId, transaction, expiresAt, attemptHash: null };
        yield* insert(upstreamTransactions, row);
        if (extension !== undefined) yield* extendArtifact(extension, createdAt);
      }),

    take: ({ attemptHash, ...callback }, now) =>
      engine.run(function* () {
        const row = yield* first(upstreamTransactions, { ...callback, expiresAt: { gt: now } });
        if (row === undefined || (row.attemptHash ?? attemptHash) !== attemptHash) return undefined;
        yield* update(upstreamTransactions, { stateHash: row.stateHash }, { attemptHash });
        return row.transaction;
      }),

    purposeOfTaken: ({ stateHash, browserHash, upstreamId }, now) =>
      engine.run(function* () {
        const taken = { attemptHash: { not: null }, expiresAt: { gt: now } };
        const own = { stateHash, browserHash, upstreamId, ...taken };
        return (yield* first(upstreamTransactions, own))?.transaction.purpose;
      }),

    leaveOutcome: (interactionHash, outcome, expiresAt) =>
      engine.run(() => {
        const { proofHash } = outcome;
        return put(signInOutcomes, { interactionHash, proofHash, outcome, expiresAt });
      }),

    takeOutcome: (interactionHash, proofHashes, now) =>
      engine.run(function* () {
        const one = { interactionHash, proofHash: { in: proofHashes }, expiresAt: { gt: now } };
        const row = yield* first(signInOutcomes, one);
        yield* remove(signInOutcomes, one);
        return row?.outcome;
      }),
  };
}

export function createThrottleStore(engine: Engine, hash: KeyHash): ThrottleStore {
  return {
    takeSlot: (key, limit, windowSeconds, now) =>
      engine.run(function* () {
        const slot = yield* call("takeSlot", hash(key), { limit, windowSeconds }, now);
        return { taken: slot.taken, resetsAt: slot.resetsAt };
      }),
    takeSlots: (key, wanted, limit, now) =>
      engine.run(function* () {
        const { taken, resetsAt } = yield* takeSome(hash(key), wanted, limit, now);
        return { taken, resetsAt };
      }),
  };
}

export function createKeyStore(engine: Engine): KeyStore {
  return {
    async findOrCreate(name, make) {
      const known = await engine.run(() => get(keys, name));
      const value = known?.value ?? (await make());
      return await engine.run(function* () {
        const stored = yield* get(keys, name);
        if (stored === undefined) yield* insert(keys, { name, value });
        return stored?.value ?? value;
      });
    },
  };
}
