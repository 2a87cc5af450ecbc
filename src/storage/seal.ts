/**
 * Owns how secrets are sealed at rest: AES-256-GCM under keys derived from the deployment's encryption key.
 * Which fields are sealed is each back end's business.
 */

import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, randomBytes } from "node:crypto";
import { LiaisonError } from "../errors.ts";

const ALGORITHM = "aes-256-gcm";
const VERSION = "v1.";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface Seal {
  /** Encrypts `plaintext`. `context` names the place it is kept in: a value moved to another place doesn't open. */
  seal(plaintext: string, context: string): string;
  /** Gives back what was sealed for this context. Throws `store_refused` for another key, another context or a changed text. */
  open(sealed: string, context: string): string;
  /** A keyed hash (HMAC-SHA-256, base64url) for values that are only ever compared, so that a dump can't be searched for them. */
  fingerprint(value: string, context: string): string;
}

/**
 * Makes a seal from the deployment's encryption key (32 bytes in base64 or base64url).
 * Throws `store_refused` if that is not 32 bytes long.
 */
export function createSeal(encryptionKey: string): Seal {
  const master = Buffer.from(encryptionKey, "base64");
  if (master.length !== KEY_BYTES) {
    throw new LiaisonError("store_refused", "encryption_key must be 32 bytes in base64 (openssl rand -base64 32).");
  }
  const sealingKey = derive(master, "liaison/seal/v1");
  const fingerprintKey = derive(master, "liaison/fingerprint/v1");

  return {
    seal(plaintext, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, sealingKey, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(context));
      const ciphertext = [cipher.update(plaintext, "utf8"), cipher.final()];
      return VERSION + Buffer.concat([nonce, ...ciphertext, cipher.getAuthTag()]).toString("base64url");
    },

    open(sealed, context) {
      try {
        if (!sealed.startsWith(VERSION)) throw new Error("unknown seal version");
        const bytes = Buffer.from(sealed.slice(VERSION.length), "base64url");
        const nonce = bytes.subarray(0, NONCE_BYTES);
        const decipher = createDecipheriv(ALGORITHM, sealingKey, nonce, { authTagLength: TAG_BYTES });
        decipher.setAAD(Buffer.from(context));
        decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
        return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
      } catch (cause) {
        throw new LiaisonError(
          "store_refused",
          "A sealed value of the store can't be opened with this encryption_key.",
          {
            cause,
          },
        );
      }
    },

    fingerprint(value, context) {
      return createHmac("sha256", fingerprintKey).update(context).update("\0").update(value).digest("base64url");
    },
  };
}

/** A key for one purpose (HKDF, RFC 5869), so that no two purposes ever share one. */
function derive(master: Buffer, purpose: string) {
  return createSecretKey(Buffer.from(hkdfSync("sha256", master, Buffer.alloc(0), purpose, KEY_BYTES)));
}
