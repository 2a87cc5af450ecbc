/**
 * Link requests in SQLite, and every transition of their states but `bound` and `cancelled`, which are
 * links.ts's.
 */

import type { Instant } from "../../clock.ts";
import type { LinkRequestId, OrganizationId, ProfileId } from "../../domain/records.ts";
import type { NewLink } from "../contract.ts";
import type { Database } from "./database.ts";

/** Writes link requests inside the transaction of their cause. */
export interface RequestWriter {
  /** Inserts a pending request; an older pending one of the same identity and profile is superseded. */
  insert(request: NewLink["request"], now: Instant): void;
  /** Voids every pending request for a profile. */
  voidProfile(profileId: ProfileId, now: Instant): void;
  /** Voids every pending request for the profiles of an organization. */
  voidOrganization(organizationId: OrganizationId, now: Instant): void;
  /** Whether it waits for proof, and hasn't lapsed. */
  isPending(requestId: LinkRequestId, now: Instant): boolean;
  /** Starts the life of a pending request. False if it is pending no more. */
  startLife(requestId: LinkRequestId, expiresAt: Instant): boolean;
}

export function createRequestWriter(database: Database): RequestWriter {
  const supersede = database.prepare(`
    UPDATE link_requests SET state = 'superseded', settled_at = :now
    WHERE state = 'pending' AND profile_id = :profileId AND issuer = :issuer AND subject = :subject`);
  const insert = database.prepare(`
    INSERT INTO link_requests (
      id, inquiry_id, secret_hash, purpose, issuer, subject, upstream_id, account_id, requester_email,
      requester_name, profile_id, organization_id, email_version, state, created_at, expires_at)
    VALUES (
      :id, :inquiryId, :secretHash, :purpose, :issuer, :subject, :upstreamId, :accountId, :email,
      :displayName, :profileId, (SELECT organization_id FROM profiles WHERE id = :profileId),
      :emailVersion, 'pending', :createdAt, :expiresAt)`);
  const voidProfile = database.prepare(`
    UPDATE link_requests SET state = 'void', settled_at = :now
    WHERE state = 'pending' AND profile_id = :profileId`);
  const voidOrganization = database.prepare(`
    UPDATE link_requests SET state = 'void', settled_at = :now
    WHERE state = 'pending' AND organization_id = :organizationId`);
  // Those that a broker of the version before made: few, and soon none.
  const voidUnplaced = database.prepare(`
    UPDATE link_requests AS r SET state = 'void', settled_at = :now
    WHERE r.state = 'pending' AND r.organization_id IS NULL
      AND (SELECT organization_id FROM profiles WHERE id = r.profile_id) = :organizationId`);
  const startLife = database.prepare(`
    UPDATE link_requests SET expires_at = :expiresAt WHERE id = :requestId AND state = 'pending'`);

  const pending = database.prepare(`
    SELECT 1 FROM link_requests WHERE id = :requestId AND state = 'pending' AND expires_at > :now`);

  return {
    isPending: (requestId, now) => pending.isAny({ requestId, now }),
    insert(request, now) {
      const { id, inquiryId, secretHash, purpose, profileId, emailVersion, createdAt, expiresAt } = request;
      const { issuer, subject, upstreamId, accountId, email, displayName } = request.requester;
      supersede.run({ profileId, issuer, subject, now });
      insert.run({
        id,
        inquiryId,
        secretHash,
        purpose,
        profileId,
        emailVersion,
        createdAt,
        expiresAt,
        issuer,
        subject,
        upstreamId,
        accountId,
        email,
        displayName,
      });
    },
    voidProfile: (profileId, now) => void voidProfile.run({ profileId, now }),
    voidOrganization(organizationId, now) {
      voidOrganization.run({ organizationId, now });
      voidUnplaced.run({ organizationId, now });
    },
    startLife: (requestId, expiresAt) => startLife.run({ requestId, expiresAt }) === 1,
  };
}
