/**
 * oidc-provider's sessions in MongoDB. A session is one document under its uid, with a row for each id that
 * names it and a share for each client, because it is saved as a whole by each of its portals: every save is
 * one conditional write of that document.
 */

import type { SessionSave, SessionSteps, StoredSession } from "../native-steps.ts";
import { isDuplicate, type MongoDatabase, within } from "./database.ts";
import { at, type Documents } from "./documents.ts";
import type { InMongo } from "./engine.ts";
import type { Stage } from "./typed-collection.ts";

type SessionDocument = Documents["sessions"];
type Row = SessionDocument["rows"][number];

function toSession({ clients: shares }: SessionDocument, row: Row | undefined): StoredSession | undefined {
  return row && { idHash: row.idHash, encrypted: row.sealedPayload, shares };
}

export function createSessionSteps({ collections }: MongoDatabase): InMongo<SessionSteps> {
  const { selections, sessions } = collections;

  return {
    async session(session, idHash, now, includeExpired) {
      const found = await sessions.findOne({ "rows.idHash": idHash }, within(session));
      const isIt = (row: Row) => row.idHash === idHash && (includeExpired || row.expiresAt.getTime() > now);
      return found === null ? undefined : toSession(found, found.rows.find(isIt));
    },

    async sessionByUid(session, uid, now) {
      const found = await sessions.findOne({ _id: uid }, within(session));
      const isOn = (row: Row) => row.expiresAt.getTime() > now;
      return found === null ? undefined : toSession(found, found.rows.findLast(isOn));
    },

    async saveSession(session, save) {
      const { uid, idHash, encrypted: sealedPayload, accountId, expiresAt, isFound, appends } = save;
      const change = saved({ idHash, sealedPayload, accountId, expiresAt: at(expiresAt) }, save);
      const write = () =>
        sessions.findOneAndUpdate({ _id: uid }, change, {
          ...within(session),
          upsert: !isFound,
          returnDocument: "before",
          projection: { "rows.idHash": 1 },
        });
      const before = await write().catch((error: unknown) => {
        // Two first saves at once: the second is an update by now.
        if (!isFound && isDuplicate(error)) return write();
        throw error;
      });
      if (!isFound) return "saved";
      if (before === null) return "ended";
      return appends || before.rows.some((other) => other.idHash === idHash) ? "saved" : "rotated";
    },

    async uidOfSession(session, idHash) {
      const options = { ...within(session), projection: { _id: 1 } } as const;
      return (await sessions.findOne({ "rows.idHash": idHash }, options))?._id;
    },

    async sidsOf(session, signIns) {
      const uids = [...new Set(signIns.map(({ sessionUid }) => sessionUid))];
      const found = await sessions
        .find({ _id: { $in: uids } }, { ...within(session), projection: { clients: 1 } })
        .toArray();
      const clientsOf = new Map(found.map(({ _id, clients }) => [_id, clients]));
      return signIns.map(
        ({ sessionUid, clientId }) =>
          clientsOf.get(sessionUid)?.find((client) => client.clientId === clientId)?.sid ?? null,
      );
    },

    async accountOfSession(session, sessionUid, now) {
      const isOn = { _id: sessionUid, expiresAt: { $gt: at(now) } };
      const found = await sessions.findOne(isOn, within(session));
      if (found === null) return undefined;
      const live = found.rows.filter(({ expiresAt }) => expiresAt.getTime() > now);
      return { accountId: live.findLast(({ accountId }) => accountId !== null)?.accountId ?? null };
    },

    async sessionsOfAccount(session, accountId, after, limit) {
      const ofBrowsers = await sessions
        .find(
          { "rows.accountId": accountId, _id: { $gt: after } },
          { ...within(session), projection: { _id: 1 } },
        )
        .sort({ _id: 1 })
        .limit(limit)
        .toArray();
      // Each once, however many grants it has: a read goes on behind the last that the one before found.
      const ofGrants = new Set<string>();
      for (let last = after; ofGrants.size < limit; ) {
        const found = await selections
          .find(
            { accountId, sessionUid: { $gt: last } },
            { ...within(session), projection: { sessionUid: 1 } },
          )
          .sort({ sessionUid: 1 })
          .limit(limit)
          .toArray();
        for (const { sessionUid } of found) ofGrants.add(sessionUid);
        if (found.length < limit) break;
        last = found.at(-1)?.sessionUid ?? last;
      }
      // By code point, as the server sorts.
      return [...new Set([...ofBrowsers.map(({ _id }) => _id), ...ofGrants])].toSorted().slice(0, limit);
    },

    async signedInAmong(session, uids, accountId, now) {
      const row = { $elemMatch: { accountId, expiresAt: { $gt: at(now) } } };
      const its = { _id: { $in: [...uids] }, rows: row };
      const found = await sessions.find(its, { ...within(session), projection: { _id: 1 } }).toArray();
      return found.map(({ _id }) => _id);
    },

    async removeSession(session, sessionUid) {
      await sessions.deleteOne({ _id: sessionUid }, within(session));
    },
  };
}

/** The save as one update that the server works out on the document as it finds it. */
function saved(row: Row, { appends, replaces, removed, shares }: SessionSave): Stage<SessionDocument>[] {
  const rows = { $ifNull: ["$rows", []] };
  const literal = { $literal: row };
  const isIt = { $in: [row.idHash, { $ifNull: ["$rows.idHash", []] }] };
  const others = { $filter: { input: rows, as: "row", cond: { $ne: ["$$row.idHash", replaces ?? null] } } };
  const inPlace = {
    $map: {
      input: others,
      as: "row",
      in: { $cond: [{ $eq: ["$$row.idHash", row.idHash] }, literal, "$$row"] },
    },
  };
  const appended = appends ? { $cond: [isIt, inPlace, { $concatArrays: [inPlace, [literal]] }] } : inPlace;
  const changed = [...removed, ...shares.map(({ clientId }) => clientId)];
  const untouched = {
    $filter: {
      input: { $ifNull: ["$clients", []] },
      as: "client",
      cond: { $not: { $in: ["$$client.clientId", { $literal: changed }] } },
    },
  };
  const clients = { $concatArrays: [untouched, { $literal: shares }] };
  return [{ $set: { rows: appended, clients } }, { $set: { expiresAt: { $max: "$rows.expiresAt" } } }];
}
