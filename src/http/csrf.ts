/**
 * Protection of every form of ours against cross-site posts: where the browser says the post comes from, and
 * a token bound to a cookie (OWASP's signed double submit). A cross-site post is a 403 and changes nothing.
 */

import { createHmac, randomBytes } from "node:crypto";
import type { Context } from "koa";
import { equalSecrets } from "../domain/secrets.ts";
import { LiaisonError } from "../errors.ts";
import type { Cookies } from "./cookies.ts";

export interface Csrf {
  /** The token for this browser's forms; sets the cookie when it isn't there yet. */
  token(ctx: Context): string;
  /** @throws LiaisonError `cross_site_request` unless the post comes from a page of ours in this browser. */
  verify(ctx: Context, token: unknown): void;
}

export interface CsrfOptions {
  key: string;
  issuer: URL;
  cookies: Cookies;
}

export function createCsrf({ key, issuer, cookies }: CsrfOptions): Csrf {
  const place = cookies.ofService("liaison.csrf");
  const tokenFor = (secret: string) => createHmac("sha256", key).update(`csrf:${secret}`).digest("base64url");
  return {
    token: (ctx) => {
      // Once a response: a page's second form must not replace the cookie that its first form goes with.
      const known = ctx.state["csrfSecret"] ?? cookies.get(ctx, place);
      const secret = typeof known === "string" ? known : randomBytes(16).toString("base64url");
      if (secret !== known) cookies.set(ctx, place, secret);
      ctx.state["csrfSecret"] = secret;
      return tokenFor(secret);
    },
    verify: (ctx, token) => {
      const refuse = () =>
        LiaisonError.crossSiteRequest("This form was not sent from a page of this service.");
      // The fetch metadata can't be forged by a page; `Origin` is "null" on our own forms because of
      // `no-referrer`.
      const site = ctx.get("sec-fetch-site");
      if (site !== "" && site !== "same-origin") throw refuse();
      const origin = ctx.get("origin");
      if (origin !== "" && origin !== "null" && origin !== issuer.origin) throw refuse();
      const secret = cookies.get(ctx, place);
      if (secret === undefined || typeof token !== "string") throw refuse();
      if (!equalSecrets(tokenFor(secret), token)) throw refuse();
    },
  };
}
