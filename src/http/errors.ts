/**
 * The one place where an error becomes a response: status, page or JSON, and one log line. Handlers throw;
 * what isn't known here is a plain 500 page with a request id.
 */

import type { Context, Middleware } from "koa";
import { errors as oidcErrors } from "oidc-provider";
import type { Logger } from "pino";
import type { Seconds } from "../clock.ts";
import type { Client } from "../domain/records.ts";
import { type ErrorCode, LiaisonError } from "../errors.ts";
import type { Pages } from "../ui/pages.ts";
import type { ErrorPage, SignInLostPage, Site, UpstreamProblemPage } from "../ui/views.ts";
import { describeError } from "../upstream/failures.ts";
import { sendPage } from "./kit.ts";
import { portalView } from "./site.ts";

export interface ErrorDeps {
  pages: Pages;
  site(): Promise<Site>;
  logger: Logger;
}

const statusOf: Record<ErrorCode, number> = {
  bad_request: 400,
  cross_site_request: 403,
  not_found: 404,
  unauthorized: 401,
  forbidden: 403,
  conflict: 409,
  precondition_failed: 412,
  precondition_required: 428,
  unprocessable: 422,
  too_many_requests: 429,
  sign_in_expired: 400,
  sign_in_mismatch: 400,
  upstream_refused: 400,
  upstream_rejected: 502,
  upstream_stale: 403,
  upstream_unavailable: 503,
  store_unavailable: 503,
  store_refused: 500,
  config_invalid: 500,
  port_taken: 500,
  usage: 500,
};

const upstreamProblems: Partial<Record<ErrorCode, UpstreamProblemPage["problem"]>> = {
  upstream_unavailable: "unavailable",
  upstream_refused: "refused",
  upstream_rejected: "rejected",
  upstream_stale: "stale",
};

/** Catches what handlers throw, before oidc-provider's own routes. */
export function errorMapping(deps: ErrorDeps): Middleware {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 404 && ctx.body == null)
        throw new LiaisonError("not_found", "There is no such page.");
    } catch (error) {
      await respond(ctx, deps, error);
    }
  };
}

async function respond(ctx: Context, deps: ErrorDeps, error: unknown): Promise<void> {
  const status = statusFor(error);
  const code = error instanceof LiaisonError ? error.code : undefined;
  const upstreamId = error instanceof LiaisonError ? error.upstreamId : undefined;
  const fields = { request_id: requestId(ctx), status, code, upstreamId };
  if (status >= 500) deps.logger.error({ ...fields, err: error }, "request failed");
  else deps.logger.info({ ...fields, reason: reasonOf(error) }, "request refused");
  // What remains of the form isn't waited for.
  if (status === 413 || status === 415) ctx.set("connection", "close");
  if (status === 429) ctx.set("retry-after", String(retryAfterSeconds(ctx) ?? 60));
  const problem = code === undefined ? undefined : upstreamProblems[code];
  if (wantsJson(ctx)) {
    ctx.status = status;
    ctx.body = {
      error: code ?? (status >= 500 ? "server_error" : "invalid_request"),
      request_id: requestId(ctx),
    };
  } else if (problem !== undefined) {
    await showUpstreamProblem(ctx, deps, problem, status, error as LiaisonError);
  } else if (code === "sign_in_expired" || code === "sign_in_mismatch") {
    await showSignInLost(ctx, deps, status, code);
  } else {
    await showError(ctx, deps, { status, code: null, portal: null });
  }
}

/**
 * For the log. What an upstream did is in the cause, in words that carry nothing secret
 * (upstream/failures.ts).
 */
function reasonOf(error: unknown): string {
  const isUpstreams = error instanceof LiaisonError && error.upstreamId !== undefined;
  return isUpstreams ? describeError(error) : String((error as Error).message);
}

/** The status that an error is answered with. */
export function statusFor(error: unknown): number {
  if (error instanceof LiaisonError) return statusOf[error.code];
  if (error instanceof oidcErrors.OIDCProviderError) return error.statusCode;
  const { status, expose } = error as { status?: unknown; expose?: unknown };
  return typeof status === "number" && status >= 400 && status < 500 && expose === true ? status : 500;
}

function wantsJson(ctx: Context): boolean {
  return ctx.accepts("html", "json") === "json";
}

async function showUpstreamProblem(
  ctx: Context,
  { pages, site }: ErrorDeps,
  problem: UpstreamProblemPage["problem"],
  status: number,
  error: LiaisonError,
): Promise<void> {
  const shown = await site();
  const view: UpstreamProblemPage = {
    upstream: shown.upstreams.find(({ id }) => id === error.upstreamId) ?? null,
    problem,
    retryUrl: retryUrl(ctx),
    requestId: requestId(ctx),
  };
  sendPage(ctx, pages.upstreamProblem(shown, view), status);
}

async function showSignInLost(
  ctx: Context,
  { pages, site }: ErrorDeps,
  status: number,
  code: ErrorCode,
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
    requestId: requestId(ctx),
    retryAfterSeconds: retryAfterSeconds(ctx) ?? null,
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

/** Where the handler said when it is worth trying again. */
function retryAfterSeconds(ctx: Context): Seconds | undefined {
  const seconds: unknown = ctx.state["retryAfterSeconds"];
  return typeof seconds === "number" ? seconds : undefined;
}

function requestId(ctx: Context): string {
  return String(ctx.state["requestId"] ?? "");
}
