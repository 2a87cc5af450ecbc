/**
 * Reads how somebody authenticated off an upstream's ID token: `acr` and `amr` (OpenID Connect Core 1.0,
 * section 2; RFC 8176).
 */

import type { Authentication } from "../domain/records.ts";

/** Longer or more than any that means something; both are kept with the session. */
const VALUE = /^[\x21-\x7e]{1,255}$/;
const MOST_METHODS = 20;

/**
 * What isn't text of the shape that both have is as good as absent. Some upstreams write a single method as
 * text.
 */
export function authenticationOf(claims: Readonly<Record<string, unknown>>): Authentication {
  const isValue = (value: unknown): value is string => typeof value === "string" && VALUE.test(value);
  const { acr, amr } = claims;
  return {
    acr: isValue(acr) ? acr : null,
    amr: [amr].flat().slice(0, MOST_METHODS).filter(isValue),
  };
}
