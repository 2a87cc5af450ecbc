/**
 * Encrypts fields at rest, under keys derived from the deployment's encryption key. Which fields are
 * encrypted is encrypted-fields.ts's. Stored names and the keys' own labels say *sealed* for it.
 */

import { createHmac } from "node:crypto";
import { createEncryption, deriveKey } from "../encryption.ts";
import { LiaisonError } from "../errors.ts";

const VERSION = "v1.";
const KEY_BYTES = 32;

export interface FieldEncryption {
  /** Encrypts a text. `context` names its place: moved to another place it can't be decrypted. */
  encrypt(plaintext: string, context: string): string;
  /**
   * Gives back what was encrypted for this context. Throws `store_refused` for another key, another context
   * or a changed text.
   */
  decrypt(encrypted: string, context: string): string;
  /**
   * A keyed hash (HMAC-SHA-256, base64url) for values that are only ever compared, so that a dump can't be
   * searched for them.
   */
  fingerprint(value: string, context: string): string;
}

/**
 * Derives the keys from the deployment's encryption key (32 bytes in base64 or base64url).
 * Throws `store_refused` if that is not 32 bytes long.
 */
export function createFieldEncryption(encryptionKey: string): FieldEncryption {
  const master = Buffer.from(encryptionKey, "base64");
  if (master.length !== KEY_BYTES) {
    throw LiaisonError.storeRefused("encryption_key must be 32 bytes in base64 (openssl rand -base64 32).");
  }
  const encryption = createEncryption(deriveKey(master, "liaison/seal/v1"));
  const fingerprintKey = deriveKey(master, "liaison/fingerprint/v1");

  return {
    encrypt: (plaintext, context) => VERSION + encryption.encrypt(plaintext, context),

    decrypt(encrypted, context) {
      try {
        if (!encrypted.startsWith(VERSION)) throw new Error("unknown version of the encryption");
        return encryption.decrypt(encrypted.slice(VERSION.length), context);
      } catch (cause) {
        const reason = "An encrypted value of the store can't be decrypted with this encryption_key.";
        throw LiaisonError.storeRefused(reason, cause);
      }
    },

    fingerprint(value, context) {
      return createHmac("sha256", fingerprintKey)
        .update(context)
        .update("\0")
        .update(value)
        .digest("base64url");
    },
  };
}
