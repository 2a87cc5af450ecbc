/**
 * Owns the records that tests store. Every field has a value that is no default, so that one which a back end
 * dropped shows; every id is new, so that tests can't meet by accident.
 */

import { createHash, randomUUID } from "node:crypto";
import {
  asAccountId,
  asClientId,
  asGrantId,
  asInquiryId,
  asLinkRequestId,
  asOrganizationId,
  asProfileId,
  asSecretHash,
  asUpstreamId,
} from "../../src/domain/ids.ts";
import type {
  AuditEvent,
  Client,
  Inquiry,
  MailContent,
  NewMail,
  Organization,
  Profile,
  Requester,
  SecretHash,
  Selection,
  SignedInIdentity,
  SignInOutcome,
  UpstreamTransaction,
} from "../../src/domain/records.ts";
import type { CallbackAttempt, NewLink } from "../../src/storage/contract.ts";

/** The present of tests that move time by hand: an instant with milliseconds that are not zero. */
export const NOW = Date.UTC(2026, 2, 14, 9, 26, 53, 589);

export const MINUTE = 60_000;

/** A new id that says what it is of. */
export function anId(kind: string): string {
  return `${kind}-${randomUUID()}`;
}

/** SHA-256, base64url: how the store's callers hash what they must not store. */
export function hashOf(secret: string): SecretHash {
  return asSecretHash(createHash("sha256").update(secret).digest("base64url"));
}

export function anIdentity(overrides: Partial<SignedInIdentity> = {}): SignedInIdentity {
  return {
    issuer: "https://login.consumer.example/Tenant-ü",
    subject: anId("Subject"),
    upstreamId: asUpstreamId("consumer"),
    email: "Ada.Private@mail.example",
    displayName: "Ada “the Countess” Lovelace \u{1F9EE}",
    ...overrides,
  };
}

export function aRequester(overrides: Partial<Requester> = {}): Requester {
  return { ...anIdentity(), accountId: asAccountId(anId("account")), ...overrides };
}

export function anOrganization(overrides: Partial<Organization> = {}): Organization {
  return {
    id: asOrganizationId(anId("organization")),
    name: 'Contoso "Nordic" A/S',
    accountNumber: "C-004711",
    kind: "partner",
    plan: { status: "suspended", expiresAt: NOW + 90 * 24 * 60 * MINUTE },
    enabled: true,
    ...overrides,
  };
}

export type ProfileEdit = Pick<
  Profile,
  "id" | "organizationId" | "email" | "emailKey" | "name" | "roles" | "enabled"
>;

export function aProfile(overrides: Partial<ProfileEdit> = {}): ProfileEdit {
  const email = `Ada.${randomUUID().slice(0, 8)}@Contoso.example`;
  return {
    id: asProfileId(anId("profile")),
    organizationId: asOrganizationId("organization-that-a-test-must-name"),
    email,
    emailKey: email.toLowerCase(),
    name: "Ada Lovelace, finance",
    roles: ["billing", "Søg & ret"],
    enabled: true,
    ...overrides,
  };
}

export function anInquiry(overrides: Partial<Inquiry> = {}): Inquiry {
  return {
    id: asInquiryId(anId("inquiry")),
    requester: aRequester(),
    address: "ADA.typed@contoso.example",
    interactionCid: anId("cid"),
    createdAt: NOW - 1500,
    notBefore: NOW - 500,
    ordinal: 1,
    heldUntil: null,
    settledAt: null,
    matched: null,
    ...overrides,
  };
}

/** Limits that no test reaches which isn't about them. */
export const PLENTY = { limit: 1_000_000, windowSeconds: 1 };
export const PLENTY_FOR_A_MAILBOX = { hourly: PLENTY, daily: PLENTY };

/** A request as the worker makes it. Its secret is `secretOf(request.id)`, unless overridden. */
export function aLinkRequest(overrides: Partial<NewLink["request"]> = {}): NewLink["request"] {
  const id = asLinkRequestId(overrides.id ?? anId("request"));
  return {
    id,
    inquiryId: asInquiryId("inquiry-that-a-test-must-name"),
    secretHash: hashOf(secretOf(id)),
    purpose: "link_profile",
    requester: aRequester(),
    profileId: asProfileId("profile-that-a-test-must-name"),
    emailVersion: 1,
    createdAt: NOW + 7,
    expiresAt: NOW + 30 * MINUTE,
    ...overrides,
  };
}

