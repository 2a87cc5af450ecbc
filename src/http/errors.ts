/**
 * Shows people, and programs that ask for JSON, what went wrong. Handlers throw; what becomes of which error
 * is error-responses.ts's to say.
 */

import type { Context, Middleware } from "koa";
import type { Logger } from "pino";
import type { Client } from "../domain/records.ts";
import { type ErrorCode, LiaisonError } from "../errors.ts";
import type { Pages } from "../ui/pages.ts";
import type { ErrorPage, SignInLostPage, Site, UpstreamProblemPage } from "../ui/views.ts";
import { UpstreamSignInError } from "../upstream/failures.ts";
import { beginErrorResponse, requestIdOf, retryAfterOf } from "./error-responses.ts";
import { sendPage } from "./responses.ts";
import { portalView } from "./site.ts";

export interface ErrorDeps {
  pages: Pages;
  site(): Promise<Site>;
  logger: Logger;
}

/** Catches what handlers throw, before oidc-provider's own routes. */
export function errorMapping(deps: ErrorDeps): Middleware {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 404 && ctx.body == null) throw LiaisonError.notFound("There is no such page.");
    } catch (error) {
      await respond(ctx, deps, error);
    }
  };
}

async function respond(ctx: Context, deps: ErrorDeps, error: unknown): Promise<void> {
  const { status, code, page } = beginErrorResponse(ctx, error, deps.logger);
  if (wantsJson(ctx)) {
    ctx.body = {
      error: code ?? (status >= 500 ? "server_error" : "invalid_request"),
      request_id: requestIdOf(ctx),
    };
  } else if (page === "sign_in_lost") {
    await showSignInLost(ctx, deps, status, code);
  } else if (page === "error") {
    await showError(ctx, deps, { status, code: null, portal: null });
  } else {
    await showUpstreamProblem(ctx, deps, page.upstreamProblem, status, error);
  }
}

function wantsJson(ctx: Context): boolean {
  return ctx.accepts("html", "json") === "json";
}

async function showUpstreamProblem(
  ctx: Context,
  { pages, site }: ErrorDeps,
  problem: UpstreamProblemPage["problem"],
  status: number,
  error: unknown,
): Promise<void> {
  const shown = await site();
  const upstreamId = error instanceof UpstreamSignInError ? error.upstreamId : undefined;
  const view: UpstreamProblemPage = {
    upstream: shown.upstreams.find(({ id }) => id === upstreamId) ?? null,
    problem,
    retryUrl: retryUrl(ctx),
    requestId: requestIdOf(ctx),
  };
  sendPage(ctx, pages.upstreamProblem(shown, view), status);
}

async function showSignInLost(
  ctx: Context,
  { pages, site }: ErrorDeps,
  status: number,
  code: ErrorCode | undefined,
): Promise<void> {
  const client = ctx.state["portal"] as Client | undefined;
  const known = ctx.state["lostReason"] as SignInLostPage["reason"] | undefined;
  const reason = known ?? (code === "sign_in_mismatch" ? withoutItsCookie(ctx) : "expired");
  sendPage(
    ctx,
    pages.signInLost(await site(), { reason, portal: client ? portalView(client) : null }),
    status,
  );
}

/**
 * A browser without any cookie that was sent here by another page blocks them; one that was just opened here
 * has none yet.
 */
export function withoutItsCookie(ctx: Context): "cookies_blocked" | "other_browser" {
  return ctx.get("cookie") === "" && ctx.get("sec-fetch-site") !== "none"
    ? "cookies_blocked"
    : "other_browser";
}

/** The generic error page; also for oidc-provider's `renderError`. `code` is an OAuth error code. */
export async function showError(
  ctx: Context,
  { pages, site }: Pick<ErrorDeps, "pages" | "site">,
  { status, code, portal }: Pick<ErrorPage, "status" | "code" | "portal">,
): Promise<void> {
  const view: ErrorPage = {
    status,
    code,
    kind: kindOf(status, code),
    requestId: requestIdOf(ctx),
    retryAfterSeconds: retryAfterOf(ctx) ?? null,
    portal,
    retryUrl: status >= 500 ? retryUrl(ctx) : null,
  };
  sendPage(ctx, pages.error(await site(), view), status);
}

function kindOf(status: number, code: string | null): ErrorPage["kind"] {
  if (status === 503) return "unavailable";
  if (status >= 500) return "internal";
  if (code !== null) return "portal_mistake";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  return status === 429 ? "too_many" : "bad_request";
}

/** Where the handler said that what it does can be begun anew. */
function retryUrl(ctx: Context): string | null {
  return typeof ctx.state["retryUrl"] === "string" ? ctx.state["retryUrl"] : null;
}
