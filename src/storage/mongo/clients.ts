/**
 * Registered clients in MongoDB. Their secrets are encrypted, not hashed: the protocol needs some of them in
 * plain.
 */

import type { ClientSession } from "mongodb";
import { asClientId } from "../../domain/ids.ts";
import type { Client, ClientUse } from "../../domain/records.ts";
import { withRefused } from "../../domain/refused-addresses.ts";
import type { ClientStore } from "../contract.ts";
import { contextOf, decryptPreviousSecret, encryptPreviousSecret } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { isDuplicate, type MongoDatabase } from "./database.ts";
import { at, type ClientDocument, type ClientUseDocument, toRecord } from "./documents.ts";

/** How often what somebody else wrote between a read and a write is read anew. */
const mostTries = 3;

/** Reads and writes clients, inside the transaction of whatever needs it. */
export interface ClientWriter {
  find(id: string, session?: ClientSession): Promise<Client | undefined>;
  put(client: Client, session: ClientSession): Promise<void>;
  /** With its uses. */
  remove(session: ClientSession, id: string): Promise<void>;
}

export function createClientWriter(
  { collections }: MongoDatabase,
  encryption: FieldEncryption,
): ClientWriter {
  const { clients, clientUses } = collections;
  const within = (session?: ClientSession) => (session === undefined ? {} : { session });

  return {
    async find(id, session) {
      const found = await clients.findOne({ _id: id }, within(session));
      return found === null ? undefined : toClient(encryption, found);
    },
    async put(client, session) {
      const { id, secret, previousSecret: _previous, managedBy, ...record } = client;
      const sealedSecret = secret === null ? null : encryption.encrypt(secret, contextOf.clientSecret(id));
      const sealedPrevious = encryptPreviousSecret(encryption, client);
      const document = { sealedSecret, sealedPrevious, managedBy, record: JSON.stringify(record) };
      await clients.replaceOne({ _id: id }, document, { upsert: true, session });
    },
    async remove(session, id) {
      await clients.deleteOne({ _id: id }, { session });
      await clientUses.deleteOne({ _id: id }, { session });
    },
  };
}

export function createClientStore(
  database: MongoDatabase,
  encryption: FieldEncryption,
  writer: ClientWriter,
): ClientStore {
  const { clients, clientUses } = database.collections;

  const noteUse = async (id: string, field: "usedAt" | "previousUsedAt", now: number) => {
    const other = field === "usedAt" ? "previousUsedAt" : "usedAt";
    const change = { $max: { [field]: at(now) }, $setOnInsert: { [other]: null } };
    const note = () => clientUses.updateOne({ _id: id }, change, { upsert: true });
    await note().catch(async (error: unknown) => {
      // A racer has just made it.
      if (!isDuplicate(error)) throw error;
      await note();
    });
  };

  const noteRefused: ClientStore["noteRefused"] = async (id, refused, now) => {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const found = await clientUses.findOne({ _id: id });
      const before = found?.refusedAddresses;
      const noted = withRefused(before ?? [], refused, now);
      if (noted === undefined) return;
      const change = {
        $set: { refusedAddresses: noted },
        $setOnInsert: { usedAt: null, previousUsedAt: null },
      };
      const asRead = before === undefined ? { $exists: false } : { $eq: before };
      const filter = { _id: id, refusedAddresses: asRead };
      const write = clientUses.updateOne(filter, change, { upsert: found === null });
      const { matchedCount, upsertedCount } = await write.catch((error: unknown) => {
        if (!isDuplicate(error)) throw error;
        return { matchedCount: 0, upsertedCount: 0 };
      });
      if (matchedCount + upsertedCount > 0) return;
    }
  };

  return {
    find: (id) => database.run(() => writer.find(id)),
    // Every id is greater than the empty text: this walks the primary key in order.
    list: () =>
      database.run(async () => {
        const found = await clients
          .find({ _id: { $gt: "" } })
          .sort({ _id: 1 })
          .toArray();
        return found.map((document) => toClient(encryption, document));
      }),
    noteUse: (id, secret, now) =>
      database.run(() => noteUse(id, secret === "current" ? "usedAt" : "previousUsedAt", now)),
    noteRefused: (id, refused, now) => database.run(() => noteRefused(id, refused, now)),
    uses: (ids) =>
      database.run(async () => {
        const found = await clientUses.find({ _id: { $in: [...ids] } }).toArray();
        const uses = new Map(found.map((document) => [document._id, toClientUse(document)]));
        return ids.flatMap((id) => uses.get(id) ?? []);
      }),
  };
}

function toClient(encryption: FieldEncryption, document: ClientDocument): Client {
  const { _id: id, sealedSecret, sealedPrevious = null, managedBy, record } = document;
  return {
    ...(JSON.parse(record) as Omit<Client, "id" | "secret" | "previousSecret" | "managedBy">),
    id: asClientId(id),
    secret: sealedSecret === null ? null : encryption.decrypt(sealedSecret, contextOf.clientSecret(id)),
    previousSecret: decryptPreviousSecret(encryption, id, sealedPrevious),
    managedBy: managedBy === "config" ? "config" : "admin",
  };
}

function toClientUse(document: ClientUseDocument): ClientUse {
  const { refusedAddresses = [] } = document;
  const { id: clientId, ...use } = toRecord<Omit<ClientUse, "clientId"> & { id: string }>(document);
  return { clientId: asClientId(clientId), ...use, refusedAddresses };
}
