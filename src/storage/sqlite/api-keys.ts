/** Keys of the REST API in SQLite as they are read; making and removing them is changes.ts's. */

import type { AdminStore } from "../contract.ts";
import type { Database } from "./database.ts";
import { API_KEY_JSON } from "./rows.ts";

export function createApiKeys(database: Database): Pick<AdminStore, "apiKeys" | "apiKey" | "noteApiKeyUse"> {
  // Every id is greater than the empty text: this walks the primary key.
  const all = database.prepare(
    `SELECT ${API_KEY_JSON} AS record FROM api_keys WHERE id > '' ORDER BY created_at DESC, id`,
    { record: API_KEY_JSON },
  );
  const bySecret = database.prepare(
    `SELECT ${API_KEY_JSON} AS record FROM api_keys WHERE secret_hash = :secretHash AND expires_at > :now`,
    { record: API_KEY_JSON },
  );
  const noteUse = database.prepare(
    "UPDATE api_keys SET last_used_at = :now WHERE id = :id AND coalesce(last_used_at, 0) < :now",
  );

  return {
    apiKeys: () => database.run(() => all.all().map(({ record }) => record)),
    apiKey: (secretHash, now) => database.run(() => bySecret.get({ secretHash, now })?.record),
    noteApiKeyUse: (id, now) => database.run(() => void noteUse.run({ id, now })),
  };
}
