/**
 * The queue of back-channel logouts (OpenID Connect Back-Channel Logout 1.0), which tell portals that a
 * sign-in has ended: written inside the transaction of whatever ends it.
 */

import { randomUUID } from "node:crypto";
import { type ClientSession, ObjectId } from "mongodb";
import type { Instant } from "../../clock.ts";
import type { Selection } from "../../domain/records.ts";
import type { MongoDatabase } from "./database.ts";
import { at } from "./documents.ts";

/** Queues some, under the ids that the clients know the sessions by: call it while those are there. */
export type BackChannelLogoutQueue = (
  session: ClientSession,
  told: readonly Pick<Selection, "sessionUid" | "clientId" | "accountId">[],
  now: Instant,
) => Promise<void>;

export function createBackChannelLogoutQueue({
  sessions,
  signOuts,
}: MongoDatabase["collections"]): BackChannelLogoutQueue {
  return async (session, told, now) => {
    if (told.length === 0) return;
    const uids = [...new Set(told.map(({ sessionUid }) => sessionUid))];
    const found = await sessions
      .find({ _id: { $in: uids } }, { session, projection: { clients: 1 } })
      .toArray();
    const clientsOf = new Map(found.map(({ _id, clients }) => [_id, clients]));
    await signOuts.insertMany(
      told.map(({ sessionUid, clientId, accountId }) => {
        const sid = clientsOf.get(sessionUid)?.find((client) => client.clientId === clientId)?.sid ?? null;
        const times = { createdAt: at(now), dueAt: at(now) };
        const id = { _id: randomUUID(), seq: new ObjectId() };
        return { ...id, clientId, accountId, sid, ...times, attempts: 0, leaseWorker: null };
      }),
      { session },
    );
  };
}
