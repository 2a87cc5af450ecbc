/**
 * Cookies that carry a page's own state from a POST to the GET behind its 303: encrypted and authenticated, expiring, good under
 * one name and path alone. Nothing that decides anything is kept in them; they say what this browser did, and the store says
 * what holds.
 */

import { EncryptJWT, jwtDecrypt } from "jose";
import type { Context } from "koa";
import type { Clock } from "../clock.ts";
import type { CookiePlace, Cookies } from "./cookies.ts";

export interface SealedCookies {
  /** Returns the cookie's text. */
  set(ctx: Context, place: CookiePlace, value: object, maxAgeSeconds: number): Promise<string>;
  /** The value, or undefined if there is none, it expired, it was tampered with, or it was made for another place. */
  get(ctx: Context, place: CookiePlace): Promise<Record<string, unknown> | undefined>;
  /** The same of a cookie's text. */
  open(place: CookiePlace, token: string): Promise<Record<string, unknown> | undefined>;
  clear(ctx: Context, place: CookiePlace): void;
}

export function createSealedCookies(options: {
  /** 32 bytes, base64url. */
  key: string;
  cookies: Cookies;
  clock: Clock;
}): SealedCookies {
  const { cookies, clock } = options;
  const key = Buffer.from(options.key, "base64url");

  async function open(place: CookiePlace, token: string): Promise<Record<string, unknown> | undefined> {
    try {
      const { payload } = await jwtDecrypt(token, key, { currentDate: new Date(clock.now()) });
      // Sent to another page, it would have somebody else's state there: who sets a cookie chooses its path.
      const isItsPlace = payload["name"] === place.name && payload["path"] === place.path;
      return isItsPlace ? (payload["value"] as Record<string, unknown>) : undefined;
    } catch {
      return undefined;
    }
  }

  return {
    set: async (ctx, place, value, maxAgeSeconds) => {
      const token = await new EncryptJWT({ value, name: place.name, path: place.path })
        .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
        .setExpirationTime(Math.floor(clock.now() / 1000) + maxAgeSeconds)
        .encrypt(key);
      cookies.set(ctx, place, token, maxAgeSeconds);
      return token;
    },
    get: async (ctx, place) => {
      const token = cookies.get(ctx, place);
      return token === undefined ? undefined : await open(place, token);
    },
    open,
    clear: (ctx, place) => cookies.clear(ctx, place),
  };
}
