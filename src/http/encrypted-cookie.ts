/**
 * Encrypted cookies: they carry a page's own state from a POST to the GET behind its 303, good under one name
 * and path alone. Sent to another page, a cookie would have somebody else's state there: who sets one chooses
 * its path.
 */

import type { Context } from "koa";
import type { Seconds } from "../clock.ts";
import type { CookiePlace, Cookies } from "./cookies.ts";
import type { EncryptedState } from "./encrypted-state.ts";

export interface EncryptedCookies {
  /** Returns the cookie's text. */
  set(ctx: Context, place: CookiePlace, value: object, maxAgeSeconds: Seconds): string;
  /**
   * The value, or undefined if there is none, it expired, it was tampered with, or it was made for another
   * place.
   */
  get(ctx: Context, place: CookiePlace): Record<string, unknown> | undefined;
  /** The same of a cookie's text. */
  decrypt(place: CookiePlace, text: string): Record<string, unknown> | undefined;
  clear(ctx: Context, place: CookiePlace): void;
}

const contextOf = ({ name, path }: CookiePlace) => `cookie\n${name}\n${path}`;

export function createEncryptedCookies(options: {
  state: EncryptedState;
  cookies: Cookies;
}): EncryptedCookies {
  const { state, cookies } = options;
  const decrypt: EncryptedCookies["decrypt"] = (place, text) => state.decrypt(text, contextOf(place));
  return {
    set: (ctx, place, value, maxAgeSeconds) => {
      const text = state.encrypt(value, contextOf(place), maxAgeSeconds);
      cookies.set(ctx, place, text, maxAgeSeconds);
      return text;
    },
    get: (ctx, place) => {
      const text = cookies.get(ctx, place);
      return text === undefined ? undefined : decrypt(place, text);
    },
    decrypt,
    clear: (ctx, place) => cookies.clear(ctx, place),
  };
}
