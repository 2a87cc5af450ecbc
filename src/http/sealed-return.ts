/**
 * Carries what an upstream posted (`response_mode=form_post`) over a redirect to a GET of ours. A POST from another site comes
 * without the SameSite=Lax cookie that a sign-in is bound to; the GET behind a 303 has it. In its address the parameters are
 * encrypted and last a minute, so that no code is left in a history or in the log of a proxy.
 */

import { EncryptJWT, jwtDecrypt } from "jose";
import type { Clock } from "../clock.ts";

export interface SealedReturns {
  seal(upstreamId: string, parameters: Record<string, string>): Promise<string>;
  /** The parameters, or undefined if they are too old, another upstream's or not ours. */
  open(upstreamId: string, sealed: string): Promise<Record<string, string> | undefined>;
}

const lifetimeSeconds = 60;
const purpose = "upstream-return";

/** @param options.key 32 bytes, base64url */
export function createSealedReturns(options: { key: string; clock: Clock }): SealedReturns {
  const { clock } = options;
  const key = Buffer.from(options.key, "base64url");
  return {
    seal: (upstreamId, parameters) =>
      new EncryptJWT({ parameters, upstreamId, purpose })
        .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
        .setExpirationTime(Math.floor(clock.now() / 1000) + lifetimeSeconds)
        .encrypt(key),
    open: async (upstreamId, sealed) => {
      try {
        const { payload } = await jwtDecrypt(sealed, key, { currentDate: new Date(clock.now()) });
        const isOurs = payload["purpose"] === purpose && payload["upstreamId"] === upstreamId;
        return isOurs ? (payload["parameters"] as Record<string, string>) : undefined;
      } catch {
        return undefined;
      }
    },
  };
}
