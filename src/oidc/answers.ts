/**
 * What of oidc-provider's own answers is made fit on its way out: the discovery document, and the revocation
 * endpoint's.
 */

import type { Middleware } from "koa";
import { currentRoute } from "./internals.ts";

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
    if (route === "revocation" && ctx.status === 200 && ctx.body === "") ctx.remove("content-type");
    if (route !== "discovery" || ctx.status !== 200) return;
    const document = ctx.body as { scopes_supported: string[] };
    document.scopes_supported = document.scopes_supported.filter(
      (scope) => !clientCredentialsScopes.includes(scope),
    );
  };
}
