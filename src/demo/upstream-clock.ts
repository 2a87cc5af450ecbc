/**
 * Has Fabrikam ID live by another clock than the machine's: the `Date` of its answers and the times of its ID
 * tokens. A real provider's come from one clock, too; oidc-provider itself knows `Date.now()` alone.
 */

import type { KeyObject } from "node:crypto";
import { decodeJwt, decodeProtectedHeader, SignJWT } from "jose";
import type { Middleware } from "koa";
import type { Clock, Seconds } from "../clock.ts";

/**
 * Goes before the provider's routes. `auth_time` stays as it is: it was taken from `clock` when the person
 * signed in.
 */
export function liveBy(clock: Clock, signingKey: KeyObject): Middleware {
  return async (ctx, next) => {
    await next();
    ctx.set("date", new Date(clock.now()).toUTCString());
    const body = ctx.body as { id_token?: unknown } | undefined | null;
    if (typeof body?.id_token !== "string") return;
    ctx.body = { ...body, id_token: await moved(body.id_token, clock, signingKey) };
  };
}

async function moved(idToken: string, clock: Clock, signingKey: KeyObject): Promise<string> {
  const offsetSeconds: Seconds = Math.round((clock.now() - Date.now()) / 1000);
  const { iat = 0, exp = 0, ...claims } = decodeJwt(idToken);
  const { alg = "RS256", ...header } = decodeProtectedHeader(idToken);
  const payload = { ...claims, iat: iat + offsetSeconds, exp: exp + offsetSeconds };
  return await new SignJWT(payload).setProtectedHeader({ ...header, alg }).sign(signingKey);
}
