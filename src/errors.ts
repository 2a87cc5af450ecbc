/**
 * Every error that leaves a part of Liaison on purpose is made here: a stable code, a message that is safe to
 * show, and a private cause. Which HTTP status a code gets is decided in src/http/, never here.
 */

export const ERROR_CODES = [
  "bad_request",
  "cross_site_request",
  "not_found",
  "unauthorized",
  "forbidden",
  "conflict",
  "precondition_failed",
  "precondition_required",
  "unprocessable",
  "too_many_requests",
  "sign_in_expired",
  "sign_in_mismatch",
  "upstream_refused",
  "upstream_rejected",
  "upstream_stale",
  "upstream_unavailable",
  "store_unavailable",
  "store_refused",
  "config_invalid",
  "port_taken",
  "usage",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/**
 * An expected failure. `message` is safe to show to the person or to print; `cause` is for the log alone. It
 * is made by the function of its code below, or by a class of its own where it says more.
 */
export class LiaisonError extends Error {
  readonly code: ErrorCode;

  protected constructor(code: ErrorCode, message: string, { cause }: ErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "LiaisonError";
    this.code = code;
  }

  /** For a code that is known when it runs alone: another broker's answer, say. */
  static of(code: ErrorCode, message: string, cause?: unknown): LiaisonError {
    return new LiaisonError(code, message, { cause });
  }

  /** What was sent can't be read or means nothing. */
  static badRequest(message: string, cause?: unknown): LiaisonError {
    return new LiaisonError("bad_request", message, { cause });
  }

  /** A form that another site's page sent. */
  static crossSiteRequest(message: string, cause?: unknown): LiaisonError {
    return new LiaisonError("cross_site_request", message, { cause });
  }

  /** There is no such thing. */
  static notFound(message: string, cause?: unknown): LiaisonError {
    return new LiaisonError("not_found", message, { cause });
  }

  /** Nobody that is known asks. */
  static unauthorized(message: string, cause?: unknown): LiaisonError {
    return new LiaisonError("unauthorized", message, { cause });
  }

  /** Who asks is known, and may not. */
  static forbidden(message: string, cause?: unknown): LiaisonError {
    return new LiaisonError("forbidden", message, { cause });
  }

  /** What is stored stands against it. */
  static conflict(message: string, cause?: unknown): LiaisonError {
    return new LiaisonError("conflict", message, { cause });
  }

  /** Somebody else changed it since it was read. */
  static preconditionFailed(message: string, cause?: unknown): LiaisonError {
    return new LiaisonError("precondition_failed", message, { cause });
  }

  /** It must be said which revision is edited. */
  static preconditionRequired(message: string, cause?: unknown): LiaisonError {
    return new LiaisonError("precondition_required", message, { cause });
  }

  /** An idempotency key of another request. */
  static unprocessable(message: string, cause?: unknown): LiaisonError {
    return new LiaisonError("unprocessable", message, { cause });
  }

  /** Too much was asked from there. */
  static tooManyRequests(message: string, cause?: unknown): LiaisonError {
    return new LiaisonError("too_many_requests", message, { cause });
  }

  /** A sign-in that is over, or took too long. */
  static signInExpired(message: string, cause?: unknown): LiaisonError {
    return new LiaisonError("sign_in_expired", message, { cause });
  }

  /** A sign-in of another browser. */
  static signInMismatch(message: string, cause?: unknown): LiaisonError {
    return new LiaisonError("sign_in_mismatch", message, { cause });
  }

  /** The store can't be reached now. */
  static storeUnavailable(message: string, cause?: unknown): LiaisonError {
    return new LiaisonError("store_unavailable", message, { cause });
  }

  /** The store is not one that can be worked with, or has no room. */
  static storeRefused(message: string, cause?: unknown): LiaisonError {
    return new LiaisonError("store_refused", message, { cause });
  }

  /** Something else listens there. */
  static portTaken(message: string, cause?: unknown): LiaisonError {
    return new LiaisonError("port_taken", message, { cause });
  }

  /** A command was called wrongly. */
  static usage(message: string, cause?: unknown): LiaisonError {
    return new LiaisonError("usage", message, { cause });
  }
}

/**
 * One fault of a configuration: which key, where its value came from, what is wrong and what to write
 * instead.
 */
export interface ConfigFault {
  key: string;
  source: string;
  problem: string;
}

/** All faults of a configuration at once. */
export class ConfigError extends LiaisonError {
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map((fault) => `  ${fault.key} (${fault.source}): ${fault.problem}`);
    super("config_invalid", `The configuration has ${faults.length} fault(s):\n${lines.join("\n")}`);
    this.name = "ConfigError";
    this.faults = faults;
  }
}

/** Stands where every case of a union has been dealt with: the compiler names it once there is another. */
export function unreachable(value: never): never {
  throw new TypeError(`an unknown case: ${JSON.stringify(value)}`);
}
