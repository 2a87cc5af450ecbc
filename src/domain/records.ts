/**
 * What Liaison stores, in the words of docs/architecture.md. Plain data: no behaviour lives here, and no back
 * end's types. Every `...At` is an instant in milliseconds since the Unix epoch.
 */

import type { Instant, Seconds } from "../clock.ts";

import {
  type AccountId,
  type AdminRole,
  asClientId,
  type ClientId,
  type GrantId,
  type IdentityKey,
  type InquiryId,
  type LinkRequestId,
  type OrganizationId,
  type ProfileId,
  type SecretHash,
  type UpstreamId,
} from "./ids.ts";

export type * from "./ids.ts";
export type * from "./records-audit.ts";
export type * from "./records-mail.ts";

/** An identity with what its upstream last said about it: display data that proves nothing. */
export interface Identity extends IdentityKey {
  upstreamId: UpstreamId;
  accountId: AccountId;
  email: string | null;
  /** Whether its upstream says that it has verified the address. */
  emailVerified: boolean;
  displayName: string | null;
  createdAt: Instant;
  lastSignInAt: Instant;
}

/** What an upstream said about a person at sign-in. */
export interface SignedInIdentity extends IdentityKey {
  upstreamId: UpstreamId;
  email: string | null;
  /** Whether it says that the address is known to be theirs. */
  emailVerified?: boolean;
  displayName: string | null;
}

/** A person in Liaison. `id` is the `sub` that portals see. */
export interface Account {
  id: AccountId;
  createdAt: Instant;
}

export type OrganizationKind = "customer" | "partner" | "operator";

export interface ServicePlan {
  status: "active" | "suspended" | "none";
  /** First instant at which the plan no longer holds, or null for one without an end. */
  expiresAt: Instant | null;
}

export interface Organization {
  id: OrganizationId;
  name: string;
  accountNumber: string;
  kind: OrganizationKind;
  plan: ServicePlan;
  enabled: boolean;
}

/** The id under which the administration's pages sign people in at our own provider. */
export const CONSOLE_CLIENT_ID: ClientId = asClientId("liaison-console");

export interface Profile {
  id: ProfileId;
  organizationId: OrganizationId;
  /** The registered email exactly as the organization wrote it: mail goes here. */
  email: string;
  /** `email` under the address policy: what lookups compare. */
  emailKey: string;
  /** Grows by one with each edit of `email`. */
  emailVersion: number;
  name: string;
  roles: string[];
  enabled: boolean;
  adminRole: AdminRole | null;
  /** Since when a role waits for somebody to link the profile; null without a role, and once it is linked. */
  invitedAt: Instant | null;
  /** The account this profile is bound to, or null. */
  accountId: AccountId | null;
  boundAt: Instant | null;
  /** The `emailVersion` that the redeemed link proved, or null. */
  provenEmailVersion: number | null;
}

/** A profile as an edit gives it: without binding, administrator role and versions, which no edit can set. */
export type ProfileEdit = Pick<
  Profile,
  "id" | "organizationId" | "email" | "emailKey" | "name" | "roles" | "enabled"
>;

/** One row of an import: an organization and one of its profiles, each as it shall be. */
export interface ImportRow {
  organization: Organization;
  profile: ProfileEdit;
}

/** A field that an import sets; `before` is null where there was no record. */
export interface FieldChange {
  field: string;
  before: string | number | boolean | readonly string[] | null;
  after: string | number | boolean | readonly string[] | null;
}

export interface ImportedRecord {
  result: "added" | "changed" | "unchanged";
  changes: FieldChange[];
}

/**
 * What one row came to. `refused` wrote nothing of it. profile_elsewhere: the profile belongs to another
 * organization · operator_organization: the organization is, or would become, the operator's own ·
 * administrator: the row would change the profile of an administrator.
 */
export type ImportOutcome =
  | { result: "imported"; organization: ImportedRecord; profile: ImportedRecord }
  | { result: "refused"; reason: "profile_elsewhere" | "operator_organization" | "administrator" };

/** A profile together with its organization: how rules and pages always need it. */
export interface Membership {
  profile: Profile;
  organization: Organization;
}

/** What the person on the link step is called by their upstream; display data only. */
export interface Requester extends IdentityKey {
  upstreamId: UpstreamId;
  accountId: AccountId;
  email: string | null;
  /** Of inquiries alone: whether the upstream says that it has verified the address. */
  emailVerified?: boolean;
  displayName: string | null;
}

/** What a person typed on the link step, stored before the answer is sent. */
export interface Inquiry {
  id: InquiryId;
  requester: Requester;
  /**
   * The typed address; null once the worker settled the inquiry, or if what was typed is no address at all.
   */
  address: string | null;
  /** The interaction chain it was typed in. */
  interactionCid: string;
  createdAt: Instant;
  /** The worker doesn't look at it before: by then the answer has left, and the throttles let it through. */
  notBefore: Instant;
  /** Which one of its identity it is within the window of that throttle, from 1. */
  ordinal: number;
  /** Until when the throttle of its identity holds it; null where it doesn't. */
  heldUntil: Instant | null;
  settledAt: Instant | null;
  /** How many profiles its address matched; null until that was looked up, and for one that never was. */
  matched: number | null;
}

