/** Store errors as oidc-provider's: what a store that can't be reached looks like to it. */

import { errors } from "oidc-provider";
import { LiaisonError } from "../errors.ts";

/**
 * A store that can't be reached is a 503 at every endpoint, and never a redirect to the portal with a
 * half-done request.
 */
export async function withStoreErrors<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (cause) {
    if (!(cause instanceof LiaisonError) || cause.code !== "store_unavailable") throw cause;
    const error = new errors.OIDCProviderError(503, "temporarily_unavailable", { cause });
    error.expose = true;
    throw Object.assign(error, { allow_redirect: false, error_description: "try again in a moment" });
  }
}
