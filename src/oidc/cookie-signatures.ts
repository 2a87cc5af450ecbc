/**
 * Signatures of oidc-provider's cookies, in the place of Keygrip (keygrip 1.1), which Koa makes of a list of
 * keys for each request: the same signatures, ten times as fast to verify. Keygrip compares two texts by
 * HMACs under a key made for it, and Node takes far longer over a key that is raw bytes than over a
 * KeyObject.
 */

import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { equalSecrets } from "../domain/secrets.ts";

/** What Koa and its cookies ask of Keygrip. */
export interface CookieSignatures {
  sign(data: string): string;
  verify(data: string, signature: string): boolean;
  /** Which of the keys has signed it; -1 for none of them. */
  index(data: string, signature: string): number;
}

/** @param secrets newest first: the first signs, all verify */
export function createCookieSignatures(secrets: readonly string[]): CookieSignatures {
  const [newest, ...older] = secrets.map((secret) => createSecretKey(secret, "utf8"));
  if (newest === undefined) throw new TypeError("no key to sign cookies with");
  const index = (data: string, signature: string) =>
    [newest, ...older].findIndex((key) => equalSecrets(signatureOf(data, key), signature));
  return {
    sign: (data) => signatureOf(data, newest),
    verify: (data, signature) => index(data, signature) !== -1,
    index,
  };
}

/** HMAC-SHA-1, which no collision of SHA-1 helps to forge: what browsers have was signed by it. */
function signatureOf(data: string, key: KeyObject): string {
  return createHmac("sha1", key).update(data).digest("base64url");
}
