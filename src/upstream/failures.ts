/**
 * What openid-client throws, put into Liaison's words. Its errors carry whole responses, parameters and
 * claims along; only their messages and codes are kept, so that no code, token or state ever reaches a log.
 */

import { AuthorizationResponseError, ResponseBodyError } from "openid-client";
import type { SignInPurpose, UpstreamTransaction } from "../domain/records.ts";
import { type ErrorCode, LiaisonError } from "../errors.ts";

/** OAuth errors by which an upstream says that it can't right now (RFC 6749, section 4.1.2.1). */
const UPSTREAM_TROUBLE = new Set(["server_error", "temporarily_unavailable"]);

/**
 * By which upstreams say that the person didn't want to, or may not. RFC 6749 knows `access_denied` alone;
 * OpenID Connect Core 1.0, section 3.1.2.6, adds what stops where the person doesn't go on; LemonLDAP::NG
 * says `consent_required` of who refuses. All others are between the upstream and us.
 */
const REFUSED = new Set([
  "access_denied",
  "account_selection_required",
  "consent_required",
  "interaction_required",
  "login_required",
]);

/**
 * Names of their own for the same: `user_cancelled_login` (LinkedIn), `user_cancelled_authorize` (Apple,
 * LinkedIn), …
 */
const REFUSED_BY_NAME = /cancel|denied|declined|refused/i;

/**
 * By which upstreams refuse `prompt=login` or `max_age` (RFC 6749, section 4.1.2.1; Unmet Authentication
 * Requirements 1.0).
 */
const NOT_FRESH = new Set(["invalid_request", "unmet_authentication_requirements"]);

/**
 * By which some refuse these, too, and some say that the person didn't go on. Where a portal asked for a
 * fresh sign-in they are taken for the former; at a link, whose sign-in is always to be fresh, for the
 * latter.
 */
const NOT_FRESH_FOR_PORTALS = new Set(["interaction_required", "login_required"]);

/** What whoever runs the service can try where an authorization endpoint answers by an error. */
const ADVICE = new Map([
  [
    "invalid_request",
    "it takes something for wrong that is sent; see its own log, and quirks in docs/upstreams.md",
  ],
  ["invalid_scope", "check scope: the client must be allowed each of them there"],
  ["unauthorized_client", "allow this client the authorization code flow there"],
  ["unsupported_response_type", "allow this client the authorization code flow there"],
]);

/**
 * A refusal by the token or the PAR endpoint (endpoint-refusals.ts). `error` is the upstream's own code for
 * it, where it gave one.
 */
export class EndpointRefusal extends Error {
  readonly error: string | undefined;

  constructor(message: string, error: string | undefined) {
    super(message);
    this.name = "EndpointRefusal";
    this.error = error;
  }
}

/** A sign-in at an upstream that failed, whoever's failure it was. */
export class UpstreamSignInError extends LiaisonError {
  /** For the page, to say whom to write to. */
  readonly upstreamId: string;
  /** What the sign-in had been begun for, where that is known: the person can go back there. */
  readonly purpose: SignInPurpose | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    {
      cause,
      upstreamId,
      purpose,
    }: ErrorOptions & { upstreamId: string; purpose?: SignInPurpose | undefined },
  ) {
    super(code, message, { cause });
    this.name = "UpstreamSignInError";
    this.upstreamId = upstreamId;
    this.purpose = purpose;
  }
}

/** Who asked for a sign-in of a certain age: a portal, a mailed link, or nobody. */
export type AskedFresh = "portal" | "link" | null;

export function askedFreshBy(
  transaction: Pick<UpstreamTransaction, "maxAgeSeconds" | "purpose">,
): AskedFresh {
  if (transaction.maxAgeSeconds === null) return null;
  return transaction.purpose.kind === "sign_in" ? "portal" : "link";
}

/**
 * Says of a failure what the sign-in was for, so that the person can begin it anew. What isn't a LiaisonError
 * stays as it is.
 */
export function withPurpose(error: unknown, { upstreamId, purpose }: UpstreamTransaction): unknown {
  if (!(error instanceof LiaisonError)) return error;
  const { code, message, cause } = error;
  return new UpstreamSignInError(code, message, { cause, upstreamId, purpose });
}

/**
 * Classifies what went wrong between an authorization response and a proven identity. `askedFresh`: who asked
 * for a sign-in of a certain age, which some upstreams refuse by an error.
 */
