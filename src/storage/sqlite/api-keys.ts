/** Owns keys of the REST API as they are read; making and removing them is changes.ts's. */

import type { ApiKey } from "../../domain/records.ts";
import type { AdminStore } from "../contract.ts";
import type { Database } from "./database.ts";
import { API_KEY_JSON, parse } from "./rows.ts";

export function createApiKeys(database: Database): Pick<AdminStore, "apiKeys" | "apiKey" | "noteApiKeyUse"> {
  // Every id is greater than the empty text: this walks the primary key.
  const all = database.prepare(
    `SELECT ${API_KEY_JSON} AS record, created_at FROM api_keys WHERE id > '' ORDER BY created_at DESC, id`,
  );
  const bySecret = database.prepare(
    `SELECT ${API_KEY_JSON} AS record FROM api_keys WHERE secret_hash = :secretHash AND expires_at > :now`,
  );
  const noteUse = database.prepare(
    "UPDATE api_keys SET last_used_at = :now WHERE id = :id AND coalesce(last_used_at, 0) < :now",
  );

  return {
    apiKeys: () => database.run(() => all.all().map((row) => parse<ApiKey>(row["record"]))),
    apiKey: (secretHash, now) =>
      database.run(() => {
        const row = bySecret.get({ secretHash, now });
        return row && parse<ApiKey>(row["record"]);
      }),
    noteApiKeyUse: (id, now) => database.run(() => void noteUse.run({ id, now })),
  };
}
