/**
 * oidc-provider's artifacts in MongoDB: its tokens, grants and interactions. Its sessions are sessions.ts's.
 */

import type { ClientSession } from "mongodb";
import type { Instant } from "../../clock.ts";
import { endingKey } from "../../domain/endings.ts";
import type { ClientId } from "../../domain/records.ts";
import { LEAST_EXTENSION_MS } from "../artifact-extension.ts";
import type { ArtifactExtension, ArtifactStore } from "../contract.ts";
import { decryptPayload, encryptPayload } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { isDuplicate, type MongoDatabase } from "./database.ts";
import { at } from "./documents.ts";
import { artifactId, type Revoker } from "./revoker.ts";
import { createSessionMethods } from "./sessions.ts";

/** See ArtifactStore.extend. */
export async function extendArtifact(
  { artifacts }: Pick<MongoDatabase["collections"], "artifacts">,
  { model, idHash, until }: ArtifactExtension,
  now: Instant,
): Promise<boolean> {
  const isSooner = { $gt: at(now), $lt: at(until - LEAST_EXTENSION_MS) };
  const { modifiedCount } = await artifacts.updateOne(
    { _id: artifactId(model, idHash), expiresAt: isSooner },
    { $set: { expiresAt: at(until) } },
  );
  return modifiedCount === 1;
}

export function createArtifactStore(
  database: MongoDatabase,
  encryption: FieldEncryption,
  revoker: Revoker,
): ArtifactStore {
  const { artifacts, selections, endings } = database.collections;
  const { findSession, ...sessionMethods } = createSessionMethods(database, encryption);
  /** How many endings a client's own tokens are under. */
  const endingsOf = async (clientId: ClientId) =>
    (await endings.findOne({ _id: endingKey({ kind: "client", id: clientId }) }))?.count ?? 0;

  return {
    ...sessionMethods,

    upsert: (model, idHash, payload, { grantId, accountId, clientId }, expiresAt) =>
      database.run(async () => {
        const sealedPayload = encryptPayload(encryption, model, idHash, payload);
        const ofClient = clientId ? { clientId, endings: await endingsOf(clientId) } : {};
        const keys = { ...(grantId ? { grantId } : {}), ...(accountId ? { accountId } : {}), ...ofClient };
        const absent = (["grantId", "accountId", "clientId", "endings"] as const).filter(
          (key) => !(key in keys),
        );
        const $set = { sealedPayload, expiresAt: at(expiresAt), ...keys };
        const $unset = Object.fromEntries(absent.map((key) => [key, "" as const]));
        const update = absent.length > 0 ? { $set, $unset } : { $set };
        await artifacts.updateOne({ _id: artifactId(model, idHash) }, update, { upsert: true });
      }),

    insertOnce: (model, idHash, expiresAt, now) =>
      database.run(async () => {
        try {
          await artifacts.updateOne(
            { _id: artifactId(model, idHash), expiresAt: { $lte: at(now) } },
            { $set: { expiresAt: at(expiresAt) }, $unset: { sealedPayload: "", consumed: "" } },
            { upsert: true },
          );
          return true;
        } catch (error) {
          if (isDuplicate(error)) return false;
          throw error;
        }
      }),

    find: (model, idHash, now, { includeExpired = false } = {}) =>
      database.run(async () => {
        if (model === "Session") return findSession(idHash, now, includeExpired);
        const found = await artifacts.findOne({
          _id: artifactId(model, idHash),
          ...(includeExpired ? {} : { expiresAt: { $gt: at(now) } }),
        });
        if (found === null) return undefined;
        const { sealedPayload: encrypted = null, consumed = null, clientId, endings = 0 } = found;
        if (clientId !== undefined && (await endingsOf(clientId)) !== endings) return undefined;
        return decryptPayload(encryption, model, { idHash, encrypted, consumed });
      }),

    consume: (model, idHash, now, { ends = [] } = {}) => {
      const take = async (session?: ClientSession) => {
        const { modifiedCount } = await artifacts.updateOne(
          { _id: artifactId(model, idHash), consumed: { $exists: false }, expiresAt: { $gt: at(now) } },
          { $set: { consumed: Math.floor(now / 1000) } },
          session === undefined ? {} : { session },
        );
        return modifiedCount === 1;
      };
      if (ends.length === 0) return database.run(() => take());
      return database.transaction(async (session) => {
        const isWon = await take(session);
        if (isWon) await revoker.grants(session, ends);
        return isWon;
      });
    },

    destroy: (model, idHash) =>
      database.run(async () => void (await artifacts.deleteOne({ _id: artifactId(model, idHash) }))),

    extend: (artifact, now) => database.run(() => extendArtifact(database.collections, artifact, now)),

    revokeGrant: (grantId, { signIn } = {}) =>
      database.transaction(async (session) => {
        const options = { session, projection: { _id: 1 } } as const;
        const others = signIn === undefined ? [] : await selections.find({ ...signIn }, options).toArray();
        await revoker.grants(session, [grantId, ...others.map(({ _id }) => _id)]);
      }),
  };
}
