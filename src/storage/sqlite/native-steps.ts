/** Native steps (../native-steps.ts) in SQLite: statements of their own, in whatever transaction there is. */

import { createHash } from "node:crypto";
import { asAccountId } from "../../domain/ids.ts";
import { TOKEN_MODELS } from "../../domain/selecting.ts";
import { as, nullable, text } from "../../sql-columns.ts";
import { LEAST_EXTENSION_MS } from "../artifact-extension.ts";
import type { NativeSteps } from "../native-steps.ts";
import type { Database } from "./database.ts";
import { createThrottleSteps } from "./throttles.ts";

export function createNativeSteps(database: Database): NativeSteps {
  const removeTokens = database.prepare(`
    DELETE FROM artifacts
    WHERE rowid IN (SELECT rowid FROM artifacts WHERE grant_id = :grantId LIMIT :most)`);
  const extend = database.prepare(`
    UPDATE artifacts SET expires_at = :until
    WHERE model = :model AND id_hash = :idHash AND expires_at > :now AND expires_at < :until -
      ${LEAST_EXTENSION_MS}`);
  const removeExpired = database.prepare(
    `
    DELETE FROM artifacts WHERE rowid IN (
      SELECT rowid FROM artifacts WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit)
    RETURNING session_uid`,
    { session_uid: nullable(text) },
  );
  // A session's clients end with the last of its rows.
  const removeOrphans = database.prepare(`
    DELETE FROM session_clients WHERE session_uid = :uid
      AND NOT EXISTS (SELECT 1 FROM artifacts WHERE session_uid = :uid)`);
  const removeGrant = database.prepare("DELETE FROM artifacts WHERE model = 'Grant' AND id_hash = :hash");
  const isRedeemed = database.prepare(`
    SELECT 1 FROM artifacts
    WHERE grant_id = :grantId
      AND (model IN (${TOKEN_MODELS.map((model) => `'${model}'`).join(", ")}) OR consumed_at IS NOT NULL)
    LIMIT 1`);
  const sidOf = database.prepare(
    "SELECT sid FROM session_clients WHERE session_uid = :sessionUid AND client_id = :clientId",
    { sid: nullable(text) },
  );
  const accountOfSession = database.prepare(
    "SELECT account_id FROM artifacts WHERE session_uid = :sessionUid AND expires_at > :now LIMIT 1",
    { account_id: nullable(as(text, asAccountId)) },
  );
  const removeShares = database.prepare("DELETE FROM session_clients WHERE session_uid = :sessionUid");
  const removeRows = database.prepare("DELETE FROM artifacts WHERE session_uid = :sessionUid");

  return {
    ...createThrottleSteps(database),
    extendArtifact: ({ model, idHash, until }, now) => extend.run({ model, idHash, until, now }) === 1,
    // Whoever is in a transaction has the write lock.
    excludeOwners: () => {},
    removeTokens(grantIds, most) {
      let gone = 0;
      for (const grantId of grantIds) gone += removeTokens.run({ grantId, most: most - gone });
      return gone;
    },
    removeExpiredArtifacts: (now, limit) =>
      database.atomic(() => {
        const rows = removeExpired.all({ now, limit });
        const uids = new Set(rows.map((row) => row.session_uid));
        for (const uid of uids) if (uid !== null) removeOrphans.run({ uid });
        return rows.length;
      }),
    removeGrants(grantIds) {
      for (const grantId of grantIds)
        removeGrant.run({ hash: createHash("sha256").update(grantId).digest("base64url") });
    },
    redeemedAmong: (grantIds) => grantIds.filter((grantId) => isRedeemed.isAny({ grantId })),
    sidsOf: (signIns) =>
      signIns.map(({ sessionUid, clientId }) => sidOf.get({ sessionUid, clientId })?.sid ?? null),
    accountOfSession(sessionUid, now) {
      const row = accountOfSession.get({ sessionUid, now });
      return row && { accountId: row.account_id };
    },
    removeSession(sessionUid) {
      removeShares.run({ sessionUid });
      removeRows.run({ sessionUid });
    },
  };
}
