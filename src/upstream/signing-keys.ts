/**
 * The keys that an upstream signs with (its JWK Set, RFC 7517), and the verification of signatures by them.
 * Keys come from the document at `jwks_uri` alone, never out of a token. They are cached for a while; a
 * signature that none of them verifies has them fetched once more, because some upstreams change a key
 * without changing its `kid`.
 */

import { type CryptoKey, compactVerify, decodeProtectedHeader, importJWK, type JWK } from "jose";
import { type Clock, type Instant, isWithin, type Milliseconds } from "../clock.ts";
import type { UpstreamConfig } from "../config/schema.ts";
import { printable, rejected, unavailable } from "./failures.ts";
import type { Fetch } from "./guarded-fetch.ts";
import { isObject, parseObject } from "./json.ts";

export interface SigningKeys {
  /**
   * Verifies a signed JWT in compact form by the keys at `jwksUri` and returns its payload. A token that none
   * of the cached ones verifies is tried again with newer ones, where there are any. Throws
   * `upstream_rejected` for a signature that no key verifies, `upstream_unavailable` where the keys can't be
   * fetched.
   */
  verify(token: string, jwksUri: string): Promise<Uint8Array>;
}

interface KeySet {
  uri: string;
  keys: JWK[];
  fetchedAt: Instant;
}

/** How long keys are used without looking whether there are others. */
const CACHED_MS: Milliseconds = 300_000;

/**
 * How long after keys were fetched because none of them fitted nobody makes them be fetched for that again.
 */
const AGAIN_MS: Milliseconds = 5_000;

/**
 * Keys that are tried for one signature. An upstream has two or three; who publishes a thousand gets none of
 * our time.
 */
const MOST_CANDIDATES = 16;

interface SigningKeysDependencies {
  fetch: Fetch;
  clock: Clock;
}

/** Nothing is fetched yet. `fetch` is the guarded one of this upstream. */
export function createSigningKeys(
  { id, id_token_signed_response_alg: pinned }: Pick<UpstreamConfig, "id" | "id_token_signed_response_alg">,
  dependencies: SigningKeysDependencies,
): SigningKeys {
  const keySets = createKeySets(id, dependencies);
  const importKey = createKeyImport();

  async function verifiedBy(
    { keys }: KeySet,
    token: string,
    header: TokenHeader,
  ): Promise<Uint8Array | undefined> {
    const candidates = keys.filter((key) => mayHaveSigned(key, header)).slice(0, MOST_CANDIDATES);
    for (const candidate of candidates) {
      const key = await importKey(candidate, header.alg);
      if (key === undefined) continue;
      // Whatever is wrong with one key, too short for instance, another may fit.
      const verified = await compactVerify(token, key, { algorithms: pinned }).catch(() => undefined);
      if (verified !== undefined) return verified.payload;
    }
    return undefined;
  }

  return {
    async verify(token, jwksUri) {
      const header = headerOf(token);
      if (header === undefined) throw rejected(id, "what should be a signed token is none");
      const { alg, kid } = header;
      if (!pinned.some((algorithm) => algorithm === alg)) {
        throw rejected(id, `a token is signed by ${printable(alg)}, not by ${pinned.join(" or ")}`);
      }
      const first = await keySets.current(jwksUri);
      const payload = await verifiedBy(first, token, header);
      if (payload !== undefined) return payload;
      const second = await keySets.newerThan(first);
      const byNewer = second && (await verifiedBy(second, token, header));
      if (byNewer !== undefined) return byNewer;
      const named = kid === undefined ? "no kid" : `kid ${printable(kid)}`;
      throw rejected(id, `no key of ${jwksUri} verifies the token's signature (${alg}, ${named})`);
    },
  };
}

/** The keys that an upstream publishes, fetched when they are needed. */
interface KeySets {
  current(uri: string): Promise<KeySet>;
  /**
   * Other keys than these, which didn't do: those that somebody has fetched meanwhile, or as they are now.
   */
  newerThan(tried: KeySet): Promise<KeySet | undefined>;
}

