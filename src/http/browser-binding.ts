/**
 * Binds a sign-in at an upstream to one browser, on both of its ways. From its begin to the callback: by a
 * secret that the browser may have had before. From the callback to the end: by a proof, a secret that the
 * callback makes anew for the browser that brought it. A cookie that was there before may have been planted,
 * and its planter knows it; only the proof says who signed in (docs/decisions/0011).
 */

import type { Seconds } from "../clock.ts";
import type { SecretHash } from "../domain/records.ts";
import { hashSecret, randomSecret } from "../domain/secrets.ts";
import { tagIn, tagOf } from "../upstream/state.ts";
import type { CookieContext, Cookies } from "./cookies.ts";

export interface BrowserBinding {
  /** Prepares this browser to begin a sign-in; returns the SHA-256 of what its callback must bring. */
  begin(ctx: CookieContext): SecretHash;
  /** The SHA-256 of the secret that a sign-in of this state was begun with, if this browser has it. */
  begunWith(ctx: CookieContext, state: string | undefined): SecretHash[];
  /** Gives this browser the proof of a sign-in that it brought back for an interaction. */
  give(ctx: CookieContext, proof: string, interactionUid: string): void;
  /** The SHA-256 of each proof that this browser holds. */
  proofs(ctx: CookieContext): SecretHash[];
  /** Whether this browser brought back a sign-in for the interaction. */
  hasReturnedFor(ctx: CookieContext, interactionUid: string): boolean;
  /** Takes a proof back, once what it is for was had. */
  takeBack(ctx: CookieContext, proofHash: SecretHash): void;
}

export interface BrowserBindingOptions {
  cookies: Cookies;
  /** Seconds for which somebody may go on with what a sign-in made: as long as an interaction lives. */
  proofLifetimeSeconds: Seconds;
}

/**
 * Outlives the sign-in under way, so that one that is merely late is told from one begun in another browser.
 */
const beginLifetimeSeconds: Seconds = 2 * 60 * 60;

const secretForm = /^[\w-]{43}$/;

/** Tells cookies of one kind apart: no secret, and nothing of one. */
const tag = (text: string) => hashSecret(text).slice(0, 12);

export function createBrowserBinding({
  cookies,
  proofLifetimeSeconds,
}: BrowserBindingOptions): BrowserBinding {
  const begins = cookies.ofService("liaison.signin");
  // As strong as the session that comes of it, and as wide.
  const proven = cookies.ofHost("liaison.proof");

  const held = (ctx: CookieContext, family: typeof begins) =>
    cookies.family(ctx, family).filter(({ value }) => secretForm.test(value));
  const hashes = (secrets: { value: string }[]) => secrets.map(({ value }) => hashSecret(value));

  const beginAt = (hash: SecretHash) => ({ ...begins, name: `${begins.name}.${tagOf(hash)}` });

  return {
    begin: (ctx) => {
      // One for all sign-ins under way, lest they fill the header; under a name of its own, so that of two
      // tabs which begin at once neither overwrites the other's.
      const known = held(ctx, begins).find(({ name, value }) => name === beginAt(hashSecret(value)).name);
      const secret = known?.value ?? randomSecret();
      const hash = hashSecret(secret);
      cookies.set(ctx, beginAt(hash), secret, beginLifetimeSeconds);
      return hash;
    },
    begunWith: (ctx, state) => {
      const secret = state && cookies.get(ctx, { name: `${begins.name}.${tagIn(state)}` });
      return secret === undefined || secret === "" ? [] : [hashSecret(secret)];
    },
    give: (ctx, proof, interactionUid) => {
      const place = { ...proven, name: `${proven.name}.${tag(proof)}.${tag(interactionUid)}` };
      cookies.set(ctx, place, proof, proofLifetimeSeconds);
    },
    proofs: (ctx) => hashes(held(ctx, proven)),
    hasReturnedFor: (ctx, interactionUid) =>
      held(ctx, proven).some(({ name }) => name.endsWith(`.${tag(interactionUid)}`)),
    takeBack: (ctx, proofHash) => {
      const given = held(ctx, proven).find(({ value }) => hashSecret(value) === proofHash);
      if (given !== undefined) cookies.clear(ctx, given);
    },
  };
}
