/** Sign-ins under way at an upstream, in MongoDB, and what they came to. */

import type { SignInStore } from "../contract.ts";
import { decryptSignIn, encryptSignIn } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { extendArtifact } from "./artifacts.ts";
import type { MongoDatabase } from "./database.ts";
import { at } from "./documents.ts";

export function createSignInStore(database: MongoDatabase, encryption: FieldEncryption): SignInStore {
  const { upstreamTransactions, signInOutcomes } = database.collections;

  return {
    begin: (transaction, extension) =>
      database.run(async () => {
        const { stateHash, browserHash, upstreamId, createdAt, expiresAt } = transaction;
        const inserted = upstreamTransactions.insertOne({
          _id: stateHash,
          browserHash,
          upstreamId,
          createdAt: at(createdAt),
          expiresAt: at(expiresAt),
          sealedPayload: encryptSignIn(encryption, transaction),
        });
        const extended =
          extension === undefined ? undefined : extendArtifact(database.collections, extension, createdAt);
        await Promise.all([inserted, extended]);
      }),

    take: ({ stateHash, browserHash, upstreamId, attemptHash }, now) =>
      database.run(async () => {
        const taken = await upstreamTransactions.findOneAndUpdate(
          {
            _id: stateHash,
            browserHash,
            upstreamId,
            attemptHash: { $in: [null, attemptHash] },
            expiresAt: { $gt: at(now) },
          },
          { $set: { attemptHash } },
        );
        if (taken === null) return undefined;
        const instants = { createdAt: taken.createdAt.getTime(), expiresAt: taken.expiresAt.getTime() };
        return {
          stateHash,
          browserHash,
          upstreamId,
          ...instants,
          ...decryptSignIn(encryption, stateHash, taken.sealedPayload),
        };
      }),

    purposeOfTaken: ({ stateHash, browserHash, upstreamId }, now) =>
      database.run(async () => {
        const taken = await upstreamTransactions.findOne({
          _id: stateHash,
          browserHash,
          upstreamId,
          attemptHash: { $gt: "" },
          expiresAt: { $gt: at(now) },
        });
        return taken === null ? undefined : decryptSignIn(encryption, stateHash, taken.sealedPayload).purpose;
      }),

    leaveOutcome: (interactionHash, { authentication = null, ...left }, expiresAt) =>
      database.run(async () => {
        const { accountId, upstreamId, authTime, proofHash } = left;
        const outcome = {
          accountId,
          upstreamId,
          authTime,
          proofHash,
          authentication,
          expiresAt: at(expiresAt),
        };
        await signInOutcomes.replaceOne({ _id: interactionHash }, outcome, { upsert: true });
      }),

    takeOutcome: (interactionHash, proofHashes, now) =>
      database.run(async () => {
        const proofHash = { $in: [...proofHashes] };
        const expiresAt = { $gt: at(now) };
        const taken = await signInOutcomes.findOneAndDelete({ _id: interactionHash, proofHash, expiresAt });
        if (taken?.proofHash === undefined) return undefined;
        const { accountId, upstreamId, authTime, authentication = null } = taken;
        const outcome = { accountId, upstreamId, authTime, proofHash: taken.proofHash };
        return authentication === null ? outcome : { ...outcome, authentication };
      }),
  };
}
