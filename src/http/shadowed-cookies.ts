/**
 * Cookies of ours that a neighbour has set beside ours, under the same name for a deeper path or for a whole
 * domain: a request then carries both, and nothing says which is whose. Neither is believed, and every place
 * where the other may lie is cleared with the response, so that the next request is whole. `__Host-` cookies
 * can't be shadowed and aren't looked at.
 *
 * `forgetCookies` is for a browser in which somebody else's sign-in was finished: of whatever it has of ours,
 * nobody knows who put it there.
 */

import type { IncomingMessage } from "node:http";
import type { Context, Middleware } from "koa";
import { cookiePairs } from "./cookies.ts";

/**
 * Those whose place anybody can name. All others are below a path that only their own browser knows, which
 * comes first.
 */
const ofService =
  /^(?:__Secure-)?liaison\.(?:session|csrf|upstream|known|signed-out|console|console\.begin)$/;

/**
 * The longest list of lines that is sent to clear what lies beside: proxies bound the headers of a response.
 */
const mostLines = 32;
/** The deepest path of ours that sends a cookie of the service, below the issuer's own. */
const mostParts = 6;

const passed = "expires=Thu, 01 Jan 1970 00:00:00 GMT";

/** Has the browser forget whatever it has of the service, its session included, with this response. */
export function forgetCookies(ctx: Context): void {
  ctx.state["forgetCookies"] = true;
}

/** Clears what shadows a cookie of ours, or would shadow one that this response sets. */
export function shadowedCookies(issuer: URL): Middleware {
  return async (ctx, next) => {
    const pairs = cookiePairs(ctx.get("cookie"));
    const carried = new Set(pairs.map(([name]) => name).filter((name) => ofService.test(name)));
    // A signature beside hers is enough to make hers nobody's.
    const isDouble = (name: string) =>
      valuesOf(pairs, name).size > 1 || valuesOf(pairs, `${name}.sig`).size > 1;
    const areUnlike = new Set(pairs.map(([name]) => name)).size === pairs.length;
    const shadowed = new Set(areUnlike ? [] : [...carried].filter(isDouble));
    if (shadowed.size > 0) withhold(ctx.req, pairs, shadowed);
    try {
      await next();
    } finally {
      if (ctx.state["forgetCookies"] === true) forgetAll(ctx, issuer);
      else if (carried.size > 0) clearBeside(ctx, issuer, carried, shadowed);
    }
  };
}

function valuesOf(pairs: readonly [string, string][], name: string): Set<string> {
  return new Set(pairs.filter(([key]) => key === name).map(([, value]) => value));
}

/** Takes both out of the request, with the signatures that belong to them. */
function withhold(
  request: IncomingMessage,
  pairs: readonly [string, string][],
  shadowed: ReadonlySet<string>,
): void {
  const unshadowed = pairs.filter(([name]) => !shadowed.has(name.replace(/\.sig$/, "")));
  request.headers.cookie = unshadowed.map(([name, value]) => `${name}=${value}`).join("; ");
}

/** Where cookies of the service are, besides those below a path that only their own browser knows. */
const places = [
  { names: ["liaison.session", "liaison.session.sig"], path: "/" },
  { names: ["liaison.upstream", "liaison.csrf", "liaison.known"], path: "" },
  { names: ["liaison.console", "liaison.console.begin"], path: "/admin" },
];

function forgetAll(ctx: Context, issuer: URL): void {
  const secure = issuer.protocol === "https:";
  const base = issuer.pathname === "/" ? "" : issuer.pathname;
  const lines = places.flatMap(({ names, path }) =>
    names.flatMap((name) => {
      // Everything but the session, which is the whole host's, has this prefix where the issuer has a path.
      const isHosts = secure && (base === "" || path === "/");
      const place = isHosts || path === "/" ? "/" : `${base}${path}` || "/";
      const whole = `${secure ? (isHosts ? "__Host-" : "__Secure-") : ""}${name}`;
      return `${whole}=; path=${place}; ${passed}; samesite=lax; httponly${secure ? "; secure" : ""}`;
    }),
  );
  const families = cookiePairs(ctx.get("cookie"))
    .map(([name]) => name)
    .filter((name) => /^(?:__Host-|__Secure-)?liaison\.(?:signin|proof)\./.test(name))
    .map((name) => {
      const path = name.startsWith("__Host-") || name.includes("liaison.proof.") ? "/" : issuer.pathname;
      return `${name}=; path=${path}; ${passed}; samesite=lax; httponly${secure ? "; secure" : ""}`;
    });
  const set = [ctx.res.getHeader("set-cookie") ?? []].flat().map(String);
  ctx.set("set-cookie", [...set, ...lines, ...families.slice(0, mostLines)]);
}

function clearBeside(
  ctx: Context,
  issuer: URL,
  carried: ReadonlySet<string>,
  shadowed: ReadonlySet<string>,
): void {
  const set = [ctx.res.getHeader("set-cookie") ?? []].flat().map(String);
  const nameOf = (line: string) => line.slice(0, line.indexOf("="));
  const renewed = new Set(set.map(nameOf).filter((name) => carried.has(name)));
  const names = [...new Set([...shadowed, ...renewed])];
  if (names.length === 0) return;
  const secure = issuer.protocol === "https:" ? "; secure" : "";
  const lines = names.flatMap((name) =>
    // A cookie that this response sets stays where it sets it.
    placesBeside(
      ctx,
      issuer,
      set.find((line) => nameOf(line) === name),
    ).flatMap((place) =>
      [name, ...(name.endsWith("liaison.session") ? [`${name}.sig`] : [])].map(
        (one) => `${one}=; ${place}; ${passed}; samesite=lax; httponly${secure}`,
      ),
    ),
  );
  // Before what is set: of two lines for one place the later holds.
  ctx.set("set-cookie", [...lines.slice(0, mostLines), ...set]);
}

/**
 * Paths and domains that could send a cookie along with this very request, without the place of the one that
 * is set.
 */
function placesBeside(ctx: Context, issuer: URL, ours: string | undefined): string[] {
  const own = /; *path=([^;]*)/i.exec(ours ?? "")?.[1];
  const base = issuer.pathname === "/" ? "" : issuer.pathname;
  const paths = pathsTo(`${base}${ctx.path}`);
  const places = paths.filter((path) => path !== own).map((path) => `path=${path}`);
  const ofDomains = parentsOf(issuer.hostname).flatMap((domain) =>
    paths.map((path) => `path=${path}; domain=${domain}`),
  );
  return [...places, ...ofDomains];
}

/**
 * `/authorize/uid` → `/`, `/authorize`, `/authorize/`, `/authorize/uid`: with a slash it is another place
 * (RFC 6265, 5.1.4).
 */
function pathsTo(path: string): string[] {
  const parts = path.split("/").filter((part) => /^[\w.~%-]{1,64}$/.test(part));
  const deeper = parts.slice(0, mostParts).flatMap((_part, index) => {
    const one = `/${parts.slice(0, index + 1).join("/")}`;
    return [one, `${one}/`];
  });
  return ["/", ...deeper];
}

/** The host as a domain, and the domains above it that a sibling can set cookies for; an address has none. */
function parentsOf(host: string): string[] {
  const labels = host.split(".");
  if (labels.length < 2 || /^[\d.]+$/.test(host) || host.startsWith("[")) return [];
  return labels.slice(0, -1).map((_label, index) => labels.slice(index).join("."));
}
