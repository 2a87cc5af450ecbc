/**
 * Registered clients, and when each was used. Their secrets are encrypted, not hashed: the protocol needs
 * some of them in plain.
 */

import type { Client, ClientId } from "../../domain/records.ts";
import { withRefused } from "../../domain/refused-addresses.ts";
import type { ClientStore } from "../contract.ts";
import { contextOf, decryptPreviousSecret, encryptPreviousSecret } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { type Engine, get, getAll, insert, list, put, remove, type Steps, update } from "../steps.ts";
import { clients, clientUses, type Row } from "../tables.ts";

/** The rest of a client, as JSON: its metadata's keys are its writer's own. */
type Rest = Omit<Client, "id" | "secret" | "previousSecret" | "managedBy">;

export function* findClient(id: ClientId, encryption: FieldEncryption): Steps<Client | undefined> {
  const row = yield* get(clients, id);
  return row && toClient(row, encryption);
}

export function* putClient(client: Client, encryption: FieldEncryption): Steps<void> {
  const { id, secret, previousSecret: _previous, managedBy, ...record } = client;
  yield* put(clients, {
    id,
    managedBy,
    record: JSON.stringify(record),
    sealedPrevious: encryptPreviousSecret(encryption, client),
    sealedSecret: secret === null ? null : encryption.encrypt(secret, contextOf.clientSecret(id)),
  });
}

/** With its uses. */
export function* removeClient(id: ClientId): Steps<void> {
  yield* remove(clients, { id });
  yield* remove(clientUses, { clientId: id });
}

function toClient(row: Row<typeof clients>, encryption: FieldEncryption): Client {
  const { id, sealedSecret, sealedPrevious, managedBy, record } = row;
  return {
    ...(JSON.parse(record) as Rest),
    id,
    secret: sealedSecret === null ? null : encryption.decrypt(sealedSecret, contextOf.clientSecret(id)),
    previousSecret: decryptPreviousSecret(encryption, id, sealedPrevious),
    managedBy: managedBy === "config" ? "config" : "admin",
  };
}

export function createClientStore(engine: Engine, encryption: FieldEncryption): ClientStore {
  return {
    find: (id) => engine.run(() => findClient(id, encryption)),
    list: () =>
      engine.run(function* () {
        // Every id is greater than the empty text: this walks the primary key in order.
        const rows = yield* list(clients, {}, { order: ["id"], behind: [""] });
        return rows.map((row) => toClient(row, encryption));
      }),
    noteUse: (id, secret, now) =>
      engine.transaction(function* () {
        const row = yield* get(clientUses, id);
        const field = secret === "current" ? "usedAt" : "previousUsedAt";
        if (row === undefined) yield* insert(clientUses, { ...unused(id), [field]: now });
        else if ((row[field] ?? 0) < now) yield* update(clientUses, { clientId: id }, { [field]: now });
      }),
    noteRefused: (id, refused, now) =>
      engine.transaction(function* () {
        const row = yield* get(clientUses, id);
        const noted = withRefused(row?.refusedAddresses ?? [], refused, now);
        if (noted === undefined) return;
        yield* put(clientUses, { ...(row ?? unused(id)), refusedAddresses: noted });
      }),
    uses: (ids) =>
      engine.run(function* () {
        const uses = new Map((yield* getAll(clientUses, ids)).map((row) => [row.clientId, row]));
        return ids.flatMap((id) => uses.get(id) ?? []);
      }),
  };
}

const unused = (clientId: ClientId): Row<typeof clientUses> => {
  return { clientId, usedAt: null, previousUsedAt: null, refusedAddresses: [] };
};
