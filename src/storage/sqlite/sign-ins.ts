/** Sign-ins under way at an upstream, in SQLite, and what they came to. */

import { asAccountId, asSecretHash, asUpstreamId } from "../../domain/ids.ts";
import type { Authentication } from "../../domain/records.ts";
import { as, integer, text } from "../../sql-columns.ts";
import type { SignInStore } from "../contract.ts";
import { decryptSignIn, encryptSignIn } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { json, orNull } from "../fields.ts";
import { EXTEND_ARTIFACT } from "./artifacts.ts";
import type { Database } from "./database.ts";
import { readerOf } from "./engine.ts";

const kept = json<Authentication>({
  fields: { acr: { orNull: "text" }, amr: { listOf: "text" } },
});

export function createSignInStore(database: Database, encryption: FieldEncryption): SignInStore {
  const insert = database.prepare(`
    INSERT INTO upstream_transactions (
      state_hash, browser_hash, upstream_id, sealed_payload, created_at, expires_at)
    VALUES (:stateHash, :browserHash, :upstreamId, :payload, :createdAt, :expiresAt)`);
  const extend = database.prepare(EXTEND_ARTIFACT);
  const take = database.prepare(
    `
    UPDATE upstream_transactions SET attempt_hash = :attemptHash
    WHERE state_hash = :stateHash AND browser_hash = :browserHash AND upstream_id = :upstreamId
      AND (attempt_hash IS NULL OR attempt_hash = :attemptHash) AND expires_at > :now
    RETURNING sealed_payload, created_at, expires_at`,
    { sealed_payload: text, created_at: integer, expires_at: integer },
  );
  const findTaken = database.prepare(
    `
    SELECT sealed_payload FROM upstream_transactions
    WHERE state_hash = :stateHash AND browser_hash = :browserHash AND upstream_id = :upstreamId
      AND attempt_hash IS NOT NULL AND expires_at > :now`,
    { sealed_payload: text },
  );
  const leaveOutcome = database.prepare(`
    INSERT INTO sign_in_outcomes (
      interaction_hash, account_id, upstream_id, auth_time, proof_hash, authentication, expires_at)
    VALUES (:interactionHash, :accountId, :upstreamId, :authTime, :proofHash, :authentication, :expiresAt)
    ON CONFLICT (interaction_hash) DO UPDATE SET account_id = excluded.account_id,
      upstream_id = excluded.upstream_id, auth_time = excluded.auth_time,
      proof_hash = excluded.proof_hash, authentication = excluded.authentication,
      expires_at = excluded.expires_at`);
  const takeOutcome = database.prepare(
    `
    DELETE FROM sign_in_outcomes
    WHERE interaction_hash = :interactionHash AND instr(:proofHashes, ',' || proof_hash || ',')
      AND expires_at > :now
    RETURNING account_id, upstream_id, auth_time, proof_hash, authentication`,
    {
      account_id: as(text, asAccountId),
      upstream_id: as(text, asUpstreamId),
      auth_time: integer,
      proof_hash: as(text, asSecretHash),
      authentication: readerOf(orNull(kept)),
    },
  );

  return {
    begin: (transaction, extension) =>
      database.transaction(() => {
        const { stateHash, browserHash, upstreamId, createdAt, expiresAt } = transaction;
        const payload = encryptSignIn(encryption, transaction);
        insert.run({ stateHash, browserHash, upstreamId, createdAt, expiresAt, payload });
        if (extension !== undefined) extend.run({ ...extension, now: createdAt });
      }),

    take: ({ stateHash, browserHash, upstreamId, attemptHash }, now) =>
      database.run(() => {
        const row = take.get({ stateHash, browserHash, upstreamId, attemptHash, now });
        if (row === undefined) return undefined;
        const encrypted = decryptSignIn(encryption, stateHash, row.sealed_payload);
        const { created_at: createdAt, expires_at: expiresAt } = row;
        return { stateHash, browserHash, upstreamId, createdAt, expiresAt, ...encrypted };
      }),

    purposeOfTaken: ({ stateHash, browserHash, upstreamId }, now) =>
      database.run(() => {
        const row = findTaken.get({ stateHash, browserHash, upstreamId, now });
        return row && decryptSignIn(encryption, stateHash, row.sealed_payload).purpose;
      }),

    leaveOutcome: (
      interactionHash,
      { accountId, upstreamId, authTime, proofHash, authentication },
      expiresAt,
    ) =>
      database.run(() => {
        const how = authentication === undefined ? null : JSON.stringify(authentication);
        leaveOutcome.run({
          interactionHash,
          accountId,
          upstreamId,
          authTime,
          proofHash,
          authentication: how,
          expiresAt,
        });
      }),

    takeOutcome: (interactionHash, proofHashes, now) =>
      database.run(() => {
        const row = takeOutcome.get({ interactionHash, proofHashes: `,${proofHashes.join(",")},`, now });
        if (row === undefined) return undefined;
        const { account_id: accountId, upstream_id: upstreamId, auth_time: authTime } = row;
        const outcome = { accountId, upstreamId, authTime, proofHash: row.proof_hash };
        return row.authentication === null ? outcome : { ...outcome, authentication: row.authentication };
      }),
  };
}
