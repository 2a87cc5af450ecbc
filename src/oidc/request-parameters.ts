/**
 * Reads the parameters of a request to our OpenID Provider (OpenID Connect Core 1.0, sections 3.1.2.1 and
 * RP-Initiated Logout 1.0, section 2) that Liaison itself acts on. They arrive as text, as numbers where
 * oidc-provider has read them before, and as lists where they were given twice. oidc-provider refuses what is
 * malformed before any of it is acted on; this reader has an outcome for it nevertheless.
 */

import type { Seconds } from "../clock.ts";

/** Parameters by name, from a query, from oidc-provider's context or from a stored interaction. */
export type RequestParameters = Readonly<Record<string, unknown>>;

/**
 * What an authorization request asks for. What is missing, empty or given twice is undefined, unless it says
 * otherwise.
 */
export interface AuthorizationRequest {
  clientId: string | undefined;
  redirectUri: string | undefined;
  scopes: ReadonlySet<string>;
  prompts: ReadonlySet<string>;
  /**
   * `max_age`: 0 where it says something that is no age, because nothing then asks for less than the newest
   * sign-in.
   */
  maxAgeSeconds: Seconds | undefined;
  /** Undefined, too, where it is longer than anybody's name at an upstream. */
  loginHint: string | undefined;
  /** `upstream`: the one to go straight to, an extension of ours. */
  upstreamHint: string | undefined;
  /** `profile_hint`: the profile to speak for, an extension of ours. */
  profileHint: string | undefined;
  /** Names of the parameters that were given more than once, for which oidc-provider refuses the request. */
  repeated: ReadonlySet<string>;
}

/** 68 years. A longer `max_age` asks for nothing more, and overflows the integers of some upstreams. */
const LONGEST_AGE_SECONDS: Seconds = 2 ** 31 - 1;

/**
 * Characters; addresses have 254 at most, opaque names of accounts about as many. It becomes part of an
 * address.
 */
const LONGEST_LOGIN_HINT = 1024;

/** Reads an authorization request. */
export function readAuthorizationRequest(parameters: RequestParameters): AuthorizationRequest {
  const loginHint = text(parameters["login_hint"]);
  const repeated = Object.keys(parameters).filter((name) => Array.isArray(parameters[name]));
  return {
    clientId: text(parameters["client_id"]),
    redirectUri: text(parameters["redirect_uri"]),
    scopes: words(parameters["scope"]),
    prompts: words(parameters["prompt"]),
    maxAgeSeconds: age(parameters["max_age"]),
    loginHint: loginHint !== undefined && loginHint.length > LONGEST_LOGIN_HINT ? undefined : loginHint,
    upstreamHint: text(parameters["upstream"]),
    profileHint: text(parameters["profile_hint"]),
    repeated: new Set(repeated),
  };
}

/**
 * `scope` as the standard has it: one blank between two scopes, none around (RFC 6749, section 3.3). Clients
 * put it together from settings, and from lines. Undefined where it already is so, or is no single text.
 */
export function tidyScope(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const tidy = value.trim().replace(/\s+/g, " ");
  return tidy === value ? undefined : tidy;
}

/** Where a request to sign out asks to be led afterwards. */
export function readPostLogoutRedirectUri(parameters: RequestParameters): string | undefined {
  return text(parameters["post_logout_redirect_uri"]);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function words(value: unknown): ReadonlySet<string> {
  return new Set((text(value) ?? "").split(" ").filter((word) => word !== ""));
}

/**
 * As oidc-provider counts it (`checkMaxAge`), so that nothing that it took is dropped here: `1e3` is a
 * thousand.
 */
function age(value: unknown): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const seconds = typeof value === "string" || typeof value === "number" ? Number(value) : Number.NaN;
  return Number.isInteger(seconds) && seconds > 0 ? Math.min(seconds, LONGEST_AGE_SECONDS) : 0;
}
