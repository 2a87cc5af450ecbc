/**
 * Our cookies: names, paths and attributes. A name's prefix is what browsers hold other hosts to (RFC
 * 6265bis, section 4.1.3): `__Host-` can't be set by a sibling host, `__Secure-` can. What somebody does with
 * a planted one is in docs/decisions/0011.
 */

import type { Context } from "koa";
import type { Seconds } from "../clock.ts";

/** Where a cookie is: its whole name, and the path that it is sent to. */
export interface CookiePlace {
  name: string;
  path: string;
}

/** What is read of a request, or set on its response; oidc-provider's context does as well. */
export type CookieContext = Pick<Context, "cookies" | "get">;

export interface Cookies {
  readonly secure: boolean;
  /** For what is below `path`: `__Secure-` under TLS. */
  below(path: string, name: string): CookiePlace;
  /**
   * For the service: `__Host-` under TLS if the issuer has its host to itself, otherwise below `path`, or the
   * issuer's own.
   */
  ofService(name: string, path?: string): CookiePlace;
  /** For the whole host, whatever the issuer's path: `__Host-` under TLS. */
  ofHost(name: string): CookiePlace;
  get(ctx: CookieContext, place: Pick<CookiePlace, "name">): string | undefined;
  /** The cookies that are called `<name>.<anything>`. */
  family(ctx: CookieContext, place: CookiePlace): (CookiePlace & { value: string })[];
  /** HttpOnly, SameSite=Lax. Without an age it goes with the browser. */
  set(ctx: CookieContext, place: CookiePlace, value: string, maxAgeSeconds?: Seconds): void;
  clear(ctx: CookieContext, place: CookiePlace): void;
}

export function createCookies(issuer: URL): Cookies {
  const secure = issuer.protocol === "https:";
  const attributes = { httpOnly: true, sameSite: "lax", secure, signed: false } as const;
  const below: Cookies["below"] = (path, name) => ({ name: `${secure ? "__Secure-" : ""}${name}`, path });
  const ofHost: Cookies["ofHost"] = (name) => ({ name: `${secure ? "__Host-" : ""}${name}`, path: "/" });
  return {
    secure,
    below,
    ofHost,
    ofService: (name, path = issuer.pathname) =>
      secure && issuer.pathname === "/" ? ofHost(name) : below(path, name),
    get: (ctx, { name }) => ctx.cookies.get(name, { signed: false }),
    family: (ctx, { name: family, path }) =>
      cookiePairs(ctx.get("cookie")).flatMap(([name, value]) =>
        name.startsWith(`${family}.`) ? [{ name, path, value }] : [],
      ),
    set: (ctx, { name, path }, value, maxAgeSeconds) => {
      const maxAge = maxAgeSeconds === undefined ? {} : { maxAge: maxAgeSeconds * 1000 };
      ctx.cookies.set(name, value, { ...attributes, path, ...maxAge });
    },
    clear: (ctx, { name, path }) => {
      ctx.cookies.set(name, null, { ...attributes, path });
    },
  };
}

/** The names and values of a Cookie header, in its order (RFC 6265, section 4.2.1). */
export function cookiePairs(header: string): [name: string, value: string][] {
  return header.split(/; */).flatMap((pair): [string, string][] => {
    const equals = pair.indexOf("=");
    return equals > 0 ? [[pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()]] : [];
  });
}
