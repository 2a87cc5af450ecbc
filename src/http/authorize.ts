/**
 * What stands before oidc-provider's own `/authorize`, and before what resumes a request below it: HEAD is
 * refused, floods are held back, and requests are made such as Liaison understands them. All other routes say
 * of themselves what they need.
 */

import type { Context, Middleware } from "koa";
import { readAuthorizationRequest, tidyScope } from "../oidc/request-parameters.ts";
import { chargeAuthorization, type VisitorCosts } from "./costs/visitor-costs.ts";
import { form, noHead } from "./declarations.ts";
import { seeOther } from "./responses.ts";

/** The middleware in its order; each lets every other address pass. */
export function authorizeMiddleware(costs: VisitorCosts): Middleware[] {
  return [noHead, chargeAuthorization(costs), fitRequest].map(
    (middleware): Middleware =>
      (ctx, next) =>
        /^\/authorize\b/i.test(ctx.path) ? middleware(ctx, next) : next(),
  );
}

/**
 * Authorization requests as Liaison understands them. `offline_access` needs `prompt=consent` "unless other
 * conditions for processing the request permitting offline access are in place" (OpenID Connect Core 11);
 * here they are: the operator registered the client for refresh tokens, and nobody is asked for consent.
 */
const fitRequest: Middleware = async (ctx, next) => {
  if (ctx.method === "POST") return await asGet(ctx);
  const scope = tidyScope(ctx.query["scope"]);
  if (scope !== undefined) ctx.query = { ...ctx.query, scope };
  const { scopes, prompts, repeated } = readAuthorizationRequest(ctx.query);
  const isWanting = scopes.has("offline_access") && !prompts.has("none") && !prompts.has("consent");
  if (isWanting && !repeated.has("prompt"))
    ctx.query = { ...ctx.query, prompt: [...prompts, "consent"].join(" ") };
  await next();
};

/**
 * A request by POST (OpenID Connect Core 3.1.2.1) goes on as a GET: from another site only that brings the
 * session's cookie, which is SameSite=Lax.
 */
async function asGet(ctx: Context): Promise<void> {
  await form(ctx, async () => {});
  const fields = Object.entries((ctx.request as { body?: object }).body ?? {}).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, String(one)]),
  );
  seeOther(ctx, `?${new URLSearchParams(fields)}`);
}
