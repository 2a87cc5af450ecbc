/**
 * Puts our routes before oidc-provider's in its Koa app, in the order: request id and log line, shadowed
 * cookies, what visitors cost, security headers, error mapping, what stands before oidc-provider's own
 * endpoints, routes. What a route does, and what it needs for it, is in the module of its path.
 */

import { randomUUID } from "node:crypto";
import type { RequestListener } from "node:http";
import Router from "@koa/router";
import type { Middleware } from "koa";
import type { Provider } from "oidc-provider";
import type { Logger } from "pino";
import type { Milliseconds } from "../clock.ts";
import type { Config } from "../config/schema.ts";
import { withDeadline } from "../deadline.ts";
import { clientAddress, createNetworkTest } from "../domain/networks.ts";
import { currentRoute, pinOrigin } from "../oidc/internals.ts";
import { assets } from "../ui/assets.ts";
import { authorizeMiddleware } from "./authorize.ts";
import { boundedForms } from "./bodies.ts";
import { type BounceDeps, bounceRoutes } from "./bounces.ts";
import type { Gate } from "./costs/gate.ts";
import type { KnownBrowsers } from "./costs/known-browser.ts";
import { chargeSignOut } from "./costs/visitor-costs.ts";
import { errorMapping } from "./errors.ts";
import { type HealthDeps, healthRoutes } from "./health.ts";
import { interactionRoutes } from "./interaction.ts";
import type { InteractionDeps } from "./interaction-steps.ts";
import { linkRoutes } from "./link.ts";
import type { LinkDeps } from "./link-steps.ts";
import { type PostedSignOutDeps, postedSignOut } from "./posted-sign-out.ts";
import { sendPage } from "./responses.ts";
import { securityHeaders } from "./security-headers.ts";
import { shadowedCookies } from "./shadowed-cookies.ts";
import { type CallbackDeps, callbackRoutes } from "./upstream-callback.ts";

export type ServerDeps = InteractionDeps &
  BounceDeps &
  HealthDeps &
  LinkDeps &
  PostedSignOutDeps &
  Omit<CallbackDeps, "links"> & {
    config: Pick<Config, "trusted_proxies">;
    provider: Provider;
    providerPages: { ownForms: Middleware };
    gate: Gate;
    known: KnownBrowsers;
    logger: Logger;
    /** Routes of other parts, behind those of this one. */
    moreRoutes(router: Router): void;
  };

/** How long a request waits for the store before it is answered that it can't be reached, in milliseconds. */
const deadlineMs: Milliseconds = 4000;

/** Installs everything and returns the listener for an HTTP server. */
export function createListener(deps: ServerDeps): RequestListener {
  const { provider, config } = deps;
  const issuer = new URL(config.issuer);
  const basePath = issuer.pathname === "/" ? "" : issuer.pathname;

  const router = new Router();
  publicRoutes(router, deps);
  healthRoutes(router, deps);
  interactionRoutes(router, deps);
  const links = linkRoutes(router, deps);
  callbackRoutes(router, { ...deps, links });
  bounceRoutes(router, deps);
  deps.moreRoutes(router);

  const stack: Middleware[] = [
    requestLog(deps.logger),
    endsUnread,
    shadowedCookies(issuer),
    deps.gate.middleware,
    deps.known.middleware,
    ...securityHeaders(issuer),
    errorMapping(deps),
    deps.providerPages.ownForms,
    ...authorizeMiddleware(deps.costs),
    chargeSignOut(deps.costs),
    postedSignOut(deps),
    boundedForms,
    routed(router),
  ];
  for (const middleware of stack) provider.use(middleware as Parameters<Provider["use"]>[0]);

  const callback = provider.callback();
  const isTrustedProxy = createNetworkTest(config.trusted_proxies);
  const warnOfForgottenProxy = forgottenProxyWarning(deps.logger, isTrustedProxy);
  return (request, response) => {
    const forwardedFor = [request.headers["x-forwarded-for"]].flat().join(",");
    if (forwardedFor !== "") warnOfForgottenProxy(request.socket.remoteAddress);
    pinOrigin(request, issuer);
    // The only hop that Koa is told of: `ctx.ip` is right then too.
    const address = clientAddress(request.socket.remoteAddress, forwardedFor, isTrustedProxy);
    request.headers["x-forwarded-for"] = address;
    request.url = withoutPrefix(request.url ?? "/", basePath);
    const serve = () => void withDeadline(deadlineMs, () => callback(request, response));
    const admitted = deps.gate.admit(request, response, request.url, address);
    if (admitted === true) serve();
    else if (admitted !== false) void admitted.then((isAdmitted) => isAdmitted && serve());
  };
}

