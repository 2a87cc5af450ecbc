/**
 * oidc-provider's artifacts in SQLite: its tokens, grants and interactions. Its sessions are sessions.ts's.
 */

import { asGrantId } from "../../domain/ids.ts";
import { as, text } from "../../sql-columns.ts";
import type { ArtifactStore } from "../contract.ts";
import { decryptPayload, encryptPayload } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { revokeGrants } from "../intentions/revoking.ts";
import { call } from "../steps.ts";
import type { Database } from "./database.ts";
import { endingsOfClient } from "./endings.ts";
import type { SqliteEngine } from "./engine.ts";
import { ARTIFACT_COLUMNS, toEncryptedArtifact } from "./rows.ts";
import { createSessionMethods } from "./sessions.ts";

export interface ArtifactParts {
  /** For endings, which must not come undone. */
  durable: Database;
  /** For what may be lost in a power cut, as long as a killed process loses nothing. */
  fast: Database;
  engine: SqliteEngine;
  shortLived: SqliteEngine;
  encryption: FieldEncryption;
}

export function createArtifactStore(parts: ArtifactParts): ArtifactStore {
  const { durable, fast: database, engine, shortLived, encryption } = parts;
  const upsert = database.prepare(`
    INSERT INTO artifacts (model, id_hash, sealed_payload, grant_id, account_id, client_id, endings,
      expires_at)
    VALUES (:model, :idHash, :payload, :grantId, :accountId, :clientId,
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
  const consume = `
    UPDATE artifacts SET consumed_at = :seconds
    WHERE model = :model AND id_hash = :idHash AND consumed_at IS NULL AND expires_at > :now`;
  const consumeAlone = database.prepare(consume);
  const consumeForGood = durable.prepare(consume);
  const ofSignIn = durable.prepare(
    "SELECT grant_id FROM selections WHERE session_uid = :sessionUid AND client_id = :clientId",
    { grant_id: as(text, asGrantId) },
  );
  const destroy = database.prepare("DELETE FROM artifacts WHERE model = :model AND id_hash = :idHash");
  const { findSession, ...sessionMethods } = createSessionMethods(database, { durable, engine, encryption });

  return {
    ...sessionMethods,

    upsert: (model, idHash, payload, keys, expiresAt) =>
      database.run(() => {
        upsert.run({
          model,
          idHash,
          grantId: keys.grantId ?? null,
          accountId: keys.accountId ?? null,
          clientId: keys.clientId ?? null,
          expiresAt,
          payload: encryptPayload(encryption, model, idHash, payload),
        });
      }),

    insertOnce: (model, idHash, expiresAt, now) =>
      database.run(() => insertOnce.run({ model, idHash, expiresAt, now }) === 1),

    find: (model, idHash, now, options = {}) =>
      database.run(() => {
        const includeExpired = Number(options.includeExpired ?? false);
        if (model === "Session") return findSession(idHash, now, includeExpired);
        const row = select.get({ model, idHash, now, includeExpired });
        return row && decryptPayload(encryption, model, toEncryptedArtifact(row));
      }),

    consume: (model, idHash, now, { ends = [] } = {}) => {
      const columns = { model, idHash, now, seconds: Math.floor(now / 1000) };
      if (ends.length === 0) return database.run(() => consumeAlone.run(columns) === 1);
      return durable.transaction(() => {
        const isWon = consumeForGood.run(columns) === 1;
        if (isWon) engine.drive(revokeGrants(ends));
        return isWon;
      });
    },

    destroy: (model, idHash) =>
      database.run(() => {
        destroy.run({ model, idHash });
      }),

    extend: (artifact, now) => shortLived.run(() => call("extendArtifact", artifact, now)),

    revokeGrant: (grantId, { signIn } = {}) =>
      durable.transaction(() => {
        const others = signIn === undefined ? [] : ofSignIn.all({ ...signIn });
        engine.drive(revokeGrants([grantId, ...others.map((row) => row.grant_id)]));
      }),
  };
}
