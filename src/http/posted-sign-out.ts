/**
 * Sign-outs by POST at the end-session endpoint (OpenID Connect RP-Initiated Logout 1.0, section 2). A POST
 * from another site comes without the SameSite=Lax cookie of the session; the GET behind a 303 has it. What
 * was posted waits in the store meanwhile, under a handle that alone stands in the address: an
 * `id_token_hint` is the longest thing that portals send, and is left in no history and no log of a proxy.
 */

import type { Middleware } from "koa";
import type { Clock, Milliseconds } from "../clock.ts";
import { hashSecret, randomSecret } from "../domain/secrets.ts";
import type { ArtifactStore } from "../storage/contract.ts";
import { isBounded, ofSignOut, readForm } from "./bodies.ts";
import { queryValue, seeOther } from "./kit.ts";

export interface PostedSignOutDeps {
  artifacts: Pick<ArtifactStore, "upsert" | "find">;
  clock: Clock;
}

/** As the store calls what waits. */
const model = "PostedSignOut";
/** The parameter of our own that holds the handle. */
const handleName = "posted";
/** Milliseconds: longer than any redirect takes, so that the page can also be loaded again. */
const lifetimeMs: Milliseconds = 120_000;
/** What the endpoint reads (section 2); nothing else is kept. */
const names = new Set([
  "id_token_hint",
  "logout_hint",
  "client_id",
  "post_logout_redirect_uri",
  "state",
  "ui_locales",
]);

/** Stands before oidc-provider, which then sees nothing but the GET; every other address passes. */
export function postedSignOut({ artifacts, clock }: PostedSignOutDeps): Middleware {
  const signOut: Middleware = async (ctx, next) => {
    if (ctx.method === "POST") {
      const body = await readForm(ctx);
      if (body === undefined) return;
      if (body.length > 0 && ctx.is("urlencoded") === false) ctx.throw(415);
      const form = new URLSearchParams(body.toString());
      if (!isBounded(ctx, form)) return;
      const fields = [...form].filter(([name]) => names.has(name));
      if (fields.length === 0) return seeOther(ctx, "?");
      const handle = randomSecret();
      await artifacts.upsert(model, hashSecret(handle), { fields }, {}, clock.now() + lifetimeMs);
      return seeOther(ctx, `?${new URLSearchParams({ [handleName]: handle })}`);
    }
    const handle = queryValue(ctx, handleName);
    if (handle !== undefined) {
      const kept = await artifacts.find(model, hashSecret(handle), clock.now());
      // Nothing is left of it after a while: then it is a sign-out that no portal asked for.
      ctx.querystring = String(new URLSearchParams((kept?.["fields"] ?? []) as [string, string][]));
    }
    await next();
  };
  return (ctx, next) => (ofSignOut.test(ctx.path) ? signOut(ctx, next) : next());
}
