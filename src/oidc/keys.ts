/** Signing and cookie keys: made at first start, shared through the store, encrypted there. */

import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { JWK } from "oidc-provider";
import type { Check } from "../readiness.ts";
import type { KeyStore } from "../storage/contract.ts";

const generate = promisify(generateKeyPair);

export interface ServiceKeys {
  /** Private JWKs; the first of each algorithm signs. */
  signing: JWK[];
  /** Cookie signing keys, newest first. */
  cookies: string[];
  /** Key of the CSRF tokens and of what our own cookies carry encrypted, 32 bytes base64url. */
  pages: string;
}

/**
 * Loads the keys, making those that the store doesn't have yet. Several processes starting at once get the
 * same.
 */
export async function loadKeys(store: KeyStore): Promise<ServiceKeys> {
  const rsa = await store.findOrCreate("signing.rs256", async () => {
    const { privateKey } = await generate("rsa", { modulusLength: 2048 });
    return JSON.stringify({ ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig" });
  });
  const ec = await store.findOrCreate("signing.es256", async () => {
    const { privateKey } = await generate("ec", { namedCurve: "P-256" });
    return JSON.stringify({ ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig" });
  });
  const random = async () => randomBytes(32).toString("base64url");
  return {
    signing: [JSON.parse(rsa) as JWK, JSON.parse(ec) as JWK],
    cookies: [await store.findOrCreate("cookies.1", random)],
    pages: await store.findOrCreate("pages.1", random),
  };
}

/** What readiness asks of the keys: that there is one to sign with. */
export function keysCheck({ signing }: Pick<ServiceKeys, "signing">): Check {
  return {
    name: "signing_keys",
    look: () => (signing.length > 0 ? { status: "ok" } : { status: "failing", reason: "not loaded" }),
  };
}
