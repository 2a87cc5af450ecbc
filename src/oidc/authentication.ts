/**
 * How a session keeps at which upstream its person signed in, and how. oidc-provider's sessions hold `acr`
 * and `amr` and nothing of ours, and hand both on to codes; so the upstream stands first among the methods.
 * Neither reaches an ID token of ours, for they are among no client's claims (provider.ts).
 */

import type { ProvenMethod } from "../domain/administration.ts";
import { asUpstreamId } from "../domain/ids.ts";
import type { SignInOutcome } from "../domain/records.ts";

const UPSTREAM = "upstream:";

/** What of a finished sign-in goes into the login of an interaction's result. */
export function loginMethods({ upstreamId, authentication }: SignInOutcome): { acr?: string; amr: string[] } {
  const amr = [UPSTREAM + upstreamId, ...(authentication?.amr ?? [])];
  const acr = authentication?.acr ?? null;
  return acr === null ? { amr } : { acr, amr };
}

/** What a session or a code says of its sign-in; undefined for one that was made before this was kept. */
export function methodOf({
  acr,
  amr,
}: {
  acr?: string | undefined;
  amr?: string[] | undefined;
}): ProvenMethod | undefined {
  // Only in the first place it is ours: an upstream may call a method so, too.
  const [first, ...methods] = amr ?? [];
  if (first === undefined || !first.startsWith(UPSTREAM)) return undefined;
  return { upstreamId: asUpstreamId(first.slice(UPSTREAM.length)), acr: acr ?? null, amr: methods };
}
