/**
 * Owns how secrets are sealed at rest: encrypted under keys derived from the deployment's encryption key.
 * Which fields are sealed is each back end's business.
 */

import { createHmac } from "node:crypto";
import { createEncryption, deriveKey } from "../encryption.ts";
import { LiaisonError } from "../errors.ts";

const VERSION = "v1.";
const KEY_BYTES = 32;

export interface Seal {
  /**
   * Encrypts `plaintext`. `context` names the place it is kept in: a value moved to another place doesn't
   * open.
   */
  seal(plaintext: string, context: string): string;
  /**
   * Gives back what was sealed for this context. Throws `store_refused` for another key, another context or a
   * changed text.
   */
  open(sealed: string, context: string): string;
  /**
   * A keyed hash (HMAC-SHA-256, base64url) for values that are only ever compared, so that a dump can't be
   * searched for them.
   */
  fingerprint(value: string, context: string): string;
}

/**
 * Makes a seal from the deployment's encryption key (32 bytes in base64 or base64url).
 * Throws `store_refused` if that is not 32 bytes long.
 */
export function createSeal(encryptionKey: string): Seal {
  const master = Buffer.from(encryptionKey, "base64");
  if (master.length !== KEY_BYTES) {
    throw LiaisonError.storeRefused("encryption_key must be 32 bytes in base64 (openssl rand -base64 32).");
  }
  const encryption = createEncryption(deriveKey(master, "liaison/seal/v1"));
  const fingerprintKey = deriveKey(master, "liaison/fingerprint/v1");

  return {
    seal: (plaintext, context) => VERSION + encryption.encrypt(plaintext, context),

    open(sealed, context) {
      try {
        if (!sealed.startsWith(VERSION)) throw new Error("unknown seal version");
        return encryption.decrypt(sealed.slice(VERSION.length), context);
      } catch (cause) {
        const reason = "A sealed value of the store can't be opened with this encryption_key.";
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
