/**
 * What a sign-in must be to open the administration's pages: through which upstreams, and what their ID
 * tokens must say of it. Pure; the interaction policy asks before a code is issued, and whoever redeems the
 * code asks again.
 */

import type { UpstreamId } from "./ids.ts";
import type { Authentication, ClientId } from "./records.ts";
import { CONSOLE_CLIENT_ID } from "./records.ts";

/** As it is configured; an empty list asks for nothing. */
export interface SignInDemand {
  /** One of these. */
  /** Ids of upstreams, as configured. */
  upstreams: readonly string[];
  /** One of these: an ID token has one `acr` (OpenID Connect Core 1.0, section 2). */
  acr_values: readonly string[];
  /**
   * Every one of these: a list that names a password and a second factor must not be content with the
   * password.
   */
  amr_values: readonly string[];
}

/** What is known of a sign-in at an upstream. */
export interface ProvenMethod extends Authentication {
  upstreamId: UpstreamId;
}

/**
 * Whether a sign-in opens the administration. One of which nothing is known opens it where nothing is asked
 * for.
 */
export function opensAdministration(
  { upstreams, acr_values, amr_values }: SignInDemand,
  method: ProvenMethod | undefined,
): boolean {
  if (method === undefined) return upstreams.length + acr_values.length + amr_values.length === 0;
  return (
    (upstreams.length === 0 || upstreams.includes(method.upstreamId)) &&
    (acr_values.length === 0 || (method.acr !== null && acr_values.includes(method.acr))) &&
    amr_values.every((value) => method.amr.includes(value))
  );
}

/** What of the demand concerns a sign-in at a client. */
export function demandOf(clientId: ClientId, demand: SignInDemand): SignInDemand | undefined {
  return clientId === CONSOLE_CLIENT_ID ? demand : undefined;
}
