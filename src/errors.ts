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

/** An expected failure. `message` is safe to show to the person or to print; `cause` is for the log alone. */
export class LiaisonError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, { cause }: ErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "LiaisonError";
    this.code = code;
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
