/**
 * Reads the forms that oidc-provider's own endpoints are sent, before it does: of a size that they can need,
 * and never compressed. What is sent to sign out is held to the bounds of its parameters here, because the
 * library keeps it unseen; what is posted there is read by posted-sign-out.ts.
 */

import type { Context, Middleware, Next } from "koa";
import { giveForm } from "../oidc/internals.ts";
import { oversize } from "../oidc/request-bounds.ts";
import { tidyScope } from "../oidc/request-parameters.ts";
import { formBytes } from "./declarations.ts";
import { valuesByName } from "./parameters.ts";

/**
 * The largest form, in bytes: twice what the parameters of a pushed request may come to, which are
 * percent-encoded.
 */
const largest = 16_384;

/** Of a sign-out, whose names have no bound of their own; the standards know six. */
const mostParameters = 100;

const posted = /^\/(?:token|par|introspect|revoke|userinfo|logout\/confirm)\/?$/i;
/** The path of the end-session endpoint. */
export const ofSignOut = /^\/logout\/?$/i;
const ofConfirm = /^\/logout\/confirm\/?$/i;
const ofScopes = /^\/(?:par|token)\/?$/i;
const ofPeople = /^\/logout\b/i;

/** Stands before oidc-provider; every other address passes. */
export const boundedForms: Middleware = async (ctx, next) => {
  if (ctx.method === "POST" && posted.test(ctx.path)) return await withForm(ctx, next);
  if (ofSignOut.test(ctx.path) && !isBounded(ctx, new URLSearchParams(ctx.querystring))) return;
  return await next();
};

async function withForm(ctx: Context, next: Next): Promise<void> {
  const form = await readForm(ctx);
  if (form === undefined) return;
  // Our pages sign out of everything. Of one portal alone the library would, and tell it while the person
  // waits.
  if (ofConfirm.test(ctx.path) && !new URLSearchParams(form.toString()).has("logout")) ctx.throw(400);
  giveForm(ctx.req, ofScopes.test(ctx.path) ? withTidyScope(form) : form);
  await next();
}

/** As it came, unless its scope isn't written as the standard has it. */
function withTidyScope(form: Buffer): Buffer {
  const fields = new URLSearchParams(form.toString());
  const [asked, ...more] = fields.getAll("scope");
  const scope = tidyScope(asked);
  if (scope === undefined || more.length > 0) return form;
  fields.set("scope", scope);
  return Buffer.from(fields.toString());
}

/** The bytes of a form; undefined if it was refused. @throws HttpError for one that a person sends */
export async function readForm(ctx: Context): Promise<Buffer | undefined> {
  try {
    return await formBytes(ctx, largest);
  } catch (error) {
    if (ofPeople.test(ctx.path)) throw error;
    const { status } = error as { status?: unknown };
    if (status !== 413 && status !== 415) throw error;
    return refuse(ctx, status);
  }
}

/** Whether the parameters of a sign-out are of a size that is kept. @throws HttpError if they aren't */
export function isBounded(ctx: Context, parameters: URLSearchParams): boolean {
  if (parameters.size > mostParameters) ctx.throw(400, `there are more than ${mostParameters} parameters`);
  const found = oversize(Object.fromEntries(valuesByName(parameters)));
  if (found !== undefined) ctx.throw(400, found.problem);
  return found === undefined;
}

/** Programs are told in JSON, as by the library (RFC 6749, section 5.2). */
function refuse(ctx: Context, status: 413 | 415): undefined {
  ctx.status = status;
  ctx.set("connection", "close");
  ctx.body = { error: "invalid_request", error_description: "the form is too large, or compressed" };
}
