/**
 * What a route declares of itself, as middleware in front of its handler: `router.post(path, form, handler)`,
 * `router.get(path, noHead, handler)`.
 */

import type { Context, Middleware } from "koa";
import { readBody } from "../read-body.ts";
import { valuesByName } from "./parameters.ts";

/** The largest form of our own pages, in bytes. */
const largestForm = 16_384;

/**
 * The bytes of a form. One that says it is compressed is refused before anything unpacks it (RFC 9110,
 * 15.5.16).
 *
 * @throws HttpError 413 or 415
 */
export async function formBytes(ctx: Context, largest: number): Promise<Buffer> {
  if (!["", "identity"].includes(ctx.get("content-encoding").toLowerCase())) ctx.throw(415);
  return await readBody(ctx.req, largest, ctx.req.headers["content-length"]);
}

/**
 * Reads a form as browsers send it, of at most so many bytes; requests.ts's `formFields` gives its fields.
 */
export const formUpTo =
  (largest: number): Middleware =>
  async (ctx, next) => {
    if (ctx.is("urlencoded")) {
      const form = new URLSearchParams((await formBytes(ctx, largest)).toString());
      const fields = Array.from(valuesByName(form), ([name, values]) => {
        const [first = "", ...more] = values;
        return [name, more.length === 0 ? first : values] as const;
      });
      Object.assign(ctx.request, { body: Object.fromEntries(fields) });
    }
    await next();
  };

/** Reads a form of our own pages. */
export const form: Middleware = formUpTo(largestForm);

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
