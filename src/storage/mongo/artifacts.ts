/**
 * oidc-provider's artifacts in MongoDB: its tokens, grants and interactions. Its sessions are sessions.ts's.
 */

import type { ClientSession } from "mongodb";
import { endingKey } from "../../domain/endings.ts";
import type { ClientId } from "../../domain/records.ts";
import type { ArtifactStore } from "../contract.ts";
import { decryptPayload, encryptPayload } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { revokeGrants } from "../intentions/revoking.ts";
import { call } from "../steps.ts";
import { isDuplicate, type MongoDatabase, within } from "./database.ts";
import { artifactId, at } from "./documents.ts";
import type { MongoEngine } from "./engine.ts";
import { createSessionMethods } from "./sessions.ts";

export function createArtifactStore(
  database: MongoDatabase,
  encryption: FieldEncryption,
  engine: MongoEngine,
): ArtifactStore {
  const { artifacts, selections, endings } = database.collections;
  const { findSession, ...sessionMethods } = createSessionMethods(database, engine, encryption);
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
          within(session),
        );
        return modifiedCount === 1;
      };
      if (ends.length === 0) return database.run(() => take());
      return database.transaction(async (session) => {
        const isWon = await take(session);
        if (isWon) await engine.drive(session, revokeGrants(ends));
        return isWon;
      });
    },

    destroy: (model, idHash) =>
      database.run(async () => void (await artifacts.deleteOne({ _id: artifactId(model, idHash) }))),

    extend: (artifact, now) => engine.run(() => call("extendArtifact", artifact, now)),

    revokeGrant: (grantId, { signIn } = {}) =>
      database.transaction(async (session) => {
        const options = { session, projection: { _id: 1 } } as const;
        const others = signIn === undefined ? [] : await selections.find({ ...signIn }, options).toArray();
        await engine.drive(session, revokeGrants([grantId, ...others.map(({ _id }) => _id)]));
      }),
  };
}
