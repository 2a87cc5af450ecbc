/**
 * The audit events of each change that a store makes: the same words whatever stores them. When an event is
 * written (in the transaction of its cause) is each back end's.
 */

import { randomUUID } from "node:crypto";
import type { Instant } from "../clock.ts";
import type {
  AccountId,
  AdminRole,
  ApiKey,
  AuditEvent,
  Client,
  LinkRequest,
  LinkRequestId,
  OrganizationId,
  Profile,
  Selection,
  SignedInIdentity,
  UpstreamId,
} from "./records.ts";
import { canonical } from "./revision.ts";

/** What the cause of an event knows; what it leaves out is null. */
export type AuditEntry = Pick<AuditEvent, "at" | "action" | "actor"> & Partial<Omit<AuditEvent, "id">>;

const NOTHING = { profileId: null, organizationId: null, accountId: null, requestId: null, detail: {} };

/** A whole event, with an id of its own. */
export function auditEvent(entry: AuditEntry): AuditEvent {
  return { id: randomUUID(), ...NOTHING, ...entry };
}

export function accountCreated(accountId: AccountId, upstream: UpstreamId, at: Instant): AuditEntry {
  return { at, action: "account.created", actor: `account:${accountId}`, accountId, detail: { upstream } };
}

type Requested = Pick<LinkRequest, "id" | "requester" | "profileId">;

export function linkRequested(request: Requested, organizationId: OrganizationId, at: Instant): AuditEntry {
  const { accountId, upstreamId } = request.requester;
  return {
    at,
    action: "link.requested",
    actor: `account:${accountId}`,
    profileId: request.profileId,
    organizationId,
    accountId,
    requestId: request.id,
    detail: { upstream: upstreamId },
  };
}

type Redeemed = { requestId: LinkRequestId; accountId: AccountId; identity: SignedInIdentity };

export function profileBound(
  { requestId, accountId, identity }: Redeemed,
  profile: Profile,
  at: Instant,
): AuditEntry {
  return {
    at,
    action: "profile.bound",
    actor: `account:${accountId}`,
    ...placeOf(profile),
    accountId,
    requestId,
    detail: { upstream: identity.upstreamId },
  };
}

export function linkCancelled(
  { requestId, accountId }: Omit<Redeemed, "identity">,
  profile: Profile,
  at: Instant,
): AuditEntry {
  return {
    at,
    action: "link.cancelled",
    actor: `account:${accountId}`,
    ...placeOf(profile),
    accountId,
    requestId,
  };
}

export function profileUnbound(
  profile: Profile,
  accountId: AccountId,
  actor: string,
  at: Instant,
): AuditEntry {
  return { at, action: "profile.unbound", actor, ...placeOf(profile), accountId };
}

export function mailRequeued(
  action: "mail.released" | "mail.resent",
  { mail, requestId }: { mail: string; requestId: LinkRequestId | null },
  actor: string,
  at: Instant,
): AuditEntry {
  return { at, action, actor, requestId, detail: { mail } };
}

/** Who does something as an administrator, and when. */
type By = Pick<AuditEvent, "actor" | "at">;

export function adminRoleChanged(profile: Profile, adminRole: AdminRole | null, by: By): AuditEntry {
  const { accountId } = profile;
  return { ...by, action: "admin.role_changed", ...placeOf(profile), accountId, detail: { role: adminRole } };
}

export function adminInvitedAgain(profile: Profile, by: By): AuditEntry {
  return { ...by, action: "admin.invited_again", ...placeOf(profile), detail: { role: profile.adminRole } };
}

export function invitationLapsed(profile: Profile, at: Instant): AuditEntry {
  const detail = { role: profile.adminRole, invitedAt: profile.invitedAt };
  return { at, actor: "system", action: "admin.invitation_lapsed", ...placeOf(profile), detail };
}

/**
 * `before` is undefined for a client that is new. Says which fields changed, and of what lets somebody in,
 * how.
 */
export function clientWritten(before: Client | undefined, after: Client, by: By): AuditEntry[] {
  const { id: client, name } = after;
  if (before === undefined) {
    return [{ ...by, action: "client.registered", detail: { client, name, ...admission(undefined, after) } }];
  }
  const [old, now] = [clientFields(before), clientFields(after)];
  const names = new Set([...Object.keys(old), ...Object.keys(now)]);
  const changed = [...names].filter((name) => canonical(old[name] ?? null) !== canonical(now[name] ?? null));
  if (changed.length === 0) return [];
  const fields = changed.toSorted().join(" ");
  return [{ ...by, action: "client.changed", detail: { client, fields, ...admission(before, after) } }];
}

/** How long a detail may be, in characters. */
const LONGEST_DETAIL = 2000;

/** Where a client leads, what it may do and whom it admits, as far as that was changed. */
function admission(before: Client | undefined, after: Client): Record<string, string> {
  const [old, now] = [before && opennessOf(before), opennessOf(after)];
  const added = now.uris.filter((uri) => !old?.uris.includes(uri));
  const removed = old?.uris.filter((uri) => !now.uris.includes(uri)) ?? [];
  const said = {
    redirectUrisAdded: added.join(" "),
    redirectUrisRemoved: removed.join(" "),
    scope: now.scope === old?.scope ? "" : now.scope,
    policy: now.policy === old?.policy ? "" : now.policy,
    pkce: now.pkce === (old?.pkce ?? "required") ? "" : now.pkce,
  };
  const entries = Object.entries(said).filter(([, text]) => text !== "");
  return Object.fromEntries(entries.map(([name, text]) => [name, text.slice(0, LONGEST_DETAIL)]));
}

function opennessOf({ metadata, policy }: Client) {
  const { redirect_uris: uris, scope, pkce_required } = metadata;
  return {
    uris: Array.isArray(uris) ? uris.map(String) : [],
    scope: typeof scope === "string" ? scope : "",
    policy: canonical(policy),
    pkce: pkce_required === false ? "exempt" : "required",
  };
}

function clientFields({
  name,
  homeUrl,
  aboutUrl,
  policy,
  claimsInIdToken,
  metadata,
}: Client): Record<string, unknown> {
  return { ...metadata, name, homeUrl, aboutUrl, policy, claimsInIdToken };
}

export function clientSecretRotated(client: string, previousUntil: Instant, by: By): AuditEntry {
  return { ...by, action: "client.secret_rotated", detail: { client, previousUntil } };
}

export function clientRemoved({ id, name }: Client, by: By): AuditEntry {
  return { ...by, action: "client.removed", detail: { client: id, name } };
}

export function apiKeyWritten(
  action: "api_key.created" | "api_key.removed",
  key: ApiKey,
  by: By,
): AuditEntry {
  return { ...by, action, detail: { key: key.id, name: key.name, scopes: key.scopes.join(" ") } };
}

export function grantRevoked({ grantId, clientId, accountId, profileId }: Selection, by: By): AuditEntry {
  return {
    ...by,
    action: "grant.revoked",
    accountId,
    profileId,
    detail: { grant: grantId, client: clientId },
  };
}

export function sessionEnded(sessionUid: string, accountId: AccountId | null, by: By): AuditEntry {
  return { ...by, action: "session.ended", accountId, detail: { session: sessionUid } };
}

/** `isJoined`: one that was asked for before is waited for. */
export function verificationAsked(verification: string, isJoined: boolean, by: By): AuditEntry {
  return { ...by, action: "audit.verification_asked", detail: { verification, joined: isJoined } };
}

function placeOf({ id, organizationId }: Profile) {
  return { profileId: id, organizationId };
}
