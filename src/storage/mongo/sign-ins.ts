/** Owns sign-ins under way at an upstream, and what they came to. */

import type { SignInStore } from "../contract.ts";
import type { Seal } from "../seal.ts";
import { openSignIn, sealSignIn } from "../sealed-fields.ts";
import type { MongoDatabase } from "./database.ts";
import { at } from "./documents.ts";

export function createSignInStore(database: MongoDatabase, seal: Seal): SignInStore {
  const { upstreamTransactions, signInOutcomes } = database.collections;

  return {
    begin: (transaction) =>
      database.run(async () => {
        const { stateHash, browserHash, upstreamId, createdAt, expiresAt } = transaction;
        await upstreamTransactions.insertOne({
          ...{ _id: stateHash, browserHash, upstreamId, createdAt: at(createdAt), expiresAt: at(expiresAt) },
          sealedPayload: sealSignIn(seal, transaction),
        });
      }),

    take: ({ stateHash, browserHash, upstreamId, attemptHash }, now) =>
      database.run(async () => {
        const taken = await upstreamTransactions.findOneAndUpdate(
          {
            ...{ _id: stateHash, browserHash: { $in: [browserHash, attemptHash] }, upstreamId },
            expiresAt: { $gt: at(now) },
          },
          { $set: { browserHash: attemptHash } },
        );
        if (taken === null) return undefined;
        const instants = { createdAt: taken.createdAt.getTime(), expiresAt: taken.expiresAt.getTime() };
        return { stateHash, browserHash, upstreamId, ...instants, ...openSignIn(seal, stateHash, taken.sealedPayload) };
      }),

    leaveOutcome: (interactionHash, { accountId, upstreamId, authTime, authentication = null }, expiresAt) =>
      database.run(async () => {
        const outcome = { accountId, upstreamId, authTime, authentication, expiresAt: at(expiresAt) };
        await signInOutcomes.replaceOne({ _id: interactionHash }, outcome, { upsert: true });
      }),

    takeOutcome: (interactionHash, now) =>
      database.run(async () => {
        const taken = await signInOutcomes.findOneAndDelete({ _id: interactionHash, expiresAt: { $gt: at(now) } });
        if (taken === null) return undefined;
        const { accountId, upstreamId, authTime, authentication = null } = taken;
        const outcome = { accountId, upstreamId, authTime };
        return authentication === null ? outcome : { ...outcome, authentication };
      }),
  };
}
