/**
 * Records as SQLite builds them from rows: one list of fields per record, from which both the SQL and its
 * reading are made. Each belongs to a table alias: p profiles, o organizations, r link_requests,
 * s selections, i identities; the others need none.
 */

import { asSecretHash, type SecretHash } from "../../domain/ids.ts";
import type {
  Account,
  ApiKey,
  AuditVerification,
  Identity,
  LinkRequest,
  Membership,
  Organization,
  Profile,
  Selection,
} from "../../domain/records.ts";
import { as, integer, nullable, type RowOf, text } from "../../sql-columns.ts";
import { boolean, object, raw, stored } from "./json.ts";

export const ACCOUNT_JSON = object<Account>({ id: "id", createdAt: "created_at" });

export const ORGANIZATION_JSON = object<Organization>({
  id: "o.id",
  name: "o.name",
  accountNumber: "o.account_number",
  kind: "o.kind",
  plan: object<Organization["plan"]>({ status: "o.plan_status", expiresAt: "o.plan_expires_at" }),
  enabled: boolean("o.enabled"),
});

export const PROFILE_JSON = object<Profile>({
  id: "p.id",
  organizationId: "p.organization_id",
  email: "p.email",
  emailKey: "p.email_key",
  emailVersion: "p.email_version",
  name: "p.name",
  roles: stored("p.roles"),
  enabled: boolean("p.enabled"),
  adminRole: "p.admin_role",
  invitedAt: "p.invited_at",
  accountId: "p.account_id",
  boundAt: "p.bound_at",
  provenEmailVersion: "p.proven_email_version",
});

export const MEMBERSHIP_JSON = object<Membership>({
  profile: PROFILE_JSON,
  organization: ORGANIZATION_JSON,
});

export const REQUEST_JSON = object<LinkRequest>({
  id: "r.id",
  inquiryId: "r.inquiry_id",
  secretHash: "r.secret_hash",
  purpose: "r.purpose",
  requester: object<LinkRequest["requester"]>({
    issuer: "r.issuer",
    subject: "r.subject",
    upstreamId: "r.upstream_id",
    accountId: "r.account_id",
    email: "r.requester_email",
    displayName: "r.requester_name",
  }),
  profileId: "r.profile_id",
  emailVersion: "r.email_version",
  state: "r.state",
  createdAt: "r.created_at",
  expiresAt: "r.expires_at",
  settledAt: "r.settled_at",
});

export const SELECTION_JSON = object<Selection>({
  grantId: "s.grant_id",
  sessionUid: "s.session_uid",
  clientId: "s.client_id",
  accountId: "s.account_id",
  profileId: "s.profile_id",
  expiresAt: "s.expires_at",
});

export const IDENTITY_JSON = object<Identity>({
  issuer: "i.issuer",
  subject: "i.subject",
  upstreamId: "i.upstream_id",
  accountId: "i.account_id",
  email: "i.email",
  emailVerified: boolean("i.email_verified"),
  displayName: "i.display_name",
  createdAt: "i.created_at",
  lastSignInAt: "i.last_sign_in_at",
});

export const API_KEY_JSON = object<ApiKey>({
  id: "id",
  name: "name",
  secretHash: "secret_hash",
  scopes: stored("scopes"),
  createdBy: "created_by",
  createdAt: "created_at",
  expiresAt: "expires_at",
  lastUsedAt: "last_used_at",
});

/** What somebody else made unreadable is told as missing: its seal shows it. */
const storedOrNull = <T>(column: string) =>
  raw<T>(`CASE WHEN json_valid(${column}) THEN json(${column}) END`);

export const VERIFICATION_JSON = object<AuditVerification>({
  id: "id",
  askedBy: "asked_by",
  askedAt: "asked_at",
  keptHead: "kept_head",
  state: "state",
  startedAt: "started_at",
  endedAt: "ended_at",
  progress: storedOrNull("progress"),
  result: storedOrNull("result"),
  failure: "failure",
  attempts: "attempts",
  seal: "seal",
});

/** What is encrypted of an artifact. */
export const ARTIFACT_COLUMNS = {
  id_hash: as(text, asSecretHash),
  sealed_payload: nullable(text),
  consumed_at: nullable(integer),
};

/** The same, to be decrypted. */
export function toEncryptedArtifact(row: RowOf<typeof ARTIFACT_COLUMNS>): {
  idHash: SecretHash;
  encrypted: string | null;
  consumed: number | null;
} {
  return { idHash: row.id_hash, encrypted: row.sealed_payload, consumed: row.consumed_at };
}
