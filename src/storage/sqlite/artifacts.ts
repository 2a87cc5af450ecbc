/** oidc-provider's tokens, grants and interactions in SQLite. Its sessions are sessions.ts's. */

import { createHash } from "node:crypto";
import { TOKEN_MODELS } from "../../domain/selecting.ts";
import { nullable, text } from "../../sql-columns.ts";
import { LEAST_EXTENSION_MS } from "../artifact-extension.ts";
import type { ArtifactSteps } from "../native-steps.ts";
import type { Database } from "./database.ts";
import { endingsOfClient } from "./endings.ts";
import { ARTIFACT_COLUMNS, toEncryptedArtifact } from "./rows.ts";

export function createArtifactSteps(database: Database): ArtifactSteps {
  const put = database.prepare(`
    INSERT INTO artifacts (model, id_hash, sealed_payload, grant_id, account_id, client_id, endings,
      expires_at)
    VALUES (:model, :idHash, :encrypted, :grantId, :accountId, :clientId,
      iif(:clientId IS NULL, 0, ${endingsOfClient(":clientId")}), :expiresAt)
    ON CONFLICT (model, id_hash) DO UPDATE SET sealed_payload = excluded.sealed_payload,
      grant_id = excluded.grant_id, account_id = excluded.account_id, client_id = excluded.client_id,
      endings = excluded.endings, expires_at = excluded.expires_at`);
  const insertOnce = database.prepare(`
    INSERT INTO artifacts (model, id_hash, expires_at) VALUES (:model, :idHash, :expiresAt)
    ON CONFLICT (model, id_hash) DO UPDATE SET sealed_payload = NULL, consumed_at = NULL,
      expires_at = excluded.expires_at
    WHERE artifacts.expires_at <= :now`);
  const select = database.prepare(
    `
    SELECT id_hash, sealed_payload, consumed_at FROM artifacts
    WHERE model = :model AND id_hash = :idHash AND (expires_at > :now OR :includeExpired)
      AND (client_id IS NULL OR endings = ${endingsOfClient("client_id")})`,
    ARTIFACT_COLUMNS,
  );
  const consume = database.prepare(`
    UPDATE artifacts SET consumed_at = :seconds
    WHERE model = :model AND id_hash = :idHash AND consumed_at IS NULL AND expires_at > :now`);
  const extend = database.prepare(`
    UPDATE artifacts SET expires_at = :until
    WHERE model = :model AND id_hash = :idHash AND expires_at > :now AND expires_at < :until -
      ${LEAST_EXTENSION_MS}`);
  const remove = database.prepare("DELETE FROM artifacts WHERE model = :model AND id_hash = :idHash");
  const removeExpired = database.prepare(
    `
    DELETE FROM artifacts WHERE rowid IN (
      SELECT rowid FROM artifacts WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit + 0)
    RETURNING session_uid`,
    { session_uid: nullable(text) },
  );
  // A session's clients end with the last of its rows.
  const removeOrphans = database.prepare(`
    DELETE FROM session_clients WHERE session_uid = :uid
      AND NOT EXISTS (SELECT 1 FROM artifacts WHERE session_uid = :uid)`);
  const removeTokens = database.prepare(`
    DELETE FROM artifacts
    WHERE rowid IN (SELECT rowid FROM artifacts WHERE grant_id = :grantId LIMIT :most + 0)`);
  const isRedeemed = database.prepare(`
    SELECT 1 FROM artifacts
    WHERE grant_id = :grantId
      AND (model IN (${TOKEN_MODELS.map((model) => `'${model}'`).join(", ")}) OR consumed_at IS NOT NULL)
    LIMIT 1`);

  return {
    putArtifact(model, idHash, encrypted, { grantId = null, accountId = null, clientId = null }, expiresAt) {
      put.run({ model, idHash, encrypted, grantId, accountId, clientId, expiresAt });
    },
    insertOnce: (model, idHash, expiresAt, now) => insertOnce.run({ model, idHash, expiresAt, now }) === 1,
    artifact(model, idHash, now, includeExpired) {
      const row = select.get({ model, idHash, now, includeExpired: Number(includeExpired) });
      return row && toEncryptedArtifact(row);
    },
    consumeArtifact: (model, idHash, now) =>
      consume.run({ model, idHash, now, seconds: Math.floor(now / 1000) }) === 1,
    removeArtifact: (model, idHash) => void remove.run({ model, idHash }),
    extendArtifact: ({ model, idHash, until }, now) => extend.run({ model, idHash, until, now }) === 1,
    removeExpiredArtifacts: (now, limit) =>
      database.atomic(() => {
        const rows = removeExpired.all({ now, limit });
        const uids = new Set(rows.map((row) => row.session_uid));
        for (const uid of uids) if (uid !== null) removeOrphans.run({ uid });
        return rows.length;
      }),
    removeTokens(grantIds, most) {
      let gone = 0;
      for (const grantId of grantIds) gone += removeTokens.run({ grantId, most: most - gone });
      return gone;
    },
    removeGrants(grantIds) {
      for (const grantId of grantIds)
        remove.run({ model: "Grant", idHash: createHash("sha256").update(grantId).digest("base64url") });
    },
    redeemedAmong: (grantIds) => grantIds.filter((grantId) => isRedeemed.isAny({ grantId })),
  };
}
