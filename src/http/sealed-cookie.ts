/**
 * Cookies that carry a page's own state from a POST to the GET behind its 303: encrypted and authenticated, expiring, bound to
 * one path. Nothing that decides anything is kept in them; they say what this browser did, and the store says what holds.
 */

import { EncryptJWT, jwtDecrypt } from "jose";
import type { Context } from "koa";
import type { Clock } from "../clock.ts";

export interface SealedCookies {
  set(ctx: Context, cookie: { name: string; path: string; maxAgeSeconds: number }, value: object): Promise<void>;
  /** The value, or undefined if there is none, it expired, or it was tampered with. */
  get(ctx: Context, name: string): Promise<Record<string, unknown> | undefined>;
  clear(ctx: Context, cookie: { name: string; path: string }): void;
}

export function createSealedCookies(options: {
  key: string;
  secure: boolean;
  prefix: string;
  clock: Clock;
}): SealedCookies {
  const { secure, prefix, clock } = options;
  const key = Buffer.from(options.key, "base64url");
  const attributes = { httpOnly: true, sameSite: "lax", secure, signed: false } as const;
  return {
    set: async (ctx, { name, path, maxAgeSeconds }, value) => {
      const token = await new EncryptJWT({ value, name })
        .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
        .setExpirationTime(Math.floor(clock.now() / 1000) + maxAgeSeconds)
        .encrypt(key);
      ctx.cookies.set(prefix + name, token, { ...attributes, path, maxAge: maxAgeSeconds * 1000 });
    },
    get: async (ctx, name) => {
      const token = ctx.cookies.get(prefix + name, { signed: false });
      if (token === undefined) return undefined;
      try {
        const { payload } = await jwtDecrypt(token, key, { currentDate: new Date(clock.now()) });
        return payload["name"] === name ? (payload["value"] as Record<string, unknown>) : undefined;
      } catch {
        return undefined;
      }
    },
    clear: (ctx, { name, path }) => {
      ctx.cookies.set(prefix + name, null, { ...attributes, path });
    },
  };
}
