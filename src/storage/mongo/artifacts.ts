/** oidc-provider's tokens, grants and interactions in MongoDB. Its sessions are sessions.ts's. */

import { createHash } from "node:crypto";
import type { ClientSession } from "mongodb";
import { endingKey } from "../../domain/endings.ts";
import { asSecretHash } from "../../domain/ids.ts";
import type { ClientId, GrantId } from "../../domain/records.ts";
import { TOKEN_MODELS } from "../../domain/selecting.ts";
import { LEAST_EXTENSION_MS } from "../artifact-extension.ts";
import type { ArtifactSteps } from "../native-steps.ts";
import { isDuplicate, type MongoDatabase, within } from "./database.ts";
import { artifactId, at } from "./documents.ts";
import type { InMongo } from "./engine.ts";

/** The ids of artifacts that are tokens. */
const TOKEN_ID = new RegExp(`^(?:${TOKEN_MODELS.join("|")}):`);

export function createArtifactSteps({ collections }: MongoDatabase): InMongo<ArtifactSteps> {
  const { artifacts, endings, sessions } = collections;

  /** How many endings a client's own tokens are under. */
  const endingsOf = async (session: ClientSession | undefined, clientId: ClientId) => {
    const its = { _id: endingKey({ kind: "client", id: clientId }) };
    return (await endings.findOne(its, within(session)))?.count ?? 0;
  };

  return {
    async putArtifact(session, model, idHash, sealedPayload, { grantId, accountId, clientId }, expiresAt) {
      const ofClient = clientId ? { clientId, endings: await endingsOf(session, clientId) } : {};
      const keys = { ...(grantId ? { grantId } : {}), ...(accountId ? { accountId } : {}), ...ofClient };
      const absent = (["grantId", "accountId", "clientId", "endings"] as const).filter(
        (key) => !(key in keys),
      );
      const $set = { sealedPayload, expiresAt: at(expiresAt), ...keys };
      const $unset = Object.fromEntries(absent.map((key) => [key, "" as const]));
      const update = absent.length > 0 ? { $set, $unset } : { $set };
      const options = { ...within(session), upsert: true };
      await artifacts.updateOne({ _id: artifactId(model, idHash) }, update, options);
    },

    async insertOnce(session, model, idHash, expiresAt, now) {
      const isOver = { _id: artifactId(model, idHash), expiresAt: { $lte: at(now) } };
      const anew = {
        $set: { expiresAt: at(expiresAt) },
        $unset: { sealedPayload: "", consumed: "" },
      } as const;
      try {
        await artifacts.updateOne(isOver, anew, { ...within(session), upsert: true });
        return true;
      } catch (error) {
        if (isDuplicate(error)) return false;
        throw error;
      }
    },

    async artifact(session, model, idHash, now, includeExpired) {
      const its = { _id: artifactId(model, idHash) };
      const filter = includeExpired ? its : { ...its, expiresAt: { $gt: at(now) } };
      const found = await artifacts.findOne(filter, within(session));
      if (found === null) return undefined;
      const { sealedPayload: encrypted = null, consumed = null, clientId, endings = 0 } = found;
      if (clientId !== undefined && (await endingsOf(session, clientId)) !== endings) return undefined;
      return { idHash, encrypted, consumed };
    },

    async consumeArtifact(session, model, idHash, now) {
      const { modifiedCount } = await artifacts.updateOne(
        { _id: artifactId(model, idHash), consumed: { $exists: false }, expiresAt: { $gt: at(now) } },
        { $set: { consumed: Math.floor(now / 1000) } },
        within(session),
      );
      return modifiedCount === 1;
    },

    async removeArtifact(session, model, idHash) {
      await artifacts.deleteOne({ _id: artifactId(model, idHash) }, within(session));
    },

    async extendArtifact(session, { model, idHash, until }, now) {
      const isSooner = { $gt: at(now), $lt: at(until - LEAST_EXTENSION_MS) };
      const its = { _id: artifactId(model, idHash), expiresAt: isSooner };
      const change = { $set: { expiresAt: at(until) } };
      return (await artifacts.updateOne(its, change, within(session))).modifiedCount === 1;
    },

    // Of sessions, whose rows are removed, too, it counts both.
    async removeExpiredArtifacts(session, now, limit) {
      const isOver = { expiresAt: { $lte: at(now) } };
      const options = { ...within(session), projection: { _id: 1 }, sort: { expiresAt: 1 }, limit } as const;
      const tokens = (await artifacts.find(isOver, options).toArray()).map(({ _id }) => _id);
      const ended = (await sessions.find(isOver, options).toArray()).map(({ _id }) => _id);
      // Rows that parallel resumes left behind in sessions that go on.
      const isLeftOver = { "rows.expiresAt": { $lte: at(now) }, expiresAt: { $gt: at(now) } };
      const byRow = { ...options, sort: { "rows.expiresAt": 1 } } as const;
      const live = (await sessions.find(isLeftOver, byRow).toArray()).map(({ _id }) => _id);
      // What was prolonged meanwhile stays.
      const gone = [
        tokens.length > 0 &&
          (await artifacts.deleteMany({ _id: { $in: tokens }, ...isOver }, within(session))).deletedCount,
        ended.length > 0 &&
          (await sessions.deleteMany({ _id: { $in: ended }, ...isOver }, within(session))).deletedCount,
        live.length > 0 &&
          (await sessions.updateMany({ _id: { $in: live } }, { $pull: { rows: isOver } }, within(session)))
            .modifiedCount,
      ];
      return gone.reduce<number>((sum, count) => sum + Number(count), 0);
    },

    async removeTokens(session, grantIds, most) {
      const found = await artifacts
        .find({ grantId: { $in: [...grantIds] } }, { ...within(session), projection: { grantId: 1 } })
        .limit(most)
        .toArray();
      if (found.length > 0)
        await artifacts.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } }, within(session));
      return found.length;
    },

    async removeGrants(session, grantIds) {
      const hashes = grantIds.map((grantId) => createHash("sha256").update(grantId).digest("base64url"));
      const ids = hashes.map((hash) => artifactId("Grant", asSecretHash(hash)));
      await artifacts.deleteMany({ _id: { $in: ids } }, within(session));
    },

    async redeemedAmong(session, grantIds) {
      const given = artifacts.aggregate<{ _id: GrantId }>(
        [
          {
            $match: {
              grantId: { $in: [...grantIds] },
              $or: [{ _id: TOKEN_ID }, { consumed: { $exists: true } }],
            },
          },
          { $group: { _id: "$grantId" } },
        ],
        within(session),
      );
      return (await given.toArray()).map(({ _id }) => _id);
    },
  };
}
