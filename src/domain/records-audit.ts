/** Audit events, the chain that they form, and verifications of it. Imported from records.ts. */

import type { Instant } from "../clock.ts";
import type { AccountId, LinkRequestId, OrganizationId, ProfileId } from "./ids.ts";

export type AuditAction =
  | "account.created"
  | "link.requested"
  | "link.refused"
  | "link.cancelled"
  | "link.opened"
  | "mail.released"
  | "mail.resent"
  | "profile.bound"
  | "profile.unbound"
  | "profile.email_changed"
  | "profile.changed"
  | "organization.changed"
  | "import.refused"
  | "admin.role_changed"
  | "admin.invited_again"
  | "admin.invitation_lapsed"
  | "client.registered"
  | "client.changed"
  | "client.secret_rotated"
  | "client.removed"
  | "api_key.created"
  | "api_key.removed"
  | "grant.revoked"
  | "session.ended"
  | "administration.refused"
  | "audit.pruned"
  | "audit.verification_asked";

/** Append-only: who did what to what. Holds no secret and no typed address. */
export interface AuditEvent {
  id: string;
  at: Instant;
  action: AuditAction;
  /**
   * `account:<id>`, `admin:<id>`, `command:<name>`, `system`; `unknown` for somebody who hasn't signed in.
   */
  actor: string;
  profileId: ProfileId | null;
  organizationId: OrganizationId | null;
  accountId: AccountId | null;
  requestId: LinkRequestId | null;
  detail: Record<string, string | number | boolean | null>;
}

/** An audit event with its place in the chain (domain/audit-chain.ts). */
export interface ChainedEvent extends AuditEvent {
  seq: number;
  mac: string;
}

/** What verifying the audit's chain came to. */
export interface VerificationResult {
  intact: boolean;
  /** How many events were verified. */
  verified: number;
  /** How many wait for their place, counted up to a thousand. */
  unsealed: number;
  /** How many retention has removed before the first. */
  pruned: number;
  /** The end of the chain, as it can be kept elsewhere. */
  head: string | null;
  /** What is wrong, and where; null if nothing is. */
  problem: string | null;
}

/** How far a verification has come: every event up to this place stands as it was appended. */
export interface VerificationProgress {
  /** So many events are verified, of so many that there were. */
  verified: number;
  total: number;
  /** The last of them, or the beginning of the chain. */
  seq: number;
  mac: string;
  /** Where the chain ended then. It may have grown since, and can't have shrunk. */
  headSeq: number;
}

/** A verification of the audit that somebody asked for and a worker carries out. */
export interface AuditVerification {
  id: string;
  /** Who asked first, as audit events name them. */
  askedBy: string;
  askedAt: Instant;
  /** The head of an earlier one, which must still be there. */
  keptHead: string | null;
  state: "waiting" | "running" | "finished" | "failed";
  startedAt: Instant | null;
  endedAt: Instant | null;
  /** As it was last noted. */
  progress: VerificationProgress | null;
  /** Once it has finished. */
  result: VerificationResult | null;
  /** Why it failed: not what is wrong with the audit, but why that couldn't be told. */
  failure: string | null;
  /** How often it was claimed since it last got on. */
  attempts: number;
  /** Over what was asked for and what its workers noted: see audit-chain.ts. */
  seal: string;
}

/**
 * An end of the chain: see audit-chain.ts. `seal` is a MAC over the rest, so that nobody without the key can
 * move it.
 */
export interface ChainMark {
  seq: number;
  mac: string;
  at: Instant;
  seal: string;
}
