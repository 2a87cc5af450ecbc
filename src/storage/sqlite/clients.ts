/**
 * Registered clients in SQLite. Their secrets are encrypted, not hashed: the protocol needs some of them in
 * plain.
 */

import { asClientId } from "../../domain/ids.ts";
import type { Client, ClientUse } from "../../domain/records.ts";
import { withRefused } from "../../domain/refused-addresses.ts";
import { as, nullable, type RowOf, text } from "../../sql-columns.ts";
import type { ClientStore } from "../contract.ts";
import { contextOf, decryptPreviousSecret, encryptPreviousSecret } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import type { Database } from "./database.ts";
import { object, parsed, stored } from "./json.ts";

/** Reads and writes clients, inside the transaction of whatever needs it. */
export interface ClientWriter {
  find(id: string): Client | undefined;
  put(client: Client): void;
  /** With its uses. */
  remove(id: string): void;
}

/** The rest of a client, as JSON: its metadata's keys are its writer's own. */
type Rest = Omit<Client, "id" | "secret" | "previousSecret" | "managedBy">;

const COLUMNS = {
  id: as(text, asClientId),
  sealed_secret: nullable(text),
  sealed_previous: nullable(text),
  managed_by: text,
  record: parsed<Rest>(),
};
const NAMES = Object.keys(COLUMNS).join(", ");

const USE_JSON = object<ClientUse>({
  clientId: "client_id",
  usedAt: "used_at",
  previousUsedAt: "previous_used_at",
  refusedAddresses: stored("refused_addresses"),
});

export function createClientWriter(database: Database, encryption: FieldEncryption): ClientWriter {
  const select = database.prepare(`SELECT ${NAMES} FROM clients WHERE id = :id`, COLUMNS);
  const upsert = database.prepare(`
    INSERT INTO clients (id, sealed_secret, sealed_previous, managed_by, record)
    VALUES (:id, :secret, :previous, :managedBy, :record)
    ON CONFLICT (id) DO UPDATE SET sealed_secret = excluded.sealed_secret,
      sealed_previous = excluded.sealed_previous, managed_by = excluded.managed_by,
      record = excluded.record`);
  const remove = database.prepare("DELETE FROM clients WHERE id = :id");
  const forgetUses = database.prepare("DELETE FROM client_uses WHERE client_id = :id");

  return {
    find(id) {
      const row = select.get({ id });
      return row && toClient(encryption, row);
    },
    put(client) {
      const { id, secret, previousSecret: _previous, managedBy, ...record } = client;
      upsert.run({
        id,
        managedBy,
        record: JSON.stringify(record),
        previous: encryptPreviousSecret(encryption, client),
        secret: secret === null ? null : encryption.encrypt(secret, contextOf.clientSecret(id)),
      });
    },
    remove(id) {
      remove.run({ id });
      forgetUses.run({ id });
    },
  };
}

export function createClientStore(
  database: Database,
  encryption: FieldEncryption,
  writer: ClientWriter,
): ClientStore {
  // Every id is greater than the empty text: this walks the primary key in order.
  const selectAll = database.prepare(`SELECT ${NAMES} FROM clients WHERE id > '' ORDER BY id`, COLUMNS);
  const noteUse = (column: "used_at" | "previous_used_at") =>
    database.prepare(`
      INSERT INTO client_uses (client_id, ${column}) VALUES (:id, :now)
      ON CONFLICT (client_id) DO UPDATE SET ${column} = max(coalesce(${column}, 0), excluded.${column})`);
  const noteCurrent = noteUse("used_at");
  const notePrevious = noteUse("previous_used_at");
  const selectUses = database.prepare(`SELECT ${USE_JSON} AS record FROM client_uses WHERE client_id = :id`, {
    record: USE_JSON,
  });
  const selectRefused = database.prepare("SELECT refused_addresses FROM client_uses WHERE client_id = :id", {
    refused_addresses: text,
  });
  // Of racers that read the same the first is noted.
  const putRefused = database.prepare(`
    INSERT INTO client_uses (client_id, refused_addresses) VALUES (:id, :refused)
    ON CONFLICT (client_id) DO UPDATE SET refused_addresses = excluded.refused_addresses
    WHERE refused_addresses = :before`);

  return {
    find: (id) => database.run(() => writer.find(id)),
    list: () => database.run(() => selectAll.all().map((row) => toClient(encryption, row))),
    noteUse: (id, secret, now) =>
      database.run(() => void (secret === "current" ? noteCurrent : notePrevious).run({ id, now })),
    noteRefused: (id, refused, now) =>
      database.run(() => {
        const before = selectRefused.get({ id })?.refused_addresses ?? "[]";
        const noted = withRefused(readRefused(before), refused, now);
        if (noted !== undefined) putRefused.run({ id, before, refused: JSON.stringify(noted) });
      }),
    uses: (ids) =>
      database.run(() => ids.flatMap((id) => selectUses.all({ id }).map(({ record }) => record))),
  };
}

const { read: readRefused } = parsed<ClientUse["refusedAddresses"]>();

function toClient(encryption: FieldEncryption, row: RowOf<typeof COLUMNS>): Client {
  const { id, sealed_secret: encrypted, sealed_previous: previous, managed_by: managedBy, record } = row;
  return {
    ...record,
    id,
    secret: encrypted === null ? null : encryption.decrypt(encrypted, contextOf.clientSecret(id)),
    previousSecret: decryptPreviousSecret(encryption, id, previous),
    managedBy: managedBy === "config" ? "config" : "admin",
  };
}
