/**
 * Lists of an account's sessions in MongoDB: those that browsers are signed in with, and those that grants
 * alone are left of.
 */

import type { Instant } from "../../clock.ts";
import type { AccountId, ClientId } from "../../domain/records.ts";
import type { AccountSession, AdminStore } from "../contract.ts";
import { readPage } from "../paging.ts";
import type { MongoDatabase } from "./database.ts";
import { at, type SelectionDocument } from "./documents.ts";
import { standingStages } from "./endings.ts";
import type { Pipeline } from "./typed-collection.ts";

export function createSessionLists(database: MongoDatabase): Pick<AdminStore, "sessions" | "session"> {
  const { selections, sessions } = database.collections;

  const ofBrowsers = async (accountId: AccountId, after: string, limit: number): Promise<string[]> => {
    const behind = { "rows.accountId": accountId, _id: { $gt: after } };
    const found = await sessions
      .find(behind, { projection: { _id: 1 } })
      .sort({ _id: 1 })
      .limit(limit)
      .toArray();
    return found.map(({ _id }) => _id);
  };

  /** Each once, however many grants it has: a read goes on behind the last that the one before found. */
  const ofGrants = async (accountId: AccountId, after: string, limit: number): Promise<string[]> => {
    const uids = new Set<string>();
    for (let last = after; uids.size < limit; ) {
      const found = await selections
        .find({ accountId, sessionUid: { $gt: last } }, { projection: { sessionUid: 1 } })
        .sort({ sessionUid: 1 })
        .limit(limit)
        .toArray();
      for (const { sessionUid } of found) uids.add(sessionUid);
      if (found.length < limit) break;
      last = found.at(-1)?.sessionUid ?? last;
    }
    return [...uids].slice(0, limit);
  };

  /** Of these sessions of an account those that stand. */
  const stand = async (
    uids: readonly string[],
    accountId: AccountId,
    now: Instant,
  ): Promise<AccountSession[]> => {
    const isLater = { $gt: at(now) };
    const row = { $elemMatch: { accountId, expiresAt: isLater } };
    const open = await sessions
      .find({ _id: { $in: [...uids] }, rows: row }, { projection: { _id: 1 } })
      .toArray();
    const clients = await selections
      .aggregate<{ _id: string; clientIds: ClientId[] }>([
        { $match: { sessionUid: { $in: uids }, accountId, expiresAt: isLater } },
        ...standingStages,
        { $group: { _id: "$sessionUid", clientIds: { $addToSet: "$clientId" } } },
      ])
      .toArray();
    const isOpen = new Set(open.map(({ _id }) => _id));
    const clientsOf = new Map(clients.map(({ _id, clientIds }) => [_id, clientIds.toSorted()]));
    return uids
      .filter((uid) => isOpen.has(uid) || clientsOf.has(uid))
      .map((sessionUid) => ({ sessionUid, accountId, clientIds: clientsOf.get(sessionUid) ?? [] }));
  };

  /** Whose a session is that stands. */
  const whose = async (uid: string, now: Instant): Promise<AccountId | undefined> => {
    const found = await sessions.findOne({ _id: uid });
    const row = found?.rows.findLast(
      ({ accountId, expiresAt }) => accountId !== null && expiresAt.getTime() > now,
    );
    if (row?.accountId != null) return row.accountId;
    const stages: Pipeline<SelectionDocument> = [
      { $match: { sessionUid: uid, expiresAt: { $gt: at(now) } } },
      ...standingStages,
      { $limit: 1 },
    ];
    const [left] = await selections.aggregate<SelectionDocument>(stages).toArray();
    return left?.accountId;
  };

  return {
    sessions: (accountId, page, now) =>
      database.run(() =>
        readPage<{ uid: string; session: AccountSession | undefined }, AccountSession>({
          page,
          begin: [""],
          placeOf: ({ uid }) => [uid],
          item: ({ session }) => session,
          fetch: async ([place], limit) => {
            const after = String(place);
            const all = [
              await ofBrowsers(accountId, after, limit),
              await ofGrants(accountId, after, limit),
            ].flat();
            // By code point, as the server sorts.
            const uids = [...new Set(all)].toSorted().slice(0, limit);
            const standing = await stand(uids, accountId, now);
            const byUid = new Map(standing.map((session) => [session.sessionUid, session]));
            return uids.map((uid) => ({ uid, session: byUid.get(uid) }));
          },
        }),
      ),
    session: (uid, now) =>
      database.run(async () => {
        const accountId = await whose(uid, now);
        return accountId === undefined ? undefined : (await stand([uid], accountId, now))[0];
      }),
  };
}