/**
 * pending: waits for proof · bound: redeemed · cancelled: *don't link* · superseded: a newer one for the same
 * identity and profile · void: an unlink or an edit killed it. Expiry is no state: it is `expiresAt` compared
 * with now.
 */
export const LINK_REQUEST_STATES = {
  pending: true,
  bound: true,
  cancelled: true,
  superseded: true,
  void: true,
} as const;
export type LinkRequestState = keyof typeof LINK_REQUEST_STATES;

export interface LinkRequest {
  id: LinkRequestId;
  inquiryId: InquiryId;
  secretHash: SecretHash;
  purpose: "link_profile";
  requester: Requester;
  profileId: ProfileId;
  /** The profile's `emailVersion` when the request was made. */
  emailVersion: number;
  state: LinkRequestState;
  createdAt: Instant;
  /** Starts to run when its mail is sent; until then a generous bound. */
  expiresAt: Instant;
  settledAt: Instant | null;
}

/** An access policy: whom a portal admits. */
export interface AccessPolicy {
  kinds: OrganizationKind[];
  /** Whether the organization needs an active, unexpired service plan. */
  planRequired: boolean;
  /** The profile needs at least one of these; empty means any. */
  roles: string[];
}

/** A relying party. Its `metadata` is OIDC client metadata; the secret is encrypted at rest. */
export interface Client {
  id: ClientId;
  name: string;
  homeUrl: string;
  aboutUrl: string | null;
  secret: string | null;
  /** The secret before the last rotation, while it is still taken; encrypted at rest. */
  previousSecret: { secret: string; until: Instant } | null;
  policy: AccessPolicy;
  claimsInIdToken: boolean;
  /** OpenID Connect client metadata (redirect_uris, grant_types, …) without id, name and secret. */
  metadata: Record<string, unknown>;
  managedBy: "config" | "admin";
}

/** Which profile a grant speaks for. */
export interface Selection {
  grantId: GrantId;
  sessionUid: string;
  clientId: ClientId;
  accountId: AccountId;
  profileId: ProfileId;
  expiresAt: Instant;
}

/** What a session has at one client: while a selection is being switched there are several grants of it. */
export type SignIn = Pick<Selection, "sessionUid" | "clientId">;

/** A sign-in at an upstream that this browser began. */
export interface UpstreamTransaction {
  /** SHA-256 of `state`: its key. */
  stateHash: SecretHash;
  /** SHA-256 of the secret that the beginning browser's cookie holds. */
  browserHash: SecretHash;
  upstreamId: UpstreamId;
  nonce: string;
  codeVerifier: string;
  /** How old the authentication may be when the person is sent off; null where that doesn't matter. */
  maxAgeSeconds: Seconds | null;
  purpose: SignInPurpose;
  createdAt: Instant;
  expiresAt: Instant;
}

/** What a finished upstream sign-in is for. */
export type SignInPurpose =
  | { kind: "sign_in"; interactionUid: string }
  | { kind: "redeem" | "decline"; requestId: LinkRequestId; secretHash: SecretHash };

/** What an upstream sign-in for an interaction came to, waiting for the interaction to pick it up. */
export interface SignInOutcome {
  accountId: AccountId;
  upstreamId: UpstreamId;
  /**
   * When the person authenticated at the upstream: whole seconds since the epoch by our clock, as in OIDC's
   * `auth_time`.
   */
  authTime: number;
  /** SHA-256 of the proof that the callback gave to the browser that brought it. */
  proofHash: SecretHash;
  /** How the person authenticated there. An outcome that was left before this was kept has none. */
  authentication?: Authentication;
}

/**
 * How somebody authenticated at an upstream, by its ID token (OpenID Connect Core 1.0, section 2; RFC 8176).
 */
export interface Authentication {
  acr: string | null;
  amr: string[];
}

/** A key of the REST API. Of its secret only the hash is kept. */
export interface ApiKey {
  id: string;
  name: string;
  secretHash: SecretHash;
  /** What it may do: see admin/scopes.ts. */
  scopes: string[];
  createdBy: string;
  createdAt: Instant;
  expiresAt: Instant;
  lastUsedAt: Instant | null;
}

/**
 * When a client last authenticated with its secret, and with the one before it; and what its requests got
 * wrong.
 */
export interface ClientUse {
  clientId: ClientId;
  usedAt: Instant | null;
  previousUsedAt: Instant | null;
  /** A few, newest first. */
  refusedAddresses: RefusedAddress[];
}

/** An address that came with a client's id and isn't registered. Anybody may have sent it. */
export interface RefusedAddress {
  parameter: "redirect_uri" | "post_logout_redirect_uri";
  /** Cut. */
  address: string;
  at: Instant;
}

/**
 * A portal that is to be told that a sign-in of its own has ended (OpenID Connect Back-Channel Logout 1.0).
 */
export interface SignOut {
  id: string;
  clientId: ClientId;
  accountId: AccountId;
  /** The session as the portal knows it. */
  sid: string | null;
  createdAt: Instant;
  attempts: number;
}
