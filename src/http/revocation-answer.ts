/**
 * The answer of the revocation endpoint: 200 with nothing in it (RFC 7009, section 2.2), and so of no type. oidc-provider's empty
 * `text/plain` makes oidc-client-ts throw, which takes an answer of a type for JSON or for a fault.
 */

import type { Middleware } from "koa";
import { currentRoute } from "../oidc/internals.ts";

/** Stands before oidc-provider. */
export const revocationAnswer: Middleware = async (ctx, next) => {
  await next();
  if (currentRoute(ctx) === "revocation" && ctx.status === 200 && ctx.body === "") ctx.remove("content-type");
};
