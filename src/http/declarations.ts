/**
 * What a route declares of itself, as middleware in front of its handler: `router.post(path, form, handler)`,
 * `router.get(path, noHead, handler)`.
 */

import type { Middleware } from "koa";
import { koaBody } from "koa-body";

const parseForm = koaBody({
  json: false,
  text: false,
  multipart: false,
  formLimit: "16kb",
  queryString: { depth: 0 },
});

/**
 * Reads a form as browsers send it, of at most 16 KB; kit.ts's `formFields` gives its fields. One that says
 * it is compressed is refused before anything unpacks it (RFC 9110, 15.5.16).
 */
export const form: Middleware = async (ctx, next) => {
  if (!["", "identity"].includes(ctx.get("content-encoding").toLowerCase())) ctx.throw(415);
  await parseForm(ctx as Parameters<typeof parseForm>[0], next);
};

/**
 * Refuses HEAD, which routers answer like GET, where a GET does something once: begins an interaction, makes
 * a code, spends the answer of an upstream.
 */
export const noHead: Middleware = async (ctx, next) => {
  if (ctx.method !== "HEAD") return await next();
  // The body first: setting it to null makes the status 204.
  ctx.body = null;
  ctx.status = 405;
  ctx.set("allow", "GET, POST");
};
