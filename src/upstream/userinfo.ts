/**
 * The UserInfo request (OpenID Connect Core 1.0, section 5.3). What it tells is only shown and proves
 * nothing, so whatever is wrong with its answer ends no sign-in: the log says what, and the person goes on
 * without. An answer about somebody else is the exception (section 5.3.4): then it isn't known whose sign-in
 * this is.
 */

import { describeError, rejected } from "./failures.ts";
import type { Fetch } from "./guarded-fetch.ts";
import { parseObject } from "./json.ts";
import type { SigningKeys } from "./signing-keys.ts";

/** The part of pino's logger that is used. */
export interface UserInfoLogger {
  warn(fields: object, message: string): void;
}

export interface UserInfoDependencies {
  fetch: Fetch;
  keys: SigningKeys;
  logger: UserInfoLogger;
}

export interface UserInfoRequest {
  upstreamId: string;
  issuer: string;
  clientId: string;
  endpoint: string;
  jwksUri: string;
  accessToken: string;
  /** The ID token's `sub`. */
  subject: string;
}

/**
 * What an upstream tells of a person. Undefined where that can't be had. Throws `upstream_rejected` for
 * another `sub`.
 */
export async function askUserInfo(
  { fetch, keys, logger }: UserInfoDependencies,
  request: UserInfoRequest,
): Promise<Record<string, unknown> | undefined> {
  const { upstreamId, endpoint, subject } = request;
  try {
    const headers = {
      authorization: `Bearer ${request.accessToken}`,
      accept: "application/json, application/jwt",
    };
    const response = await fetch(endpoint, { headers });
    if (response.status !== 200) throw new Error(`${endpoint} answered ${response.status}`);
    const claims = await readClaims(await response.text(), keys, request);
    if (typeof claims["sub"] !== "string") throw new Error(`${endpoint} answered 200 without a sub`);
    if (claims["sub"] === subject) return claims;
  } catch (error) {
    // The message of a LiaisonError is for people; what happened is in its cause.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    logger.warn(
      { upstreamId, endpoint, reason: describeError(cause) },
      "went on without the upstream's UserInfo",
    );
    return undefined;
  }
  throw rejected(upstreamId, `${endpoint} answered about another sub than the ID token's`);
}

/** By what the answer is, not by what it says that it is: an object of JSON, or one that is signed. */
async function readClaims(
  text: string,
  keys: SigningKeys,
  request: UserInfoRequest,
): Promise<Record<string, unknown>> {
  const { endpoint, issuer, clientId, jwksUri } = request;
  const plain = parseObject(text);
  if (plain !== undefined) return plain;
  const parts = text.trim().split(".");
  if (parts.length === 5) throw new Error(`${endpoint} answered 200 encrypted, which isn't supported`);
  if (parts.length !== 3) throw new Error(`${endpoint} answered 200 with no JSON object`);
  const payload = await keys.verify(text.trim(), jwksUri);
  const signed = parseObject(new TextDecoder().decode(payload));
  const { iss = issuer, aud = clientId } = signed ?? {};
  const isForUs = iss === issuer && [aud].flat().includes(clientId);
  if (signed === undefined || !isForUs)
    throw new Error(`${endpoint} answered 200 for another client or issuer`);
  return signed;
}
