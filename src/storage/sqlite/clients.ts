/** Owns registered clients. Their secrets are sealed, not hashed: the protocol needs some of them in plain. */

import type { ClientStore } from "../contract.ts";
import type { Client } from "../records.ts";
import type { Seal } from "../seal.ts";
import { sealedAt } from "../sealed-fields.ts";
import type { Database, Row } from "./database.ts";
import { parse, text } from "./rows.ts";

export function createClientStore(database: Database, seal: Seal): ClientStore {
  const columns = "id, sealed_secret, managed_by, record";
  const select = database.prepare(`SELECT ${columns} FROM clients WHERE id = :id`);
  // Every id is greater than the empty text: this walks the primary key in order.
  const selectAll = database.prepare(`SELECT ${columns} FROM clients WHERE id > '' ORDER BY id`);
  const upsert = database.prepare(`
    INSERT INTO clients (id, sealed_secret, managed_by, record) VALUES (:id, :secret, :managedBy, :record)
    ON CONFLICT (id) DO UPDATE SET sealed_secret = excluded.sealed_secret, managed_by = excluded.managed_by,
      record = excluded.record`);
  const remove = database.prepare("DELETE FROM clients WHERE id = :id");

  const toClient = (row: Row): Client => {
    const id = text(row["id"]);
    const sealed = row["sealed_secret"];
    const secret = sealed === null ? null : seal.open(text(sealed), sealedAt.clientSecret(id));
    const managedBy = row["managed_by"] === "config" ? "config" : "admin";
    return { ...parse<Omit<Client, "id" | "secret" | "managedBy">>(row["record"]), id, secret, managedBy };
  };

  return {
    find: (id) =>
      database.run(() => {
        const row = select.get({ id });
        return row && toClient(row);
      }),
    list: () => database.run(() => selectAll.all().map(toClient)),
    put: ({ id, secret, managedBy, ...record }) =>
      database.run(() => {
        const sealed = secret === null ? null : seal.seal(secret, sealedAt.clientSecret(id));
        upsert.run({ id, secret: sealed, managedBy, record: JSON.stringify(record) });
      }),
    remove: (id) =>
      database.run(() => {
        remove.run({ id });
      }),
  };
}
