/**
 * How recent an authentication must be: what is asked of the upstream, and what its ID token must then show (ASVS 5.0,
 * 6.8.4). OpenID Connect Core 1.0, section 3.1.2.1: with `max_age` an upstream has to return `auth_time`.
 */

import type { Instant } from "../clock.ts";
import type { UpstreamConfig } from "../config/schema.ts";

export interface FreshnessWish {
  prompt?: "login";
  /** Seconds, as the portal asked. */
  maxAge?: number;
  /** Whether the person must authenticate now, whatever session the upstream holds. */
  forced: boolean;
}

export interface FreshnessPlan {
  prompt: "login" | undefined;
  /** Sent as `max_age`, and `auth_time` is checked against it; null where that can't be or doesn't matter. */
  maxAgeSeconds: number | null;
}

/** What clocks may differ, in milliseconds. */
const SKEW_MS = 60_000;

/**
 * What to ask of an upstream. One that shows no `auth_time` can't prove how old an authentication is, so it's told to make
 * a new one wherever its age matters.
 */
export function planFreshness(
  reauthentication: UpstreamConfig["reauthentication"],
  { prompt, maxAge, forced }: FreshnessWish,
): FreshnessPlan {
  const mustBeNew = forced || (reauthentication === "prompt_only" && maxAge !== undefined);
  return {
    prompt: mustBeNew ? "login" : prompt,
    maxAgeSeconds: reauthentication === "prompt_only" ? null : forced ? 0 : (maxAge ?? null),
  };
}

/**
 * Whether `authTime` (seconds since the epoch) keeps a plan's `maxAgeSeconds`, counted from the moment the person was sent
 * off: what they then take at the upstream, for a second factor or a form, doesn't count.
 */
export function isFreshEnough(authTime: number | undefined, maxAgeSeconds: number | null, begunAt: Instant): boolean {
  if (maxAgeSeconds === null) return true;
  return authTime !== undefined && authTime * 1000 >= begunAt - maxAgeSeconds * 1000 - SKEW_MS;
}
