/** Owns what revoking a grant removes, inside the transaction of whatever revokes it. */

import { createHash, randomUUID } from "node:crypto";
import type { Instant } from "../../clock.ts";
import type { Revocation } from "../contract.ts";
import type { ClientId, GrantId, OrganizationId, ProfileId } from "../records.ts";
import { oncePerSignIn } from "../selecting.ts";
import type { Database, Row } from "./database.ts";
import { integer, parse, SELECTION_JSON, text } from "./rows.ts";

export interface Revoker {
  /** Removes the grant's tokens, the grant itself and its selection. */
  grant(grantId: GrantId): void;
  /**
   * Revokes every grant that speaks for the profile (at one client, when given); tells of those that still held at `now`, and
   * has their portals told.
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

export function createRevoker(database: Database): Revoker {
  const deleteFamily = database.prepare("DELETE FROM artifacts WHERE grant_id = :grantId");
  const deleteGrant = database.prepare("DELETE FROM artifacts WHERE model = 'Grant' AND id_hash = :hash");
  const deleteSelection = database.prepare("DELETE FROM selections WHERE grant_id = :grantId");
  const ofProfile = database.prepare(`
    SELECT ${SELECTION_JSON} AS record, s.grant_id, s.expires_at FROM selections s
    WHERE s.profile_id = :id AND (:clientId IS NULL OR s.client_id = :clientId) ORDER BY s.rowid`);
  const ofOrganization = database.prepare(`
    SELECT ${SELECTION_JSON} AS record, s.grant_id, s.expires_at
    FROM profiles p CROSS JOIN selections s ON s.profile_id = p.id
    WHERE p.organization_id = :id AND (:clientId IS NULL OR s.client_id = :clientId) ORDER BY s.rowid`);

  const ofSession = database.prepare(`
    SELECT ${SELECTION_JSON} AS record, s.grant_id, s.expires_at FROM selections s WHERE s.session_uid = :id`);
  const ofGrant = database.prepare(`
    SELECT ${SELECTION_JSON} AS record, s.grant_id, s.expires_at FROM selections s WHERE s.grant_id = :id`);
  const ofClient = database.prepare("SELECT grant_id FROM selections WHERE client_id = :id");
  const queueSignOut = database.prepare(`
    INSERT INTO sign_outs (id, client_id, account_id, sid, created_at, due_at, attempts)
    VALUES (:id, :clientId, :accountId,
      (SELECT sid FROM session_clients WHERE session_uid = :sessionUid AND client_id = :clientId), :now, :now, 0)`);

  const revokeGrant = (grantId: GrantId) => {
    deleteFamily.run({ grantId });
    deleteGrant.run({ hash: createHash("sha256").update(grantId).digest("base64url") });
    deleteSelection.run({ grantId });
  };

  const revokeAll = (rows: Row[], now: Instant): Revocation => {
    for (const row of rows) revokeGrant(text(row["grant_id"]));
    const live = rows.filter((row) => integer(row["expires_at"]) > now);
    const revokedGrants = live.map((row) => {
      const { grantId, clientId, accountId, sessionUid } = parse<RevokedGrant>(row["record"]);
      return { grantId, clientId, accountId, sessionUid };
    });
    for (const { clientId, accountId, sessionUid } of oncePerSignIn(revokedGrants)) {
      queueSignOut.run({ id: randomUUID(), clientId, accountId, sessionUid, now });
    }
    return { revokedGrants };
  };

  return {
    grant: revokeGrant,
    profile: (id, now, clientId) => revokeAll(ofProfile.all({ id, clientId: clientId ?? null }), now),
    organization: (id, now, clientId) => revokeAll(ofOrganization.all({ id, clientId: clientId ?? null }), now),
    session: (id, now) => revokeAll(ofSession.all({ id }), now),
    one: (id, now) => revokeAll(ofGrant.all({ id }), now),
    client: (id) => {
      for (const row of ofClient.all({ id })) revokeGrant(text(row["grant_id"]));
    },
  };
}
