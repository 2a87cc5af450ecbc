/**
 * Security headers of every response. The content security policy is set before the handlers run, because
 * oidc-provider adds the hash of its own inline script to it, and its `form-action` is widened afterwards
 * where a form leads out of the house.
 */

import type { Context, Middleware } from "koa";
import koaHelmet from "koa-helmet";

const basePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Helmet's headers without its policy, our policy, and no caching unless a handler says otherwise. */
export function securityHeaders(issuer: URL): Middleware[] {
  const helmet = koaHelmet({
    contentSecurityPolicy: false,
    referrerPolicy: { policy: "no-referrer" },
    xFrameOptions: { action: "deny" },
    strictTransportSecurity: issuer.protocol === "https:",
    // JWKS and discovery are for any origin (they carry CORS headers of their own).
    crossOriginResourcePolicy: { policy: "cross-origin" },
  });
  const policy: Middleware = async (ctx, next) => {
    ctx.set("content-security-policy", basePolicy);
    ctx.set("cache-control", "no-store");
    await next();
  };
  return [helmet as Middleware, policy];
}

/** The same for a page that is sent before any handler runs. */
export function pageHeaders(issuer: URL): Record<string, string> {
  return {
    "content-security-policy": basePolicy,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    ...(issuer.protocol === "https:"
      ? { "strict-transport-security": "max-age=31536000; includeSubDomains" }
      : {}),
  };
}

const anyHttps = "https:";
/**
 * What a policy can name of this machine: `[::1]` is no source (Content Security Policy Level 3, section
 * 2.3.1).
 */
const anyLoopback = ["http://localhost:*", "http://127.0.0.1:*"];

/**
 * Lets the forms of this page lead to `targets` too. Browsers apply `form-action` to every redirect that
 * follows a POST (w3c/webappsec-csp#8), so a form that starts an upstream sign-in must allow the upstream
 * and, as that may come straight back, the portal. Both redirect through hosts of their own, which nobody can
 * list: any https host goes, and where this service itself is http on loopback any port there
 * (docs/decisions/0005).
 */
export function allowFormTargets(ctx: Context, targets: readonly string[]): void {
  const sources = new Set(targets.flatMap(sourceOf));
  for (const source of ctx.secure ? [anyHttps] : [anyHttps, ...anyLoopback]) sources.add(source);
  const policy = ctx.response.get("content-security-policy");
  ctx.set(
    "content-security-policy",
    policy.replace(/form-action 'self'[^;]*/, `$& ${[...sources].join(" ")}`),
  );
}

/** The CSP source of a URL: its origin, or the scheme of a native app's private-use URI (RFC 8252, 7.1). */
function sourceOf(target: string): string[] {
  if (!URL.canParse(target)) return [];
  const { origin, protocol } = new URL(target);
  const source = origin === "null" ? protocol : origin;
  // A URL's host may hold a semicolon or a quote, which in a policy begin something else.
  return /^[\w+.:/[\]-]+$/.test(source) ? [source] : [];
}
