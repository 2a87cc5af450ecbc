/**
 * What openid-client throws, put into Liaison's words. Its errors carry whole responses, parameters and claims along; only
 * their messages and codes are kept, so that no code, token or state ever reaches a log.
 */

import { AuthorizationResponseError, ResponseBodyError } from "openid-client";
import { LiaisonError } from "../errors.ts";
import type { UpstreamTransaction } from "../storage/records.ts";

/** OAuth errors by which an upstream says that it can't right now (RFC 6749, section 4.1.2.1). */
const UPSTREAM_TROUBLE = new Set(["server_error", "temporarily_unavailable"]);

/** The only one that says that the person didn't want to, or may not (same section); all others are between it and us. */
const REFUSED = "access_denied";

/** By which upstreams refuse `prompt=login` or `max_age` (OpenID Connect Core 1.0, section 3.1.2.6, and RFC 6749). */
const NOT_FRESH = new Set([
  "login_required",
  "interaction_required",
  "unmet_authentication_requirements",
  "invalid_request",
]);

/** Says of a failure what the sign-in was for, so that the person can begin it anew. What isn't a LiaisonError stays as it is. */
export function withPurpose(error: unknown, { upstreamId, purpose }: UpstreamTransaction): unknown {
  if (!(error instanceof LiaisonError)) return error;
  const { code, message, cause } = error;
  return new LiaisonError(code, message, { cause, upstreamId, purpose });
}

/**
 * Classifies what went wrong between an authorization response and a proven identity. `askedFresh`: whether the upstream was
 * asked for a sign-in of a certain age, which some refuse by an error.
 */
export function toLiaisonError(error: unknown, upstreamId: string, { askedFresh = false } = {}): LiaisonError {
  for (const link of causes(error)) {
    if (link instanceof LiaisonError) return link;
  }
  const cause = new Error(describeError(error));
  if (!(error instanceof AuthorizationResponseError)) return rejected(upstreamId, cause);
  if (UPSTREAM_TROUBLE.has(error.error)) {
    return new LiaisonError("upstream_unavailable", "The sign-in service could not sign you in right now.", { cause });
  }
  if (askedFresh && refusesFreshness(error)) return stale(upstreamId, cause);
  if (error.error !== REFUSED) return rejected(upstreamId, cause);
  return new LiaisonError("upstream_refused", "The sign-in was cancelled or refused there.", { cause });
}

/** Whether an upstream that was asked for a fresh sign-in refuses by this error, at its authorization or its PAR endpoint. */
export function refusesFreshness(error: unknown): boolean {
  const isAnswer = error instanceof AuthorizationResponseError || error instanceof ResponseBodyError;
  return isAnswer && NOT_FRESH.has(error.error);
}

/** An answer of the upstream that must not be believed. The reason is for the log. */
export function rejected(upstreamId: string, reason: string | Error): LiaisonError {
  return new LiaisonError("upstream_rejected", "The answer of the sign-in service could not be accepted.", {
    cause: asError(reason),
    upstreamId,
  });
}

/** A sign-in that is older than was asked for, doesn't show its age, or was refused for its age. The reason is for the log. */
export function stale(upstreamId: string, reason: string | Error): LiaisonError {
  return new LiaisonError("upstream_stale", "The sign-in service did not ask for a fresh sign-in.", {
    cause: asError(reason),
    upstreamId,
  });
}

function asError(reason: string | Error): Error {
  return typeof reason === "string" ? new Error(reason) : reason;
}

/** An upstream that can't be used now. The reason is for the log. */
export function unavailable(upstreamId: string, reason: string): LiaisonError {
  return new LiaisonError("upstream_unavailable", "The sign-in service could not be reached.", {
    cause: new Error(reason),
    upstreamId,
  });
}

/** The messages and codes of an error and its causes, in one line without any of the data they carry. */
export function describeError(error: unknown): string {
  return [...causes(error)].map(describeOne).join(" < ");
}

function describeOne(error: Error): string {
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) {
    return `${error.message} [${printable(error.error)}${error.error_description ? `: ${printable(error.error_description)}` : ""}]`;
  }
  const code = "code" in error && typeof error.code === "string" ? ` [${error.code}]` : "";
  return `${error.message}${code}`;
}

function* causes(error: unknown): Generator<Error> {
  let current = error;
  for (let depth = 0; current instanceof Error && depth < 8; depth += 1) {
    yield current;
    current = current.cause;
  }
}

/** The upstream's own words are somebody else's text: one line, printable, short. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, " ").slice(0, 200);
}
