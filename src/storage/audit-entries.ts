/**
 * Owns what the audit says of each change that a store makes: the same words whatever keeps them. When an event is written
 * (in the transaction of its cause) is each back end's.
 */

import { randomUUID } from "node:crypto";
import type { Instant } from "../clock.ts";
import type { SignedInIdentity } from "./contract.ts";
import type { AccountId, AuditEvent, LinkRequest, Profile, UpstreamId } from "./records.ts";

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

export function linkRequested(request: Requested, organizationId: string, at: Instant): AuditEntry {
  const { accountId, upstreamId } = request.requester;
  return {
    ...{ at, action: "link.requested", actor: `account:${accountId}`, profileId: request.profileId, organizationId },
    ...{ accountId, requestId: request.id, detail: { upstream: upstreamId } },
  };
}

type Redeemed = { requestId: string; accountId: AccountId; identity: SignedInIdentity };

export function profileBound({ requestId, accountId, identity }: Redeemed, profile: Profile, at: Instant): AuditEntry {
  return {
    ...{ at, action: "profile.bound", actor: `account:${accountId}`, ...placeOf(profile), accountId, requestId },
    detail: { upstream: identity.upstreamId },
  };
}

export function linkCancelled(
  { requestId, accountId }: Omit<Redeemed, "identity">,
  profile: Profile,
  at: Instant,
): AuditEntry {
  return {
    ...{ at, action: "link.cancelled", actor: `account:${accountId}` },
    ...placeOf(profile),
    ...{ accountId, requestId },
  };
}

export function profileUnbound(profile: Profile, accountId: AccountId, actor: string, at: Instant): AuditEntry {
  return { at, action: "profile.unbound", actor, ...placeOf(profile), accountId };
}

export function mailRequeued(
  action: "mail.released" | "mail.resent",
  { mail, requestId }: { mail: string; requestId: string | null },
  actor: string,
  at: Instant,
): AuditEntry {
  return { at, action, actor, requestId, detail: { mail } };
}

function placeOf({ id, organizationId }: Profile) {
  return { profileId: id, organizationId };
}
