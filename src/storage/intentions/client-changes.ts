/** What an administrator does to clients: see AdminChange. */

import { clientRemoved, clientSecretRotated, clientWritten } from "../../domain/audit-entries.ts";
import type { ClientId } from "../../domain/records.ts";
import { clientRevision } from "../../domain/revision.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { type Appliers, refuse } from "./applying.ts";
import { audit } from "./audit.ts";
import { findClient, putClient, removeClient } from "./clients.ts";
import { endGrants } from "./revoking.ts";

export function clientChanges(
  encryption: FieldEncryption,
): Pick<Appliers, "register_client" | "edit_client" | "rotate_secret" | "remove_client"> {
  function* stored(id: ClientId) {
    const client = yield* findClient(id, encryption);
    return client?.managedBy === "admin" ? client : refuse("missing");
  }
  return {
    *register_client({ client }, { actor, now }) {
      if ((yield* findClient(client.id, encryption)) !== undefined) refuse("exists");
      yield* putClient(client, encryption);
      yield* audit(...clientWritten(undefined, client, { actor, at: now }));
      return undefined;
    },
    *edit_client({ client, revision }, { actor, now }) {
      const before = yield* stored(client.id);
      if (clientRevision(before) !== revision) refuse("changed");
      const { secret, previousSecret, managedBy } = before;
      yield* putClient({ ...client, secret, previousSecret, managedBy }, encryption);
      yield* audit(...clientWritten(before, client, { actor, at: now }));
      return undefined;
    },
    *rotate_secret({ clientId, secret, previousUntil }, { actor, now }) {
      const before = yield* stored(clientId);
      if (before.secret === null) return refuse("missing");
      const previousSecret = { secret: before.secret, until: previousUntil };
      yield* putClient({ ...before, secret, previousSecret }, encryption);
      yield* audit(clientSecretRotated(clientId, previousUntil, { actor, at: now }));
      return undefined;
    },
    *remove_client({ clientId }, { actor, now }) {
      const before = yield* stored(clientId);
      yield* endGrants({ kind: "client", id: clientId }, now);
      yield* removeClient(clientId);
      yield* audit(clientRemoved(before, { actor, at: now }));
      return undefined;
    },
  };
}
