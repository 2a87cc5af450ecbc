/**
 * Checks the logout tokens that the issuer sends a portal (OpenID Connect Back-Channel Logout 1.0, section
 * 2.6).
 */

import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from "jose";
import type { Seconds } from "../clock.ts";

const LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout";
const MAX_AGE_SECONDS: Seconds = 300;

export interface LogoutToken {
  subject: string | undefined;
  sid: string | undefined;
}

/** Makes a verifier for one issuer and client. It returns undefined for a token that isn't a good one. */
export function logoutTokenVerifier(issuer: string, clientId: string) {
  let keys: ReturnType<typeof createRemoteJWKSet> | undefined;
  return async (token: string, jwksUri: string): Promise<LogoutToken | undefined> => {
    keys ??= createRemoteJWKSet(new URL(jwksUri));
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience: clientId,
        algorithms: ["RS256", "ES256"],
        requiredClaims: ["iat", "jti", "events"],
        maxTokenAge: MAX_AGE_SECONDS,
        clockTolerance: 60,
      });
      return readLogoutToken(payload);
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  };
}

function readLogoutToken(payload: JWTPayload): LogoutToken | undefined {
  const { events, sub, sid, nonce } = payload;
  const isLogout = typeof events === "object" && events !== null && LOGOUT_EVENT in events;
  if (!isLogout || nonce !== undefined) return undefined;
  if (typeof sid !== "string" && sub === undefined) return undefined;
  return { subject: sub, sid: typeof sid === "string" ? sid : undefined };
}
