/** Owns registered clients. Their secrets are sealed, not hashed: the protocol needs some of them in plain. */

import type { ClientStore } from "../contract.ts";
import type { Client } from "../records.ts";
import type { Seal } from "../seal.ts";
import { sealedAt } from "../sealed-fields.ts";
import type { MongoDatabase } from "./database.ts";
import type { ClientDocument } from "./documents.ts";

export function createClientStore(database: MongoDatabase, seal: Seal): ClientStore {
  const { clients } = database.collections;

  const toClient = ({ _id: id, sealedSecret, managedBy, record }: ClientDocument): Client => ({
    ...(JSON.parse(record) as Omit<Client, "id" | "secret" | "managedBy">),
    id,
    secret: sealedSecret === null ? null : seal.open(sealedSecret, sealedAt.clientSecret(id)),
    managedBy: managedBy === "config" ? "config" : "admin",
  });

  return {
    find: (id) =>
      database.run(async () => {
        const found = await clients.findOne({ _id: id });
        return found === null ? undefined : toClient(found);
      }),
    // Every id is greater than the empty text: this walks the primary key in order.
    list: () =>
      database.run(async () => {
        const found = await clients
          .find({ _id: { $gt: "" } })
          .sort({ _id: 1 })
          .toArray();
        return found.map(toClient);
      }),
    put: ({ id, secret, managedBy, ...record }) =>
      database.run(async () => {
        const sealedSecret = secret === null ? null : seal.seal(secret, sealedAt.clientSecret(id));
        const client = { sealedSecret, managedBy, record: JSON.stringify(record) };
        await clients.replaceOne({ _id: id }, client, { upsert: true });
      }),
    remove: (id) => database.run(async () => void (await clients.deleteOne({ _id: id }))),
  };
}
