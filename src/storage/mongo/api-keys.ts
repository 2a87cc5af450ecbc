/** Keys of the REST API in MongoDB as they are read; making and removing them is changes.ts's. */

import type { ApiKey } from "../../domain/records.ts";
import type { AdminStore } from "../contract.ts";
import type { MongoDatabase } from "./database.ts";
import { at, toRecord } from "./documents.ts";

export function createApiKeys(
  database: MongoDatabase,
): Pick<AdminStore, "apiKeys" | "apiKey" | "noteApiKeyUse"> {
  const { apiKeys } = database.collections;

  return {
    // Every id is greater than the empty text: this walks the primary key. There are few.
    apiKeys: () =>
      database.run(async () => {
        const found = await apiKeys
          .find({ _id: { $gt: "" } })
          .sort({ _id: 1 })
          .toArray();
        return found
          .map((document) => toRecord<ApiKey>(document))
          .toSorted((one, other) => other.createdAt - one.createdAt);
      }),
    apiKey: (secretHash, now) =>
      database.run(async () => {
        const found = await apiKeys.findOne({ secretHash, expiresAt: { $gt: at(now) } });
        return found === null ? undefined : toRecord<ApiKey>(found);
      }),
    noteApiKeyUse: (id, now) =>
      database.run(
        async () => void (await apiKeys.updateOne({ _id: id }, { $max: { lastUsedAt: at(now) } })),
      ),
  };
}
