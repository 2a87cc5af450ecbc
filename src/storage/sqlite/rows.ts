/**
 * Owns how rows become records: SQLite itself builds the JSON of a record, in the words of records.ts, and
 * JSON.parse reads it. Each fragment belongs to a table alias: p profiles, o organizations, r link_requests,
 * s selections, i identities.
 */

import type { SQLOutputValue } from "node:sqlite";
import { asSecretHash, type SecretHash } from "../../domain/ids.ts";
import type { Row } from "./database.ts";

export const ORGANIZATION_JSON = `json_object(
  'id', o.id, 'name', o.name, 'accountNumber', o.account_number, 'kind', o.kind,
  'plan', json_object('status', o.plan_status, 'expiresAt', o.plan_expires_at),
  'enabled', json(iif(o.enabled, 'true', 'false')))`;

export const PROFILE_JSON = `json_object(
  'id', p.id, 'organizationId', p.organization_id, 'email', p.email, 'emailKey', p.email_key,
  'emailVersion', p.email_version, 'name', p.name, 'roles', json(p.roles),
  'enabled', json(iif(p.enabled, 'true', 'false')),
  'adminRole', p.admin_role, 'invitedAt', p.invited_at, 'accountId', p.account_id, 'boundAt', p.bound_at,
  'provenEmailVersion', p.proven_email_version)`;

export const MEMBERSHIP_JSON = `json_object(
  'profile', ${PROFILE_JSON}, 'organization', ${ORGANIZATION_JSON})`;

export const REQUEST_JSON = `json_object(
  'id', r.id, 'inquiryId', r.inquiry_id, 'secretHash', r.secret_hash, 'purpose', r.purpose,
  'requester', json_object(
    'issuer', r.issuer, 'subject', r.subject, 'upstreamId', r.upstream_id, 'accountId', r.account_id,
    'email', r.requester_email, 'displayName', r.requester_name),
  'profileId', r.profile_id, 'emailVersion', r.email_version, 'state', r.state,
  'createdAt', r.created_at, 'expiresAt', r.expires_at, 'settledAt', r.settled_at)`;

export const SELECTION_JSON = `json_object(
  'grantId', s.grant_id, 'sessionUid', s.session_uid, 'clientId', s.client_id, 'accountId', s.account_id,
  'profileId', s.profile_id, 'expiresAt', s.expires_at)`;

export const IDENTITY_JSON = `json_object(
  'issuer', i.issuer, 'subject', i.subject, 'upstreamId', i.upstream_id, 'accountId', i.account_id,
  'email', i.email, 'emailVerified', json(iif(i.email_verified, 'true', 'false')),
  'displayName', i.display_name, 'createdAt', i.created_at, 'lastSignInAt', i.last_sign_in_at)`;

/** Of api_keys, which needs no alias. */
export const API_KEY_JSON = `json_object(
  'id', id, 'name', name, 'secretHash', secret_hash, 'scopes', json(scopes), 'createdBy', created_by,
  'createdAt', created_at, 'expiresAt', expires_at, 'lastUsedAt', last_used_at)`;

/** Reads a column that one of the fragments above, or this back end's own JSON.stringify, wrote as a `T`. */
export function parse<T>(column: SQLOutputValue | undefined): T {
  return JSON.parse(text(column)) as T;
}

/** Reads a column that is TEXT NOT NULL. */
export function text(column: SQLOutputValue | undefined): string {
  if (typeof column !== "string") throw new TypeError("a text column of the database holds no text");
  return column;
}

/** Reads a column that is INTEGER NOT NULL. */
export function integer(column: SQLOutputValue | undefined): number {
  if (typeof column !== "number") throw new TypeError("an integer column of the database holds no integer");
  return column;
}

/** What is sealed of an artifact's row. */
export function toSealed(row: Row): { idHash: SecretHash; sealed: string | null; consumed: number | null } {
  const { sealed_payload: sealed, consumed_at: consumed } = row;
  return {
    idHash: asSecretHash(text(row["id_hash"])),
    sealed: sealed === null ? null : text(sealed),
    consumed: consumed === null ? null : integer(consumed),
  };
}

/** What somebody else made unreadable is told as missing: its seal shows it. */
const jsonOrNull = (column: string) => `CASE WHEN json_valid(${column}) THEN json(${column}) END`;

export const VERIFICATION_JSON = `json_object(
  'id', id, 'askedBy', asked_by, 'askedAt', asked_at, 'keptHead', kept_head, 'state', state,
  'startedAt', started_at, 'endedAt', ended_at, 'progress', ${jsonOrNull("progress")},
  'result', ${jsonOrNull("result")}, 'failure', failure, 'attempts', attempts, 'seal', seal)`;
