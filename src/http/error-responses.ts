/**
 * The one mapping from errors to HTTP responses: status, headers, page and log line. errors.ts renders them
 * as pages, admin/rest as problems (RFC 9457).
 */

import type { Context } from "koa";
import { errors as oidcErrors } from "oidc-provider";
import type { Logger } from "pino";
import { type ErrorCode, LiaisonError } from "../errors.ts";
import { RETRY_STORE_AFTER_SECONDS } from "../oidc/answers.ts";
import type { UpstreamProblemPage } from "../ui/views.ts";
import { describeError, UpstreamSignInError } from "../upstream/failures.ts";

/** Which page a person is shown. */
export type PageOfError = "error" | "sign_in_lost" | { upstreamProblem: UpstreamProblemPage["problem"] };

export interface ErrorResponse {
  status: number;
  /** Undefined where nothing of ours was thrown. */
  code: ErrorCode | undefined;
  page: PageOfError;
  /** When it is worth trying again, where that is the same for everybody. */
  retryAfterSeconds?: number;
}

/** Every code has its response; the compiler names the one that has none. */
const responses: Record<ErrorCode, Omit<ErrorResponse, "code">> = {
  bad_request: { status: 400, page: "error" },
  cross_site_request: { status: 403, page: "error" },
  not_found: { status: 404, page: "error" },
  unauthorized: { status: 401, page: "error" },
  forbidden: { status: 403, page: "error" },
  conflict: { status: 409, page: "error" },
  precondition_failed: { status: 412, page: "error" },
  precondition_required: { status: 428, page: "error" },
  unprocessable: { status: 422, page: "error" },
  too_many_requests: { status: 429, page: "error", retryAfterSeconds: 60 },
  sign_in_expired: { status: 400, page: "sign_in_lost" },
  sign_in_mismatch: { status: 400, page: "sign_in_lost" },
  upstream_refused: { status: 400, page: { upstreamProblem: "refused" } },
  upstream_rejected: { status: 502, page: { upstreamProblem: "rejected" } },
  upstream_stale: { status: 403, page: { upstreamProblem: "stale" } },
  upstream_unavailable: { status: 503, page: { upstreamProblem: "unavailable" } },
  store_unavailable: { status: 503, page: "error", retryAfterSeconds: RETRY_STORE_AFTER_SECONDS },
  store_refused: { status: 500, page: "error" },
  // Of commands and of starting alone.
  config_invalid: { status: 500, page: "error" },
  port_taken: { status: 500, page: "error" },
  usage: { status: 500, page: "error" },
};

/**
 * What an error is answered with: one of ours by its code, one of oidc-provider or of Koa's by the status
 * that it says, and everything else by a 500 that says nothing.
 */
export function responseTo(error: unknown): ErrorResponse {
  if (error instanceof LiaisonError) return { code: error.code, ...responses[error.code] };
  const unknown = { code: undefined, page: "error" } as const;
  if (error instanceof oidcErrors.OIDCProviderError) {
    const { statusCode: status } = error;
    return { ...unknown, status, ...(status === 503 && retrySoon) };
  }
  const { status, expose } = error as { status?: unknown; expose?: unknown };
  const isRefusal = typeof status === "number" && status >= 400 && status < 500 && expose === true;
  return { ...unknown, status: isRefusal ? status : 500 };
}

/** oidc-provider's 503 is a store that can't be reached, too (oidc/store-errors.ts). */
const { retryAfterSeconds = 0 } = responses.store_unavailable;
const retrySoon = { retryAfterSeconds };

/**
 * Begins the answer to an error: sets status and headers, and writes the log line. What the handler knew
 * better stands in `ctx.state.retryAfterSeconds`.
 */
export function beginErrorResponse(ctx: Context, error: unknown, logger: Logger): ErrorResponse {
  const response = responseTo(error);
  const { status, code } = response;
  const upstreamId = error instanceof UpstreamSignInError ? error.upstreamId : undefined;
  const fields = { request_id: requestIdOf(ctx), status, code, upstreamId };
  if (status >= 500) logger.error({ ...fields, err: error }, "request failed");
  else logger.info({ ...fields, reason: reasonOf(error) }, "request refused");
  ctx.status = status;
  // What remains of the body isn't waited for.
  if (status === 413 || status === 415) ctx.set("connection", "close");
  const retryAfter = retryAfterOf(ctx) ?? response.retryAfterSeconds;
  if (retryAfter !== undefined) ctx.set("retry-after", String(retryAfter));
  return response;
}

/**
 * For the log. What an upstream did is in the cause, in words that carry nothing secret
 * (upstream/failures.ts).
 */
function reasonOf(error: unknown): string {
  return error instanceof UpstreamSignInError ? describeError(error) : String((error as Error).message);
}

/** Where the handler said when it is worth trying again. */
export function retryAfterOf(ctx: Context): number | undefined {
  const seconds: unknown = ctx.state["retryAfterSeconds"];
  return typeof seconds === "number" ? seconds : undefined;
}

/** By which the log line of a request is found again. */
export function requestIdOf(ctx: Context): string {
  return String(ctx.state["requestId"] ?? "");
}
