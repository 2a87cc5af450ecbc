/**
 * Encrypted fields: which they are, and the context of each. They are the same in every back end, so that
 * data moves from one to another without being decrypted. Columns and document fields that hold one are
 * called sealed_… and sealed…: stored names stay as they are.
 */

import type { Client, InquiryId, MailContent, SecretHash, UpstreamTransaction } from "../domain/records.ts";
import { LiaisonError } from "../errors.ts";
import type { ArtifactModel } from "./contract.ts";
import type { FieldEncryption } from "./field-encryption.ts";

/** The value that an encryption key is checked with. */
export const CANARY = "liaison";

/** The context of each field: its value can't be decrypted anywhere else. */
export const contextOf = {
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
const THROTTLE_KEY = "throttles.key";

/** What is stored of a throttle's key: a fingerprint, for it may hold an address. */
export type KeyHash = (key: string) => string;
export const keyHashOf =
  (encryption: FieldEncryption): KeyHash =>
  (key) =>
    encryption.fingerprint(key, THROTTLE_KEY);

export type Payload = Record<string, unknown>;

/**
 * What nobody may read off a disk (code verifier, nonce, the interaction that the purpose names) or change
 * there.
 */
export type EncryptedSignIn = Pick<
  UpstreamTransaction,
  "nonce" | "codeVerifier" | "maxAgeSeconds" | "purpose"
>;

export function encryptPayload(
  encryption: FieldEncryption,
  model: ArtifactModel,
  idHash: SecretHash,
  payload: Payload,
): string {
  return encryption.encrypt(JSON.stringify(payload), contextOf.payload(model, idHash));
}

/**
 * Decrypts an artifact's payload and adds when it was consumed. One that only marks a one-time value has
 * none.
 */
export function decryptPayload(
  encryption: FieldEncryption,
  model: ArtifactModel,
  artifact: { idHash: SecretHash; encrypted: string | null; consumed: number | null },
): Payload {
  const { idHash, encrypted, consumed } = artifact;
  const payload: Payload =
    encrypted === null ? {} : JSON.parse(encryption.decrypt(encrypted, contextOf.payload(model, idHash)));
  return consumed === null ? payload : { ...payload, consumed };
}

export function encryptPreviousSecret(
  encryption: FieldEncryption,
  { id, previousSecret }: Client,
): string | null {
  return previousSecret === null
    ? null
    : encryption.encrypt(JSON.stringify(previousSecret), contextOf.previousSecret(id));
}

export function decryptPreviousSecret(
  encryption: FieldEncryption,
  id: string,
  encrypted: string | null,
): Client["previousSecret"] {
  if (encrypted === null) return null;
  return JSON.parse(encryption.decrypt(encrypted, contextOf.previousSecret(id))) as Client["previousSecret"];
}

export function encryptSignIn(encryption: FieldEncryption, transaction: UpstreamTransaction): string {
  const { nonce, codeVerifier, maxAgeSeconds, purpose } = transaction;
  const encrypted: EncryptedSignIn = { nonce, codeVerifier, maxAgeSeconds, purpose };
  return encryption.encrypt(JSON.stringify(encrypted), contextOf.signIn(transaction.stateHash));
}

export function decryptSignIn(
  encryption: FieldEncryption,
  stateHash: SecretHash,
  encrypted: string,
): EncryptedSignIn {
  return JSON.parse(encryption.decrypt(encrypted, contextOf.signIn(stateHash))) as EncryptedSignIn;
}

/** The inquiry that a mail answers, if it does. */
export function inquiryOf(content: MailContent): InquiryId | null {
  return ("inquiryId" in content ? content.inquiryId : undefined) ?? null;
}

export function encryptContent(encryption: FieldEncryption, id: string, content: MailContent): string {
  return encryption.encrypt(JSON.stringify(content), contextOf.content(id));
}

/** Undefined for a damaged one: such a message fails for good instead of holding up everything behind it. */
export function decryptContent(
  encryption: FieldEncryption,
  id: string,
  encrypted: string,
): MailContent | undefined {
  try {
    return JSON.parse(encryption.decrypt(encrypted, contextOf.content(id))) as MailContent;
  } catch {
    return undefined;
  }
}

/** What a message whose content can't be decrypted failed of. */
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
