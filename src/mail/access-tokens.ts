/**
 * Access tokens for mail servers that take nothing else (XOAUTH2): by a refresh token where one is configured
 * (Google), else by client credentials (Exchange Online; RFC 6749, sections 6 and 4.4). How they are shown to
 * the server is nodemailer's.
 */

import * as client from "openid-client";
import type { Instant, Seconds } from "../clock.ts";
import type { Config } from "../config/schema.ts";

type OAuth2Settings = NonNullable<Config["mail"]["smtp"]["oauth2"]>;

/** Of an endpoint that doesn't say how long its tokens live (RFC 6749, section 5.1), in seconds. */
const unsaidLifetime = 300;
/** How long before its end a token is replaced, in seconds. */
const replacedBefore = 60;

/**
 * No token was given. What the endpoint said is left out, but for its error's code and status: it may repeat
 * a secret.
 */
class AccessTokenError extends Error {
  readonly code: "access_token_refused" | "access_token_unavailable";
  readonly detail: string;

  constructor(cause: unknown) {
    const status = statusOf(cause);
    super("no access token", { cause });
    this.name = "AccessTokenError";
    this.code = status !== undefined && status < 500 ? "access_token_refused" : "access_token_unavailable";
    const error =
      cause instanceof client.ResponseBodyError && /^[\w-]{1,60}$/.test(cause.error) ? cause.error : "";
    this.detail = [error, status ?? codeOf(cause)].filter((one) => one !== "").join(" ");
  }
}

/**
 * Gets a token that lives for a minute at least. `renew`: the one at hand was refused. @throws
 * AccessTokenError
 */
export type AccessTokenSource = (renew: boolean) => Promise<string>;

/**
 * Makes the source of one mailbox's tokens, shared by all connections: those that ask at once get the same
 * one.
 * @param timeoutSeconds how long the endpoint may take
 */
export function createAccessTokens(oauth2: OAuth2Settings, timeoutSeconds: Seconds): AccessTokenSource {
  const configuration = configurationOf(oauth2, timeoutSeconds);
  const scope: Record<string, string> = oauth2.scope === null ? {} : { scope: oauth2.scope };
  let refreshToken = oauth2.refresh_token;
  let cached: { token: string; until: Instant } | undefined;
  let asking: Promise<string> | undefined;

  async function ask(): Promise<string> {
    try {
      const answer =
        refreshToken === null
          ? await client.clientCredentialsGrant(configuration, scope)
          : await client.refreshTokenGrant(configuration, refreshToken, scope);
      // Some replace it with each use (RFC 6749, section 6); the configured one is for the next start.
      if (refreshToken !== null) refreshToken = answer.refresh_token ?? refreshToken;
      const seconds = (answer.expires_in ?? unsaidLifetime) - replacedBefore;
      cached = { token: answer.access_token, until: performance.now() + seconds * 1000 };
      return answer.access_token;
    } catch (error) {
      cached = undefined;
      throw new AccessTokenError(error);
    } finally {
      asking = undefined;
    }
  }

  return async (renew) => {
    if (!renew && cached !== undefined && performance.now() < cached.until) return cached.token;
    asking ??= ask();
    return await asking;
  };
}

function configurationOf(oauth2: OAuth2Settings, timeoutSeconds: Seconds): client.Configuration {
  const { token_endpoint, client_id, client_secret } = oauth2;
  const { origin, protocol } = new URL(token_endpoint);
  // Microsoft and Google both read the secret from the body.
  const authentication = client.ClientSecretPost(client_secret);
  const configuration = new client.Configuration(
    { issuer: origin, token_endpoint },
    client_id,
    {},
    authentication,
  );
  configuration.timeout = timeoutSeconds;
  // The configuration's check allows it on this machine alone.
  if (protocol === "http:") client.allowInsecureRequests(configuration);
  return configuration;
}

function statusOf(error: unknown): number | undefined {
  const { status } = (typeof error === "object" && error !== null ? error : {}) as { status?: unknown };
  return typeof status === "number" ? status : undefined;
}

/** The innermost code: what the system calls it stands below what fetch and openid-client do. */
function codeOf(error: unknown): string {
  const { code, cause } = (typeof error === "object" && error !== null ? error : {}) as Record<
    string,
    unknown
  >;
  const below = cause === undefined || cause === null ? "" : codeOf(cause);
  return below || (typeof code === "string" ? code : "");
}