/**
 * Whoever is answered while their body was read in part has their connection ended: what follows on it would
 * wait behind the rest, which nobody reads. Of a body that nobody began to read, Node.js lets go by itself.
 */
const endsUnread: Middleware = async (ctx, next) => {
  await next();
  if (ctx.req.readableDidRead && !ctx.req.complete && !ctx.headerSent) ctx.set("connection", "close");
};

/**
 * Says once that a peer which isn't trusted forwards requests for somebody: behind a proxy that isn't named
 * in the configuration all people are one client, who share what one may have.
 */
function forgottenProxyWarning(
  logger: Logger,
  isTrusted: (address: string) => boolean,
): (peer: string | undefined) => void {
  let isSaid = false;
  return (peer) => {
    if (isSaid) return;
    const address = clientAddress(peer, undefined, () => false);
    if (isTrusted(address)) return;
    isSaid = true;
    const fix =
      "if that is your proxy, name it in trusted_proxies: until then all its visitors count as one client";
    logger.warn(
      { peer_address: address, key: "trusted_proxies" },
      `X-Forwarded-For of ${address} isn't believed; ${fix}`,
    );
  };
}

/**
 * The target below the issuer's path, which is where all routes are. A target outside of it is taken as it
 * is: from a proxy that has cut the path off, or from a health check on this machine.
 */
function withoutPrefix(target: string, prefix: string): string {
  // RFC 8414, 3.1: the well-known part stands before the issuer's path.
  if (prefix !== "" && target === oauthMetadata + prefix) return oauthMetadata;
  const rest = target.slice(prefix.length);
  if (!target.startsWith(prefix) || !/^([/?]|$)/.test(rest)) return target;
  return rest.startsWith("/") ? rest : `/${rest}`;
}

const oauthMetadata = "/.well-known/oauth-authorization-server";

function publicRoutes(router: Router, { pages, site, config }: ServerDeps): void {
  router.get("/", async (ctx) => sendPage(ctx, pages.home(await site())));

  router.get("/help", async (ctx) => {
    const view = {
      senderAddress: config.mail.from_address,
      linkLifetimeMinutes: Math.round(config.linking.link_lifetime_seconds / 60),
    };
    sendPage(ctx, pages.help(await site(), view));
  });

  router.get("/assets/:name", (ctx) => {
    const asset = assets.get(`/assets/${ctx["params"]["name"]}`);
    if (asset === undefined) return;
    ctx.type = asset.type;
    ctx.set("cache-control", "public, max-age=31536000, immutable");
    ctx.body = asset.body;
  });
}

/**
 * The router, asked of those paths alone whose first segment one of its routes begins with: it tries all of
 * its routes, those of the administration among them, before it lets a request pass to oidc-provider.
 */
function routed(router: Router): Middleware {
  const handle = router.routes() as unknown as Middleware;
  const firstSegments = new Set(router.stack.map(({ path }) => firstSegment(String(path))));
  for (const segment of firstSegments) {
    if (/[^\w./-]/.test(segment)) throw new TypeError(`a route must begin with a fixed segment: ${segment}`);
  }
  return (ctx, next) => (firstSegments.has(firstSegment(ctx.path)) ? handle(ctx, next) : next());
}

/** In lower case, as the router compares. */
function firstSegment(path: string): string {
  return path.slice(0, `${path}/`.indexOf("/", 1)).toLowerCase();
}

/** One line a request: the route's pattern, never the path, because paths and queries carry secrets. */
function requestLog(logger: Logger): Middleware {
  return async (ctx, next) => {
    const startedAt = performance.now();
    ctx.state["requestId"] = randomUUID();
    ctx.state["clientAddress"] = ctx.ip;
    await next();
    logger.debug(
      {
        request_id: ctx.state["requestId"],
        client_address: ctx.state["clientAddress"],
        method: ctx.method,
        route: (ctx["_matchedRoute"] as string | undefined) ?? currentRoute(ctx) ?? "none",
        status: ctx.status,
        ms: Math.round(performance.now() - startedAt),
      },
      "request",
    );
  };
}
