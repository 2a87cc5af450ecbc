/** Secrets and ids: how they are made, hashed for the store, and compared. */

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { asSecretHash } from "./ids.ts";
import type { SecretHash } from "./records.ts";

/** A new secret: 256 random bits, base64url (43 characters). */
export function randomSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** A new id: 128 random bits, base64url (22 characters). Unguessable, but no secret. */
export function randomId(): string {
  return randomBytes(16).toString("base64url");
}

/** An id that is the same for the same parts, 132 bits of their SHA-256: of what is to be noted once. */
export function sameId(...parts: string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url").slice(0, 22);
}

/**
 * What the store keeps of a secret: its SHA-256, base64url. A plain hash is enough, because only secrets of
 * 256 random bits are hashed with it; it is not for passwords.
 */
export function hashSecret(secret: string): SecretHash {
  return asSecretHash(createHash("sha256").update(secret, "utf8").digest("base64url"));
}

/** Whether two secrets are the same, in a time that depends on neither. */
export function equalSecrets(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}
