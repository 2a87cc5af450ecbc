/**
 * Our own keys as a client of upstreams (`private_key_jwt`, OpenID Connect Core 1.0, section 9): made when
 * first needed, kept in the key store, published for upstreams to fetch. One key an algorithm serves all
 * upstreams: what it signs names the upstream's issuer as its audience, never an endpoint that another
 * upstream could have claimed for its own.
 */

import { generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import { type CryptoKey, calculateJwkThumbprint, importJWK, type JWK } from "jose";
import type { UpstreamConfig } from "../config/schema.ts";
import type { KeyStore } from "../storage/contract.ts";

type AssertionAlgorithm = NonNullable<UpstreamConfig["token_endpoint_auth_signing_alg"]>;

export interface ClientKey {
  key: CryptoKey;
  kid: string;
}

export interface ClientKeys {
  /** The public keys, as upstreams fetch them. */
  readonly jwks: { keys: JWK[] };
  of(algorithm: AssertionAlgorithm): ClientKey | undefined;
}

const generate = promisify(generateKeyPair);

/** How an upstream's client assertions are signed; undefined where there are none. */
export function assertionAlgorithm(config: UpstreamConfig): AssertionAlgorithm | undefined {
  if (config.token_endpoint_auth_method !== "private_key_jwt") return undefined;
  return config.token_endpoint_auth_signing_alg ?? "RS256";
}

/** Loads the keys that these upstreams need, making those that the store doesn't have yet. */
export async function loadClientKeys(
  store: KeyStore,
  upstreams: readonly UpstreamConfig[],
): Promise<ClientKeys> {
  const keys = new Map<AssertionAlgorithm, ClientKey>();
  const jwks: { keys: JWK[] } = { keys: [] };
  for (const algorithm of new Set(upstreams.map(assertionAlgorithm))) {
    if (algorithm === undefined) continue;
    const name = `upstream.${algorithm.toLowerCase()}`;
    const privateJwk = JSON.parse(await store.findOrCreate(name, () => makeKey(algorithm))) as JWK;
    const kid = await calculateJwkThumbprint(privateJwk);
    const key = await importJWK(privateJwk, algorithm);
    if (key instanceof Uint8Array) throw new TypeError("an asymmetric key is no secret");
    keys.set(algorithm, { key, kid });
    jwks.keys.push({ ...publicPart(privateJwk), kid, alg: algorithm, use: "sig" });
  }
  return { jwks, of: (algorithm) => keys.get(algorithm) };
}

async function makeKey(algorithm: AssertionAlgorithm): Promise<string> {
  const { privateKey } =
    algorithm === "RS256"
      ? await generate("rsa", { modulusLength: 2048 })
      : await generate("ec", { namedCurve: "P-256" });
  return JSON.stringify(privateKey.export({ format: "jwk" }));
}

/** Named one by one, so that nothing private can slip through. */
function publicPart({ kty, n, e, crv, x, y }: JWK): JWK {
  return JSON.parse(JSON.stringify({ kty, n, e, crv, x, y })) as JWK;
}