function createKeySets(id: string, { fetch, clock }: SigningKeysDependencies): KeySets {
  let cached: KeySet | undefined;
  let underWay: { uri: string; keys: Promise<KeySet> } | undefined;
  let fetchedAgainAt: Instant | undefined;

  /** Fetches the keys, once for all who wait. */
  function fetchKeys(uri: string): Promise<KeySet> {
    if (underWay?.uri === uri) return underWay.keys;
    const request = { uri, keys: download(uri) };
    underWay = request;
    request.keys = request.keys.finally(() => {
      if (underWay === request) underWay = undefined;
    });
    return request.keys;
  }

  async function download(uri: string): Promise<KeySet> {
    const response = await fetch(uri, { headers: { accept: "application/json, application/jwk-set+json" } });
    if (response.status !== 200) throw unavailable(id, `${uri} answered ${response.status}`);
    const { keys } = parseObject(await response.text()) ?? {};
    if (!Array.isArray(keys)) throw unavailable(id, `${uri} answered with no set of keys`);
    cached = { uri, keys: keys.filter(isObject), fetchedAt: clock.now() };
    return cached;
  }

  return {
    async current(uri) {
      if (cached?.uri === uri && isWithin(clock.now(), cached.fetchedAt, CACHED_MS)) return cached;
      return await fetchKeys(uri);
    },
    async newerThan(tried) {
      if (underWay?.uri === tried.uri) return await underWay.keys;
      if (cached !== undefined && cached !== tried && cached.uri === tried.uri) return cached;
      const now = clock.now();
      if (fetchedAgainAt !== undefined && isWithin(now, fetchedAgainAt, AGAIN_MS)) return undefined;
      fetchedAgainAt = now;
      return await fetchKeys(tried.uri);
    },
  };
}

/** Imports each key once for each algorithm. */
function createKeyImport(): (jwk: JWK, algorithm: string) => Promise<CryptoKey | undefined> {
  const imported = new WeakMap<JWK, Map<string, Promise<CryptoKey | undefined>>>();
  return (jwk, algorithm) => {
    const ofKey = imported.get(jwk) ?? new Map<string, Promise<CryptoKey | undefined>>();
    imported.set(jwk, ofKey);
    const key = ofKey.get(algorithm) ?? importPublic(jwk, algorithm);
    ofKey.set(algorithm, key);
    return key;
  };
}

interface TokenHeader {
  alg: string;
  kid: string | undefined;
}

/**
 * The part of a token's header that says which key to look for. What else it says of keys (`jwk`, `jku`,
 * `x5u`) isn't read.
 */
function headerOf(token: string): TokenHeader | undefined {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    return typeof alg === "string" ? { alg, kid: typeof kid === "string" ? kid : undefined } : undefined;
  } catch {
    return undefined;
  }
}

const CURVES: Record<string, string> = {
  ES256: "P-256",
  ES384: "P-384",
  ES512: "P-521",
  EdDSA: "Ed25519",
  Ed25519: "Ed25519",
};

/** By what a key says of itself (RFC 7517, section 4). */
function mayHaveSigned(key: JWK, { alg, kid }: TokenHeader): boolean {
  const type = /^[RP]S/.test(alg) ? "RSA" : alg.startsWith("ES") ? "EC" : "OKP";
  if (key.kty !== type || (type !== "RSA" && key.crv !== CURVES[alg])) return false;
  if (kid !== undefined && key.kid !== kid) return false;
  if (isSaid(key.alg) && key.alg !== alg) return false;
  if (isSaid(key.use) && key.use !== "sig") return false;
  return !Array.isArray(key.key_ops) || key.key_ops.includes("verify");
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Its public members alone: of a certificate beside them, or of a private part, nothing is read. */
async function importPublic(
  { kty, n, e, crv, x, y }: JWK,
  algorithm: string,
): Promise<CryptoKey | undefined> {
  try {
    const members = Object.entries({ kty, n, e, crv, x, y }).filter(([, value]) => value !== undefined);
    const key = await importJWK(Object.fromEntries(members) as JWK, algorithm);
    return key instanceof Uint8Array ? undefined : key;
  } catch {
    return undefined;
  }
}
