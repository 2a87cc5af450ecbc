/** Native steps (../native-steps.ts) in MongoDB: commands of their own, in the transaction's session. */

import { ObjectId } from "mongodb";
import { createArtifactSteps } from "./artifacts.ts";
import { type MongoDatabase, within } from "./database.ts";
import type { MongoSteps } from "./engine.ts";
import { createSessionSteps } from "./sessions.ts";
import { createThrottleSteps } from "./throttles.ts";

export function createNativeSteps(database: MongoDatabase): MongoSteps {
  const { meta, profiles } = database.collections;

  return {
    ...createArtifactSteps(database),
    ...createSessionSteps(database),
    ...createThrottleSteps(database),

    // Each of them sees what the one before has left, which the documents that they write don't see to: two
    // owners may demote each other.
    async excludeOwners(session) {
      const value = new ObjectId().toHexString();
      await meta.updateOne({ _id: "owners" }, { $set: { value } }, { ...within(session), upsert: true });
    },

    async holdProfile(session, _id) {
      await profiles.updateOne({ _id }, { $inc: { selections: 1 } }, within(session));
    },
  };
}