/** The mailed secret of a request that aLinkRequest made. */
export function secretOf(requestId: string): string {
  return `secret-of-${requestId}`;
}

export function aLinkContent(overrides: Partial<Extract<MailContent, { kind: "link" }>> = {}): MailContent {
  const { upstreamId, email, displayName } = anIdentity();
  return {
    kind: "link",
    requestId: asLinkRequestId("request-that-a-test-must-name"),
    secret: "secret-that-a-test-must-name",
    profileName: "Ada Lovelace, finance",
    organizationName: "Contoso Nordic A/S",
    requester: { upstreamId, email, displayName },
    ...overrides,
  };
}

export function aMail(overrides: Partial<NewMail> = {}): NewMail {
  const id = anId("mail");
  const { upstreamId, email, displayName } = anIdentity();
  return {
    id,
    messageId: `${id}@liaison.example`,
    to: "Ada.Registered@contoso.example",
    content: {
      kind: "already_linked",
      profileName: "Ada Lovelace, finance",
      organizationName: "Contoso Nordic A/S",
      requester: { upstreamId, email, displayName },
    },
    ...overrides,
  };
}

/** A request together with the mail that carries its secret. */
export function aNewLink(overrides: Partial<NewLink["request"]> = {}): NewLink {
  const request = aLinkRequest(overrides);
  const content = aLinkContent({ requestId: request.id, secret: secretOf(request.id) });
  return { request, mail: aMail({ content }) };
}

export function aClient(overrides: Partial<Client> = {}): Client {
  return {
    id: asClientId(anId("client")),
    name: "CustomerSource",
    homeUrl: "https://customersource.example/home",
    aboutUrl: "https://customersource.example/about",
    secret: `client-secret-${randomUUID()}`,
    previousSecret: { secret: `previous-secret-${randomUUID()}`, until: NOW + 7 * MINUTE },
    policy: { kinds: ["customer", "operator"], planRequired: true, roles: ["billing"] },
    claimsInIdToken: true,
    metadata: { redirect_uris: ["https://customersource.example/cb"], grant_types: ["authorization_code"] },
    managedBy: "config",
    ...overrides,
  };
}

export function aSelection(overrides: Partial<Selection> = {}): Selection {
  return {
    grantId: asGrantId(anId("grant")),
    sessionUid: anId("session-uid"),
    clientId: asClientId(anId("client")),
    accountId: asAccountId("account-that-a-test-must-name"),
    profileId: asProfileId("profile-that-a-test-must-name"),
    expiresAt: NOW + 60 * MINUTE,
    ...overrides,
  };
}

export function anUpstreamTransaction(overrides: Partial<UpstreamTransaction> = {}): UpstreamTransaction {
  return {
    stateHash: hashOf(anId("state")),
    browserHash: hashOf(anId("browser")),
    upstreamId: asUpstreamId("consumer"),
    nonce: anId("nonce"),
    codeVerifier: anId("code-verifier"),
    maxAgeSeconds: 1740,
    purpose: {
      kind: "redeem",
      requestId: asLinkRequestId(anId("request")),
      secretHash: hashOf(anId("link-secret")),
    },
    createdAt: NOW - 250,
    expiresAt: NOW + 10 * MINUTE,
    ...overrides,
  };
}

/** An attempt of its own to take a sign-in. */
export function anAttempt({
  stateHash,
  browserHash,
  upstreamId,
}: Pick<UpstreamTransaction, "stateHash" | "browserHash" | "upstreamId">): CallbackAttempt {
  return { stateHash, browserHash, upstreamId, attemptHash: hashOf(anId("attempt")) };
}

export function aSignInOutcome(overrides: Partial<SignInOutcome> = {}): SignInOutcome {
  return {
    accountId: asAccountId(anId("account")),
    upstreamId: asUpstreamId("consumer"),
    authTime: Math.floor(NOW / 1000) - 17,
    proofHash: hashOf("proof"),
    ...overrides,
  };
}

export function anAuditEvent(overrides: Partial<AuditEvent> = {}): AuditEvent {
  return {
    id: anId("event"),
    at: NOW + 3,
    action: "link.refused",
    actor: "account:somebody",
    profileId: asProfileId(anId("profile")),
    organizationId: asOrganizationId(anId("organization")),
    accountId: asAccountId(anId("account")),
    requestId: asLinkRequestId(anId("request")),
    detail: { reason: "expired", attempts: 3, forced: true, other: null },
    ...overrides,
  };
}
