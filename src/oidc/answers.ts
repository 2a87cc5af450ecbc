/**
 * What of oidc-provider's own answers is made fit on its way out: the discovery document, the revocation
 * endpoint's, and when it is worth asking again.
 */

import type { Middleware } from "koa";
import type { Seconds } from "../clock.ts";
import { currentRoute } from "./internals.ts";

/** When it is worth asking again where the store can't be reached, whoever says so. */
export const RETRY_STORE_AFTER_SECONDS: Seconds = 5;

/**
 * Discovery lists no scopes that no portal can have: those of client credentials. A revocation is answered
 * by 200 with nothing in it (RFC 7009, section 2.2), and so of no type: oidc-client-ts takes an answer of a
 * type for JSON or for a fault, and the library says `text/plain`.
 */
export function fitAnswers({
  clientCredentialsScopes,
}: {
  clientCredentialsScopes: readonly string[];
}): Middleware {
  return async (ctx, next) => {
    await next();
    const route = currentRoute(ctx);
    // The library answers by itself that the store can't be reached (store-errors.ts).
    if (route !== undefined && ctx.status === 503 && !ctx.response.get("retry-after"))
      ctx.set("retry-after", String(RETRY_STORE_AFTER_SECONDS));
    if (route === "revocation" && ctx.status === 200 && ctx.body === "") ctx.remove("content-type");
    if (route !== "discovery" || ctx.status !== 200) return;
    const document = ctx.body as { scopes_supported: string[] };
    document.scopes_supported = document.scopes_supported.filter(
      (scope) => !clientCredentialsScopes.includes(scope),
    );
  };
}
