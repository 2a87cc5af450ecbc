/**
 * Owns which fields are sealed, and the context of each: the same for every back end, so that data can move
 * from one to another without being opened.
 */

import type { Client, InquiryId, MailContent, SecretHash, UpstreamTransaction } from "../domain/records.ts";
import { LiaisonError } from "../errors.ts";
import type { ArtifactModel } from "./contract.ts";
import type { Seal } from "./seal.ts";

/** The value that an encryption key is checked with. */
export const CANARY = "liaison";

/** Where a sealed value belongs: it doesn't open anywhere else. */
export const sealedAt = {
  canary: "meta.value:canary",
  address: (id: InquiryId) => `inquiries.address:${id}`,
  content: (id: string) => `outbox.content:${id}`,
  clientSecret: (id: string) => `clients.secret:${id}`,
  previousSecret: (id: string) => `clients.previous:${id}`,
  answer: (keyHash: string) => `idempotency_keys.answer:${keyHash}`,
  key: (name: string) => `keys.value:${name}`,
  payload: (model: ArtifactModel, idHash: SecretHash) => `artifacts.payload:${model}:${idHash}`,
  signIn: (stateHash: SecretHash) => `upstream_transactions.payload:${stateHash}`,
};

/** The context of throttles' keys, which may hold addresses and are kept as fingerprints. */
export const THROTTLE_KEY = "throttles.key";

export type Payload = Record<string, unknown>;

/**
 * What nobody may read off a disk (code verifier, nonce, the interaction that the purpose names) or change
 * there.
 */
export type SealedSignIn = Pick<UpstreamTransaction, "nonce" | "codeVerifier" | "maxAgeSeconds" | "purpose">;

export function sealPayload(seal: Seal, model: ArtifactModel, idHash: SecretHash, payload: Payload): string {
  return seal.seal(JSON.stringify(payload), sealedAt.payload(model, idHash));
}

/**
 * Opens an artifact's payload and adds when it was consumed. One that only marks a one-time value has none.
 */
export function openPayload(
  seal: Seal,
  model: ArtifactModel,
  artifact: { idHash: SecretHash; sealed: string | null; consumed: number | null },
): Payload {
  const { idHash, sealed, consumed } = artifact;
  const payload: Payload =
    sealed === null ? {} : JSON.parse(seal.open(sealed, sealedAt.payload(model, idHash)));
  return consumed === null ? payload : { ...payload, consumed };
}

export function sealPreviousSecret(seal: Seal, { id, previousSecret }: Client): string | null {
  return previousSecret === null
    ? null
    : seal.seal(JSON.stringify(previousSecret), sealedAt.previousSecret(id));
}

export function openPreviousSecret(seal: Seal, id: string, sealed: string | null): Client["previousSecret"] {
  if (sealed === null) return null;
  return JSON.parse(seal.open(sealed, sealedAt.previousSecret(id))) as Client["previousSecret"];
}

export function sealSignIn(seal: Seal, transaction: UpstreamTransaction): string {
  const { nonce, codeVerifier, maxAgeSeconds, purpose } = transaction;
  const sealed: SealedSignIn = { nonce, codeVerifier, maxAgeSeconds, purpose };
  return seal.seal(JSON.stringify(sealed), sealedAt.signIn(transaction.stateHash));
}

export function openSignIn(seal: Seal, stateHash: SecretHash, sealed: string): SealedSignIn {
  return JSON.parse(seal.open(sealed, sealedAt.signIn(stateHash))) as SealedSignIn;
}

/** The inquiry that a mail answers, if it does. */
export function inquiryOf(content: MailContent): InquiryId | null {
  return ("inquiryId" in content ? content.inquiryId : undefined) ?? null;
}

export function sealContent(seal: Seal, id: string, content: MailContent): string {
  return seal.seal(JSON.stringify(content), sealedAt.content(id));
}

/** Undefined for a damaged one: such a message fails for good instead of holding up everything behind it. */
export function openContent(seal: Seal, id: string, sealed: string): MailContent | undefined {
  try {
    return JSON.parse(seal.open(sealed, sealedAt.content(id))) as MailContent;
  } catch {
    return undefined;
  }
}

/** What a message whose content can't be opened failed of. */
export const DAMAGED_CONTENT = "the stored content can't be opened";

/**
 * Refuses an identity that UTF-8 can't tell from another: a lone surrogate is stored as U+FFFD, so that two
 * subjects would become one.
 */
export function assertComparable(identity: { issuer: string; subject: string }): void {
  if (
    !identity.issuer.isWellFormed() ||
    !identity.subject.isWellFormed() ||
    identity.subject.includes("\0")
  ) {
    throw LiaisonError.of(
      "upstream_rejected",
      "The sign-in service sent an account id that isn't valid text.",
    );
  }
}
