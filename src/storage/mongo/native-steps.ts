/** Native steps (../native-steps.ts) in MongoDB: commands of their own, in the transaction's session. */

import { createHash } from "node:crypto";
import { ObjectId } from "mongodb";
import { asSecretHash } from "../../domain/ids.ts";
import type { GrantId } from "../../domain/records.ts";
import { TOKEN_MODELS } from "../../domain/selecting.ts";
import { LEAST_EXTENSION_MS } from "../artifact-extension.ts";
import { type MongoDatabase, within } from "./database.ts";
import { artifactId, at } from "./documents.ts";
import type { MongoSteps } from "./engine.ts";
import { createThrottleSteps } from "./throttles.ts";

/** The ids of artifacts that are tokens. */
const TOKEN_ID = new RegExp(`^(?:${TOKEN_MODELS.join("|")}):`);

export function createNativeSteps(database: MongoDatabase): MongoSteps {
  const { artifacts, meta, sessions } = database.collections;

  return {
    ...createThrottleSteps(database),

    async extendArtifact(session, { model, idHash, until }, now) {
      const isSooner = { $gt: at(now), $lt: at(until - LEAST_EXTENSION_MS) };
      const its = { _id: artifactId(model, idHash), expiresAt: isSooner };
      const change = { $set: { expiresAt: at(until) } };
      return (await artifacts.updateOne(its, change, within(session))).modifiedCount === 1;
    },

    // Each of them sees what the one before has left, which the documents that they write don't see to: two
    // owners may demote each other.
    async excludeOwners(session) {
      const value = new ObjectId().toHexString();
      await meta.updateOne({ _id: "owners" }, { $set: { value } }, { ...within(session), upsert: true });
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

    async sidsOf(session, signIns) {
      const uids = [...new Set(signIns.map(({ sessionUid }) => sessionUid))];
      const found = await sessions
        .find({ _id: { $in: uids } }, { ...within(session), projection: { clients: 1 } })
        .toArray();
      const clientsOf = new Map(found.map(({ _id, clients }) => [_id, clients]));
      return signIns.map(
        ({ sessionUid, clientId }) =>
          clientsOf.get(sessionUid)?.find((client) => client.clientId === clientId)?.sid ?? null,
      );
    },

    async accountOfSession(session, sessionUid, now) {
      const isOn = { _id: sessionUid, expiresAt: { $gt: at(now) } };
      const found = await sessions.findOne(isOn, within(session));
      if (found === null) return undefined;
      const row = found.rows.findLast(({ expiresAt }) => expiresAt.getTime() > now);
      return { accountId: row?.accountId ?? null };
    },

    async removeSession(session, sessionUid) {
      await sessions.deleteOne({ _id: sessionUid }, within(session));
    },
  };
}
