/** What a request is answered with when all goes well: a page, or a redirect. Errors are errors.ts's. */

import type { Context } from "koa";

/** Sends an HTML page. */
export function sendPage(ctx: Context, html: string, status = 200): void {
  ctx.status = status;
  ctx.type = "html";
  ctx.body = html;
}

/**
 * Redirects after a POST, or to the next step: always 303, so that no browser repeats a post (RFC 9700,
 * 4.12).
 */
export function seeOther(ctx: Context, location: string): void {
  ctx.status = 303;
  ctx.redirect(location);
  ctx.status = 303;
}
