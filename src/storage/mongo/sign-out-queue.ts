/**
 * Queues what tells portals that sign-ins have ended, inside the transaction of whatever ends them (SignOut).
 */

import { randomUUID } from "node:crypto";
import { type ClientSession, ObjectId } from "mongodb";
import type { Instant } from "../../clock.ts";
import type { Selection } from "../../domain/records.ts";
import type { MongoDatabase } from "./database.ts";
import { at } from "./documents.ts";

/** Queues some, under the ids that the clients know the sessions by: call it while those are there. */
export type SignOutQueue = (
  session: ClientSession,
  told: readonly Pick<Selection, "sessionUid" | "clientId" | "accountId">[],
  now: Instant,
) => Promise<void>;

export function createSignOutQueue({ sessions, signOuts }: MongoDatabase["collections"]): SignOutQueue {
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
