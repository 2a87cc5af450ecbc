/** Native steps (../native-steps.ts) in MongoDB: commands of their own, in the transaction's session. */

import { createHash } from "node:crypto";
import { type ClientSession, ObjectId } from "mongodb";
import { asSecretHash } from "../../domain/ids.ts";
import type { GrantId } from "../../domain/records.ts";
import { TOKEN_MODELS } from "../../domain/selecting.ts";
import type { MongoDatabase } from "./database.ts";
import { artifactId, at } from "./documents.ts";
import type { MongoSteps } from "./engine.ts";
import type { ThrottleWriter } from "./throttles.ts";

/** The ids of artifacts that are tokens. */
const TOKEN_ID = new RegExp(`^(?:${TOKEN_MODELS.join("|")}):`);

const within = (session: ClientSession | undefined) => (session === undefined ? {} : { session });

export function createNativeSteps({ collections }: MongoDatabase, throttles: ThrottleWriter): MongoSteps {
  const { artifacts, meta, sessions } = collections;

  return {
    takeSlot: (session, keyHash, limit, now) => throttles.take(keyHash, limit, now, session),
    giveSlotBack: (session, keyHash) => throttles.giveBack(keyHash, session),
    reservePlace: (session, keyHash, limit, now, longestMs) =>
      throttles.reserve(keyHash, limit, now, longestMs, session),

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