export function toLiaisonError(
  error: unknown,
  upstreamId: string,
  askedFresh: AskedFresh = null,
): LiaisonError {
  const ours = ownError(error);
  if (ours !== undefined) return ours;
  if (!(error instanceof AuthorizationResponseError))
    return rejected(upstreamId, new Error(describeError(error)));
  const { error: code } = error;
  const advice = ADVICE.get(code);
  const said = `its authorization endpoint answered ${describeCode(error)}`;
  const cause = new Error(advice === undefined ? said : `${said}: ${advice}`);
  if (UPSTREAM_TROUBLE.has(code)) return troubled(upstreamId, cause);
  if (refusesFreshness(error, askedFresh)) return stale(upstreamId, cause);
  if (!REFUSED.has(code) && !REFUSED_BY_NAME.test(code)) return rejected(upstreamId, cause);
  return refused(upstreamId, cause);
}

/** Our own error, which openid-client wraps where it passes through. */
export function ownError(error: unknown): LiaisonError | undefined {
  return [...causes(error)].find((link) => link instanceof LiaisonError);
}

/**
 * Whether an upstream that was asked for a fresh sign-in refuses by this error, at its authorization or its
 * PAR endpoint.
 */
export function refusesFreshness(error: unknown, askedFresh: AskedFresh): boolean {
  if (askedFresh === null) return false;
  for (const link of causes(error)) {
    const isAnswer = link instanceof AuthorizationResponseError || link instanceof EndpointRefusal;
    if (!isAnswer || link.error === undefined) continue;
    return NOT_FRESH.has(link.error) || (askedFresh === "portal" && NOT_FRESH_FOR_PORTALS.has(link.error));
  }
  return false;
}

/** An answer of the upstream that must not be believed. The reason is for the log. */
export function rejected(upstreamId: string, reason: string | Error): UpstreamSignInError {
  const message = "The answer of the sign-in service could not be accepted.";
  return new UpstreamSignInError("upstream_rejected", message, { cause: asError(reason), upstreamId });
}

/**
 * A sign-in that is older than was asked for, doesn't show its age, or was refused for its age. The reason is
 * for the log.
 */
export function stale(upstreamId: string, reason: string | Error): UpstreamSignInError {
  const message = "The sign-in service did not ask for a fresh sign-in.";
  return new UpstreamSignInError("upstream_stale", message, { cause: asError(reason), upstreamId });
}

/** An upstream that can't be used now. The reason is for the log. */
export function unavailable(upstreamId: string, reason: string): UpstreamSignInError {
  const message = "The sign-in service could not be reached.";
  return new UpstreamSignInError("upstream_unavailable", message, { cause: asError(reason), upstreamId });
}

/** An upstream that answers that it can't right now. */
function troubled(upstreamId: string, cause: Error): UpstreamSignInError {
  const message = "The sign-in service could not sign you in right now.";
  return new UpstreamSignInError("upstream_unavailable", message, { cause, upstreamId });
}

/** A sign-in that the person, or the upstream for them, gave up there. */
function refused(upstreamId: string, cause: Error): UpstreamSignInError {
  const message = "The sign-in was cancelled or refused there.";
  return new UpstreamSignInError("upstream_refused", message, { cause, upstreamId });
}

/** A callback of a sign-in that this browser didn't begin. */
export function mismatch(upstreamId: string): UpstreamSignInError {
  const message = "This sign-in was not begun in this browser.";
  return new UpstreamSignInError("sign_in_mismatch", message, { upstreamId });
}

/**
 * A callback of a sign-in that is spent or too old. `purpose`: what it was for, where this browser began it.
 */
export function expired(upstreamId: string, purpose: SignInPurpose | undefined): UpstreamSignInError {
  const message = "This sign-in took too long or is already finished.";
  return new UpstreamSignInError("sign_in_expired", message, { upstreamId, purpose });
}

/** An answer that was posted (form_post), and isn't read any more or was never posted here. */
export function postedTooLongAgo(upstreamId: string): UpstreamSignInError {
  const message = "This answer was posted too long ago, or not here.";
  return new UpstreamSignInError("sign_in_expired", message, { upstreamId });
}

function asError(reason: string | Error): Error {
  return typeof reason === "string" ? new Error(reason) : reason;
}

/** The messages and codes of an error and its causes, in one line without any of the data they carry. */
export function describeError(error: unknown): string {
  return [...causes(error)].map(describeOne).join(" < ");
}

function describeOne(error: Error): string {
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) {
    return `${error.message} [${describeCode(error)}]`;
  }
  const code = "code" in error && typeof error.code === "string" ? ` [${error.code}]` : "";
  return `${error.message}${code}`;
}

function describeCode({
  error,
  error_description: description,
}: AuthorizationResponseError | ResponseBodyError): string {
  return description ? `${printable(error)} (${printable(description)})` : printable(error);
}

function* causes(error: unknown): Generator<Error> {
  let current = error;
  for (let depth = 0; current instanceof Error && depth < 8; depth += 1) {
    yield current;
    current = current.cause;
  }
}

/** The upstream's own words are somebody else's text: one line, printable, short. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, " ").slice(0, 200);
}
