/** Owns what revoking a grant removes, inside the transaction of whatever revokes it. */

import { createHash, randomUUID } from "node:crypto";
import type { Instant } from "../../clock.ts";
import type { Revocation } from "../contract.ts";
import type { ClientId, GrantId, OrganizationId, ProfileId } from "../records.ts";
import { oncePerSignIn, TOKEN_MODELS } from "../selecting.ts";
import type { Database, Row } from "./database.ts";
import { integer, parse, SELECTION_JSON, text } from "./rows.ts";
import { createSuccession, toGone } from "./succession.ts";

export interface Revoker {
  /**
   * Removes the grants' tokens, the grants themselves and their selections. What they had replaced goes on: see succession.ts.
   */
  grants(grantIds: readonly GrantId[]): void;
  /**
   * Revokes every grant that speaks for the profile (at one client, when given); tells of those that still held at `now`, and
   * has their portals told: once for each session, and not of a grant that came to nothing while the portal is on another.
   */
  profile(profileId: ProfileId, now: Instant, clientId?: ClientId): Revocation;
  /** The same for every profile of an organization. */
  organization(organizationId: OrganizationId, now: Instant, clientId?: ClientId): Revocation;
  /** The same for one grant. */
  one(grantId: GrantId, now: Instant): Revocation;
  /** The same for every grant made in a session. */
  session(sessionUid: string, now: Instant): Revocation;
  /** Revokes every grant of a client; nobody is told, for the client is going. */
  client(clientId: ClientId): void;
}

type RevokedGrant = Revocation["revokedGrants"][number];

/** Whether the portal was given anything for the code of the selection `s`. */
const IS_REDEEMED = `EXISTS (
  SELECT 1 FROM artifacts a
  WHERE a.grant_id = s.grant_id
    AND (a.model IN (${TOKEN_MODELS.map((model) => `'${model}'`).join(", ")}) OR a.consumed_at IS NOT NULL))`;
const REVOKED = `${SELECTION_JSON} AS record, s.grant_id, s.expires_at, ${IS_REDEEMED} AS is_redeemed`;

export function createRevoker(database: Database): Revoker {
  const deleteFamily = database.prepare("DELETE FROM artifacts WHERE grant_id = :grantId");
  const deleteGrant = database.prepare("DELETE FROM artifacts WHERE model = 'Grant' AND id_hash = :hash");
  const deleteSelection = database.prepare(`
    DELETE FROM selections WHERE grant_id = :grantId RETURNING grant_id, session_uid, client_id`);
  const succeed = createSuccession(database);
  const ofProfile = database.prepare(`
    SELECT ${REVOKED} FROM selections s
    WHERE s.profile_id = :id AND (:clientId IS NULL OR s.client_id = :clientId) ORDER BY s.rowid`);
  const ofOrganization = database.prepare(`
    SELECT ${REVOKED}
    FROM profiles p CROSS JOIN selections s ON s.profile_id = p.id
    WHERE p.organization_id = :id AND (:clientId IS NULL OR s.client_id = :clientId) ORDER BY s.rowid`);

  const ofSession = database.prepare(`SELECT ${REVOKED} FROM selections s WHERE s.session_uid = :id`);
  const ofGrant = database.prepare(`SELECT ${REVOKED} FROM selections s WHERE s.grant_id = :id`);
  const ofClient = database.prepare("SELECT grant_id FROM selections WHERE client_id = :id");
  const queueSignOut = database.prepare(`
    INSERT INTO sign_outs (id, client_id, account_id, sid, created_at, due_at, attempts)
    VALUES (:id, :clientId, :accountId,
      (SELECT sid FROM session_clients WHERE session_uid = :sessionUid AND client_id = :clientId), :now, :now, 0)`);
  const isOnAnother = database.prepare(`
    SELECT 1 FROM selections s
    WHERE s.session_uid = :sessionUid AND s.client_id = :clientId AND s.expires_at > :now AND ${IS_REDEEMED} LIMIT 1`);

  const revokeGrants = (grantIds: readonly GrantId[]) => {
    const gone = grantIds.flatMap((grantId) => {
      deleteFamily.run({ grantId });
      deleteGrant.run({ hash: createHash("sha256").update(grantId).digest("base64url") });
      return deleteSelection.all({ grantId }).map(toGone);
    });
    succeed(gone);
  };
  const idsOf = (rows: readonly Row[]) => rows.map((row) => text(row["grant_id"]));

  const revokeAll = (rows: readonly Row[], now: Instant): Revocation => {
    revokeGrants(idsOf(rows));
    const live = rows
      .filter((row) => integer(row["expires_at"]) > now)
      .map((row) => ({ ...parse<RevokedGrant>(row["record"]), isRedeemed: row["is_redeemed"] === 1 }));
    for (const { clientId, accountId, sessionUid, isRedeemed } of oncePerSignIn(live)) {
      if (!isRedeemed && isOnAnother.get({ sessionUid, clientId, now }) !== undefined) continue;
      queueSignOut.run({ id: randomUUID(), clientId, accountId, sessionUid, now });
    }
    return {
      revokedGrants: live.map(({ grantId, clientId, accountId, sessionUid }) => {
        return { grantId, clientId, accountId, sessionUid };
      }),
    };
  };

  return {
    grants: revokeGrants,
    profile: (id, now, clientId) => revokeAll(ofProfile.all({ id, clientId: clientId ?? null }), now),
    organization: (id, now, clientId) => revokeAll(ofOrganization.all({ id, clientId: clientId ?? null }), now),
    session: (id, now) => revokeAll(ofSession.all({ id }), now),
    one: (id, now) => revokeAll(ofGrant.all({ id }), now),
    client: (id) => revokeGrants(idsOf(ofClient.all({ id }))),
  };
}
