/**
 * oidc-provider's sessions in SQLite: artifacts with a uid, whose authorizations are stored client by
 * client, because a session is saved as a whole by each of its portals.
 */

import type { Instant } from "../../clock.ts";
import { asClientId, asGrantId, type ClientId, type GrantId } from "../../domain/ids.ts";
import type { SecretHash } from "../../domain/records.ts";
import { as, integer, nullable, type RowOf, text } from "../../sql-columns.ts";
import type { ArtifactStore, SessionAuthorization } from "../contract.ts";
import { decryptPayload, encryptPayload, type Payload } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { tell } from "../intentions/revoking.ts";
import type { Database } from "./database.ts";
import type { SqliteEngine } from "./engine.ts";
import { arrayOf, object, value } from "./json.ts";
import { ARTIFACT_COLUMNS, toEncryptedArtifact } from "./rows.ts";

interface ClientRow {
  clientId: ClientId;
  sid: string | null;
  grantId: GrantId | null;
  persistsLogout: number | null;
}

const CLIENTS_JSON = arrayOf(
  object<ClientRow>({
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

interface SessionMethods
  extends Pick<ArtifactStore, "findSessionByUid" | "upsertSession" | "destroySession"> {
  /** `find` for the model Session. */
  findSession(idHash: SecretHash, now: Instant, includeExpired: number): Payload | undefined;
}

export function createSessionMethods(
  database: Database,
  { durable, engine, encryption }: { durable: Database; engine: SqliteEngine; encryption: FieldEncryption },
): SessionMethods {
  const upsert = database.prepare(`
    INSERT INTO artifacts (model, id_hash, sealed_payload, account_id, session_uid, expires_at)
    VALUES ('Session', :idHash, :payload, :accountId, :uid, :expiresAt)
    ON CONFLICT (model, id_hash) DO UPDATE SET sealed_payload = excluded.sealed_payload,
      account_id = excluded.account_id, session_uid = excluded.session_uid,
      expires_at = excluded.expires_at`);
  const update = database.prepare(`
    UPDATE artifacts SET sealed_payload = :payload, account_id = :accountId, session_uid = :uid,
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
  const uidOf = durable.prepare(
    "SELECT session_uid FROM artifacts WHERE model = 'Session' AND id_hash = :idHash",
    { session_uid: text },
  );
  const removeClients = durable.prepare(`
    DELETE FROM session_clients WHERE session_uid = (
      SELECT session_uid FROM artifacts WHERE model = 'Session' AND id_hash = :idHash)`);
  const removeSiblings = durable.prepare(`
    DELETE FROM artifacts WHERE session_uid = (
      SELECT session_uid FROM artifacts WHERE model = 'Session' AND id_hash = :idHash)`);

  const compose = (row: RowOf<typeof SESSION_COLUMNS> | undefined): Payload | undefined => {
    if (row === undefined) return undefined;
    const payload = decryptPayload(encryption, "Session", toEncryptedArtifact(row));
    const { clients } = row;
    if (clients.length === 0) return payload;
    return {
      ...payload,
      authorizations: Object.fromEntries(clients.map((client) => [client.clientId, share(client)])),
    };
  };

  return {
    findSession: (idHash, now, includeExpired) => compose(selectById.get({ idHash, now, includeExpired })),

    findSessionByUid: (uid, now) => database.run(() => compose(selectByUid.get({ uid, now }))),

    upsertSession: (idHash, payload, session, expiresAt) =>
      database.transaction(() => {
        const { uid, accountId, authorizations, removed, replaces, found = false } = session;
        if (found && !anyOfUid.isAny({ uid })) return "ended";
        // Whether there are authorizations is the payload's to say; which ones is the clients' rows'.
        const stored = "authorizations" in payload ? { ...payload, authorizations: {} } : payload;
        const encrypted = encryptPayload(encryption, "Session", idHash, stored);
        // Under its old id a found session is only ever updated: a row that a racer rotated away must not
        // come back.
        const write = found && replaces === undefined ? update : upsert;
        const written =
          write.run({ idHash, payload: encrypted, accountId: accountId ?? null, uid, expiresAt }) === 1;
        for (const clientId of removed) removeClient.run({ uid, clientId });
        for (const [clientId, { sid, grantId, persistsLogout }] of Object.entries(authorizations)) {
          upsertClient.run({
            uid,
            clientId,
            sid: sid ?? null,
            grantId: grantId ?? null,
            persistsLogout: persistsLogout === undefined ? null : Number(persistsLogout),
          });
        }
        if (replaces !== undefined && replaces !== idHash) removeReplaced.run({ replaces });
        return written ? "saved" : "rotated";
      }),

    destroySession: (idHash, tells) =>
      durable.transaction(() => {
        const row = uidOf.get({ idHash });
        if (row === undefined) return;
        const sessionUid = row.session_uid;
        if (tells !== undefined) {
          const { accountId, clientIds, now } = tells;
          engine.drive(
            tell(
              clientIds.map((clientId) => ({ sessionUid, clientId, accountId })),
              now,
            ),
          );
        }
        removeClients.run({ idHash });
        removeSiblings.run({ idHash });
      }),
  };
}

function share({ sid, grantId, persistsLogout }: ClientRow): SessionAuthorization {
  return {
    ...(sid === null ? {} : { sid }),
    ...(grantId === null ? {} : { grantId }),
    ...(persistsLogout === null ? {} : { persistsLogout: persistsLogout === 1 }),
  };
}
