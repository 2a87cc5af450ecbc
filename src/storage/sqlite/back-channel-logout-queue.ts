/**
 * The queue of back-channel logouts (OpenID Connect Back-Channel Logout 1.0), which tell portals that a
 * sign-in has ended: written inside the transaction of whatever ends it.
 */

import { randomUUID } from "node:crypto";
import type { Instant } from "../../clock.ts";
import type { Selection } from "../../domain/records.ts";
import type { Database } from "./database.ts";

/** Queues one, under the id that the client knows the session by: call it while that is there. */
export type BackChannelLogoutQueue = (
  signIn: Pick<Selection, "sessionUid" | "clientId" | "accountId">,
  now: Instant,
) => void;

export function createBackChannelLogoutQueue(database: Database): BackChannelLogoutQueue {
  const insert = database.prepare(`
    INSERT INTO sign_outs (id, client_id, account_id, sid, created_at, due_at, attempts)
    VALUES (:id, :clientId, :accountId,
      (SELECT sid FROM session_clients WHERE session_uid = :sessionUid AND client_id = :clientId), :now,
        :now, 0)`);
  return ({ clientId, accountId, sessionUid }, now) =>
    void insert.run({ id: randomUUID(), clientId, accountId, sessionUid, now });
}
