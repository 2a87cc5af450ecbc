/**
 * Binds a sign-in at an upstream to one browser, on both of its ways. From its begin to the callback: by a secret that the
 * browser may have had before. From the callback to the end: by a proof, a secret that the callback makes anew for the
 * browser that brought it. A cookie that was there before may have been planted, and its planter knows it; only the proof
 * says who signed in (docs/decisions/0011).
 */

import { equalSecrets, hashSecret, randomSecret } from "../domain/secrets.ts";
import type { SecretHash } from "../storage/records.ts";
import type { CookieContext, Cookies } from "./cookies.ts";

export interface BrowserBinding {
  /** Prepares this browser to begin a sign-in; returns the SHA-256 of what its callback must bring. */
  begin(ctx: CookieContext): SecretHash;
  /** The SHA-256 of each secret that sign-ins of this browser were begun with. */
  begunWith(ctx: CookieContext): SecretHash[];
  /** Gives this browser the proof of a sign-in that it brought back. */
  give(ctx: CookieContext, proof: string): void;
  /** The SHA-256 of each proof that this browser holds. */
  proofs(ctx: CookieContext): SecretHash[];
  /** Whether this browser holds the proof of that SHA-256. */
  holds(ctx: CookieContext, proofHash: SecretHash): boolean;
  /** Takes a proof back, once what it is for was had. */
  takeBack(ctx: CookieContext, proofHash: SecretHash): void;
}

export interface BrowserBindingOptions {
  cookies: Cookies;
  /** Seconds for which somebody may go on with what a sign-in made: as long as an interaction lives. */
  proofLifetimeSeconds: number;
}

/** Outlives the sign-in under way, so that one that is merely late is told from one begun in another browser. */
const beginLifetimeSeconds = 2 * 60 * 60;

const secretForm = /^[\w-]{43}$/;

export function createBrowserBinding({ cookies, proofLifetimeSeconds }: BrowserBindingOptions): BrowserBinding {
  const begins = cookies.ofService("liaison.signin");
  // As strong as the session that comes of it, and as wide.
  const proven = cookies.ofHost("liaison.proof");

  /** Each secret's cookie has a name of its own: of two tabs that begin at once, both keep theirs. */
  const placeOf = (family: typeof begins, hash: SecretHash) => ({
    ...family,
    name: `${family.name}.${hash.slice(0, 12)}`,
  });
  const held = (ctx: CookieContext, family: typeof begins) =>
    cookies.family(ctx, family).filter((value) => secretForm.test(value));

  return {
    begin: (ctx) => {
      // One for all sign-ins under way, lest they fill the header.
      const secret = held(ctx, begins)[0] ?? randomSecret();
      const hash = hashSecret(secret);
      cookies.set(ctx, placeOf(begins, hash), secret, beginLifetimeSeconds);
      return hash;
    },
    begunWith: (ctx) => held(ctx, begins).map(hashSecret),
    give: (ctx, proof) => {
      cookies.set(ctx, placeOf(proven, hashSecret(proof)), proof, proofLifetimeSeconds);
    },
    proofs: (ctx) => held(ctx, proven).map(hashSecret),
    holds: (ctx, proofHash) => {
      const proof = cookies.get(ctx, placeOf(proven, proofHash));
      return proof !== undefined && equalSecrets(hashSecret(proof), proofHash);
    },
    takeBack: (ctx, proofHash) => {
      cookies.clear(ctx, placeOf(proven, proofHash));
    },
  };
}
