/**
 * oidc-provider's sessions in SQLite: artifacts with a uid, whose authorizations are stored client by
 * client, because a session is saved as a whole by each of its portals.
 */

import { asAccountId, asClientId, asGrantId } from "../../domain/ids.ts";
import { as, integer, nullable, type RowOf, text } from "../../sql-columns.ts";
import type { SessionSteps, StoredSession } from "../native-steps.ts";
import type { Database } from "./database.ts";
import { arrayOf, object, value } from "./json.ts";
import { ARTIFACT_COLUMNS, toEncryptedArtifact } from "./rows.ts";

const CLIENTS_JSON = arrayOf(
  object({
    clientId: value("c.client_id", as(text, asClientId)),
    sid: value("c.sid", nullable(text)),
    grantId: value("c.grant_id", nullable(as(text, asGrantId))),
    persistsLogout: value("c.persists_logout", nullable(integer)),
  }),
);
const SESSION = `
  a.id_hash, a.sealed_payload, a.consumed_at,
  (SELECT ${CLIENTS_JSON} FROM session_clients c WHERE c.session_uid = a.session_uid) AS clients`;
const SESSION_COLUMNS = { ...ARTIFACT_COLUMNS, clients: CLIENTS_JSON };

function toSession(row: RowOf<typeof SESSION_COLUMNS>): StoredSession {
  const { idHash, encrypted } = toEncryptedArtifact(row);
  const shares = row.clients.map((client) => {
    const persistsLogout = client.persistsLogout === null ? null : client.persistsLogout === 1;
    return { ...client, persistsLogout };
  });
  return { idHash, encrypted, shares };
}

export function createSessionSteps(database: Database): SessionSteps {
  const upsert = database.prepare(`
    INSERT INTO artifacts (model, id_hash, sealed_payload, account_id, session_uid, expires_at)
    VALUES ('Session', :idHash, :encrypted, :accountId, :uid, :expiresAt)
    ON CONFLICT (model, id_hash) DO UPDATE SET sealed_payload = excluded.sealed_payload,
      account_id = excluded.account_id, session_uid = excluded.session_uid,
      expires_at = excluded.expires_at`);
  const update = database.prepare(`
    UPDATE artifacts SET sealed_payload = :encrypted, account_id = :accountId, session_uid = :uid,
      expires_at = :expiresAt
    WHERE model = 'Session' AND id_hash = :idHash`);
  const anyOfUid = database.prepare("SELECT 1 FROM artifacts WHERE session_uid = :uid LIMIT 1");
  const upsertClient = database.prepare(`
    INSERT INTO session_clients (session_uid, client_id, sid, grant_id, persists_logout)
    VALUES (:uid, :clientId, :sid, :grantId, :persistsLogout)
    ON CONFLICT (session_uid, client_id) DO UPDATE SET sid = excluded.sid, grant_id = excluded.grant_id,
      persists_logout = excluded.persists_logout`);
  const removeClient = database.prepare(
    "DELETE FROM session_clients WHERE session_uid = :uid AND client_id = :clientId",
  );
  const removeReplaced = database.prepare(
    "DELETE FROM artifacts WHERE model = 'Session' AND id_hash = :replaces",
  );
  const selectById = database.prepare(
    `
    SELECT ${SESSION} FROM artifacts a
    WHERE a.model = 'Session' AND a.id_hash = :idHash AND (a.expires_at > :now OR :includeExpired)`,
    SESSION_COLUMNS,
  );
  const selectByUid = database.prepare(
    `
    SELECT ${SESSION} FROM artifacts a
    WHERE a.session_uid = :uid AND a.expires_at > :now ORDER BY a.rowid DESC LIMIT 1`,
    SESSION_COLUMNS,
  );
  const uidOf = database.prepare(
    "SELECT session_uid FROM artifacts WHERE model = 'Session' AND id_hash = :idHash",
    { session_uid: text },
  );
  const sidOf = database.prepare(
    "SELECT sid FROM session_clients WHERE session_uid = :sessionUid AND client_id = :clientId",
    { sid: nullable(text) },
  );
  const accountsOfSession = database.prepare(
    "SELECT account_id FROM artifacts WHERE session_uid = :sessionUid AND expires_at > :now ORDER BY rowid",
    { account_id: nullable(as(text, asAccountId)) },
  );
  // Each half is read from its own index in its order; what is listed already of one id comes once.
  const sessionsOfAccount = database.prepare(
    `
    SELECT * FROM (
      SELECT DISTINCT a.session_uid AS uid FROM artifacts a
      WHERE a.account_id = :accountId AND a.session_uid > :after ORDER BY a.session_uid LIMIT :limit + 0)
    UNION
    SELECT * FROM (
      SELECT DISTINCT s.session_uid AS uid FROM selections s
      WHERE s.account_id = :accountId AND s.session_uid > :after ORDER BY s.session_uid LIMIT :limit + 0)
    ORDER BY uid LIMIT :limit + 0`,
    { uid: text },
  );
  const isSignedIn = database.prepare(`
    SELECT 1 FROM artifacts a
    WHERE a.session_uid = :uid AND a.account_id = :accountId AND a.expires_at > :now LIMIT 1`);
  const removeShares = database.prepare("DELETE FROM session_clients WHERE session_uid = :sessionUid");
  const removeRows = database.prepare("DELETE FROM artifacts WHERE session_uid = :sessionUid");

  return {
    session(idHash, now, includeExpired) {
      const row = selectById.get({ idHash, now, includeExpired: Number(includeExpired) });
      return row && toSession(row);
    },
    sessionByUid(uid, now) {
      const row = selectByUid.get({ uid, now });
      return row && toSession(row);
    },
    saveSession: ({ uid, idHash, encrypted, accountId, expiresAt, ...save }) =>
      database.atomic(() => {
        if (save.isFound && !anyOfUid.isAny({ uid })) return "ended";
        const write = save.appends ? upsert : update;
        const isWritten = write.run({ idHash, encrypted, accountId, uid, expiresAt }) === 1;
        for (const clientId of save.removed) removeClient.run({ uid, clientId });
        for (const { clientId, sid, grantId, persistsLogout: persists } of save.shares) {
          const persistsLogout = persists === null ? null : Number(persists);
          upsertClient.run({ uid, clientId, sid, grantId, persistsLogout });
        }
        if (save.replaces !== undefined) removeReplaced.run({ replaces: save.replaces });
        return isWritten ? "saved" : "rotated";
      }),
    uidOfSession: (idHash) => uidOf.get({ idHash })?.session_uid,
    sidsOf: (signIns) =>
      signIns.map(({ sessionUid, clientId }) => sidOf.get({ sessionUid, clientId })?.sid ?? null),
    accountOfSession(sessionUid, now) {
      const live = accountsOfSession.all({ sessionUid, now });
      if (live.length === 0) return undefined;
      return { accountId: live.findLast((row) => row.account_id !== null)?.account_id ?? null };
    },
    sessionsOfAccount: (accountId, after, limit) =>
      sessionsOfAccount.all({ accountId, after, limit }).map(({ uid }) => uid),
    signedInAmong: (uids, accountId, now) => uids.filter((uid) => isSignedIn.isAny({ uid, accountId, now })),
    removeSession: (sessionUid) =>
      database.atomic(() => {
        removeShares.run({ sessionUid });
        removeRows.run({ sessionUid });
      }),
  };
}
