/**
 * Clients in a store, registered and edited by the change that an administrator's request comes to, past the
 * checks that requests have to pass.
 */

import assert from "node:assert/strict";
import type { Instant } from "../../src/clock.ts";
import type { Client } from "../../src/domain/records.ts";
import { clientRevision } from "../../src/domain/revision.ts";
import type { AdminChange, Store } from "../../src/storage/contract.ts";
import { NOW } from "./records.ts";

async function apply(store: Store, change: AdminChange, now: Instant): Promise<void> {
  const { result } = await store.administration.apply(change, { actor: "admin:seed", now });
  assert.equal(result, "done");
}

export function registerClient(store: Store, client: Client, now: Instant = NOW): Promise<void> {
  return apply(store, { kind: "register_client", client }, now);
}

/** Stores what was edited of a client that the administration manages; its secrets stay. */
export async function editClient(store: Store, edited: Client, now: Instant = NOW): Promise<void> {
  const before = (await store.clients.find(edited.id)) ?? assert.fail("there is no such client");
  await apply(store, { kind: "edit_client", client: edited, revision: clientRevision(before) }, now);
}

export function removeClient(store: Store, clientId: Client["id"], now: Instant = NOW): Promise<void> {
  return apply(store, { kind: "remove_client", clientId }, now);
}
