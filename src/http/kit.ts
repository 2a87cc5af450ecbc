/** What the route modules share: reading a form, sending a page, redirecting. No rules live here. */

import type { Context } from "koa";
import type { Config } from "../config/schema.ts";
import { clientNetwork } from "../domain/networks.ts";
import type { Pages } from "../ui/pages.ts";
import type { Site } from "../ui/views.ts";
import type { Upstreams } from "../upstream/upstreams.ts";
import type { BrowserBinding } from "./browser-binding.ts";
import type { Cookies } from "./cookies.ts";
import type { VisitorCosts } from "./costs/visitor-costs.ts";
import type { Csrf } from "./csrf.ts";
import type { EncryptedCookies } from "./encrypted-cookie.ts";
import type { SignedOutBrowsers } from "./signed-out.ts";

/** What every route module is given, beside the services of its own. */
export interface HttpKit {
  config: Pick<Config, "issuer" | "mail" | "linking" | "administration">;
  pages: Pages;
  site(): Promise<Site>;
  csrf: Csrf;
  encryptedCookies: EncryptedCookies;
  cookies: Cookies;
  binding: BrowserBinding;
  signedOut: SignedOutBrowsers;
  upstreams: Upstreams;
  costs: VisitorCosts;
}

/** What a request counts as coming from: the client's network. */
export function networkOf(ctx: Context): string {
  return clientNetwork(String(ctx.state["clientAddress"]));
}

/** Fields of a posted form; a field given twice has no value, which no form of ours sends. */
export function formFields(ctx: Context): Record<string, string | undefined> {
  const body = (ctx.request as { body?: unknown }).body;
  if (typeof body !== "object" || body === null) return {};
  const entries = Object.entries(body).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.assign(Object.create(null), Object.fromEntries(entries)) as Record<
    string,
    string | undefined
  >;
}

/**
 * A parameter of an address of ours; one given twice has no value, which no page of ours and no upstream
 * sends.
 */
export function queryValue(ctx: Context, name: string): string | undefined {
  const value = ctx.query[name];
  return typeof value === "string" ? value : undefined;
}

/** Whether an address of ours has a parameter at all, whatever it says. */
export function hasQuery(ctx: Context, name: string): boolean {
  return ctx.query[name] !== undefined;
}

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
