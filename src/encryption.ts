/**
 * Authenticated encryption of short texts: AES-256-GCM under one key, each text bound to the context that it
 * is made for. It is synchronous: the same by Web Crypto takes fifteen times as long, most of it on the way
 * to another thread and back.
 */

import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";

const algorithm = "aes-256-gcm";
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

export interface Encryption {
  /** Returns nonce, ciphertext and tag as base64url. `context` is authenticated and not part of it. */
  encrypt(plaintext: string, context: string): string;
  /**
   * Gives back what was encrypted for this context. @throws Error for another key, another context or a
   * changed text
   */
  decrypt(encrypted: string, context: string): string;
}

export function createEncryption(key: KeyObject): Encryption {
  return {
    encrypt(plaintext, context) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(context));
      const ciphertext = [cipher.update(plaintext, "utf8"), cipher.final()];
      return Buffer.concat([nonce, ...ciphertext, cipher.getAuthTag()]).toString("base64url");
    },

    decrypt(encrypted, context) {
      const bytes = Buffer.from(encrypted, "base64url");
      // Node passes over what is no base64url: one text would have many spellings.
      if (bytes.toString("base64url") !== encrypted) throw new Error("not base64url");
      const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      });
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      return (
        decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, "utf8") + decipher.final("utf8")
      );
    },
  };
}

/** A key for one purpose (HKDF, RFC 5869), so that no two purposes ever share one. */
export function deriveKey(master: Buffer, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync("sha256", master, Buffer.alloc(0), purpose, keyBytes)));
}
