/**
 * oidc-provider's sessions in MongoDB. A session is one document under its uid, with a row for each id that
 * names it and a share for each client, because it is saved as a whole by each of its portals: every save is
 * one conditional write of that document.
 */

import type { Instant } from "../../clock.ts";
import { asClientId, type ClientId } from "../../domain/ids.ts";
import type { SecretHash } from "../../domain/records.ts";
import type { ArtifactStore, SessionAuthorization } from "../contract.ts";
import { decryptPayload, encryptPayload, type Payload } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { tell } from "../intentions/revoking.ts";
import { isDuplicate, type MongoDatabase } from "./database.ts";
import { at, type Documents } from "./documents.ts";
import type { MongoEngine } from "./engine.ts";
import type { Stage } from "./typed-collection.ts";

type SessionDocument = Documents["sessions"];
type Row = SessionDocument["rows"][number];
type Share = SessionDocument["clients"][number];

interface SessionMethods
  extends Pick<ArtifactStore, "findSessionByUid" | "upsertSession" | "destroySession"> {
  /** `find` for the model Session. */
  findSession(idHash: SecretHash, now: Instant, includeExpired: boolean): Promise<Payload | undefined>;
}

export function createSessionMethods(
  database: MongoDatabase,
  engine: MongoEngine,
  encryption: FieldEncryption,
): SessionMethods {
  const { sessions } = database.collections;

  const compose = ({ clients }: SessionDocument, row: Row | undefined): Payload | undefined => {
    if (row === undefined) return undefined;
    const { idHash, sealedPayload: encrypted } = row;
    const payload = decryptPayload(encryption, "Session", { idHash, encrypted, consumed: null });
    if (clients.length === 0) return payload;
    return {
      ...payload,
      authorizations: Object.fromEntries(clients.map((client) => [client.clientId, toShare(client)])),
    };
  };

  return {
    findSession: async (idHash, now, includeExpired) => {
      const found = await sessions.findOne({ "rows.idHash": idHash });
      const isIt = (row: Row) => row.idHash === idHash && (includeExpired || row.expiresAt.getTime() > now);
      return found === null ? undefined : compose(found, found.rows.find(isIt));
    },

    findSessionByUid: (uid, now) =>
      database.run(async () => {
        const found = await sessions.findOne({ _id: uid });
        return found === null
          ? undefined
          : compose(
              found,
              found.rows.findLast((row) => row.expiresAt.getTime() > now),
            );
      }),

    upsertSession: (idHash, payload, session, expiresAt) =>
      database.run(async () => {
        const { uid, accountId = null, authorizations, removed, replaces, found = false } = session;
        // Whether there are authorizations is the payload's to say; which ones is the clients' entries'.
        const stored = "authorizations" in payload ? { ...payload, authorizations: {} } : payload;
        const row = {
          idHash,
          sealedPayload: encryptPayload(encryption, "Session", idHash, stored),
          accountId,
          expiresAt: at(expiresAt),
        };
        const change = saved({
          row,
          // Under its old id a found session is only ever updated: a row that a racer rotated away must not
          // come back.
          appends: !found || replaces !== undefined,
          replaces: replaces === idHash ? undefined : replaces,
          removed,
          shares: Object.entries(authorizations).map(([clientId, share]) =>
            fromShare(asClientId(clientId), share),
          ),
        });
        const save = () =>
          sessions.findOneAndUpdate({ _id: uid }, change, {
            upsert: !found,
            returnDocument: "before",
            projection: { "rows.idHash": 1 },
          });
        const before = await save().catch((error: unknown) => {
          // Two first saves at once: the second is an update by now.
          if (!found && isDuplicate(error)) return save();
          throw error;
        });
        if (!found) return "saved";
        if (before === null) return "ended";
        return replaces !== undefined || before.rows.some((other) => other.idHash === idHash)
          ? "saved"
          : "rotated";
      }),

    destroySession: (idHash, tells) => {
      const its = { "rows.idHash": idHash };
      if (tells === undefined) return database.run(async () => void (await sessions.deleteOne(its)));
      return database.transaction(async (session) => {
        const { accountId, clientIds, now } = tells;
        const found = await sessions.findOne(its, { session, projection: { _id: 1 } });
        if (found === null) return;
        const told = clientIds.map((clientId) => ({ sessionUid: found._id, clientId, accountId }));
        await engine.drive(session, tell(told, now));
        await sessions.deleteOne({ _id: found._id }, { session });
      });
    },
  };
}

interface Save {
  row: Row;
  /** Whether the row is added if there is none of its id. */
  appends: boolean;
  replaces: SecretHash | undefined;
  removed: readonly string[];
  shares: readonly Share[];
}

/** The save as one update that the server works out on the document as it finds it. */
function saved({ row, appends, replaces, removed, shares }: Save): Stage<SessionDocument>[] {
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

function fromShare(clientId: ClientId, { sid, grantId, persistsLogout }: SessionAuthorization): Share {
  return { clientId, sid: sid ?? null, grantId: grantId ?? null, persistsLogout: persistsLogout ?? null };
}

function toShare({ sid, grantId, persistsLogout }: Share): SessionAuthorization {
  return {
    ...(sid === null ? {} : { sid }),
    ...(grantId === null ? {} : { grantId }),
    ...(persistsLogout === null ? {} : { persistsLogout }),
  };
}
