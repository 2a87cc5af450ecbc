/**
 * Puts our routes before oidc-provider's in its Koa app, in the order: request id and log line, shadowed cookies, security headers, error
 * mapping, floods held back, authorization requests made fit, forms read, routes. What a route does is in the module of its path.
 */

import { randomUUID } from "node:crypto";
import type { RequestListener } from "node:http";
import Router from "@koa/router";
import type { Context, Middleware } from "koa";
import { koaBody } from "koa-body";
import type { Provider } from "oidc-provider";
import type { Logger } from "pino";
import type { Config } from "../config/schema.ts";
import { clientAddress, createNetworkTest } from "../domain/networks.ts";
import { currentRoute, pinOrigin } from "../oidc/internals.ts";
import { readAuthorizationRequest } from "../oidc/request-parameters.ts";
import { withPatience } from "../patience.ts";
import { assets } from "../ui/assets.ts";
import { type BounceDeps, bounceRoutes } from "./bounces.ts";
import { errorMapping } from "./errors.ts";
import { createSignInCap, type FloodDeps } from "./flood.ts";
import { type InteractionDeps, interactionRoutes } from "./interaction.ts";
import { seeOther, sendPage } from "./kit.ts";
import { type LinkDeps, linkRoutes } from "./link.ts";
import { securityHeaders } from "./security-headers.ts";
import { shadowedCookies } from "./shadowed-cookies.ts";
import { type CallbackDeps, callbackRoutes } from "./upstream-callback.ts";

export type ServerDeps = InteractionDeps &
  BounceDeps &
  LinkDeps &
  Omit<CallbackDeps, "links"> & {
    config: Pick<Config, "trusted_proxies">;
    provider: Provider;
    providerPages: { ownForms: Middleware };
    signInCap: FloodDeps;
    logger: Logger;
    /** Routes of other parts, behind those of this one. */
    moreRoutes(router: Router): void;
  };

/** How long a request waits for the store before it is answered that it can't be reached, in milliseconds. */
const patienceMs = 4000;

/** Installs everything and returns the listener for an HTTP server. */
export function createListener(deps: ServerDeps): RequestListener {
  const { provider, config } = deps;
  const issuer = new URL(config.issuer);
  const basePath = issuer.pathname === "/" ? "" : issuer.pathname;

  const router = new Router();
  publicRoutes(router, deps);
  interactionRoutes(router, deps);
  const links = linkRoutes(router, deps);
  callbackRoutes(router, { ...deps, links });
  bounceRoutes(router, deps);
  deps.moreRoutes(router);

  const cap = createSignInCap(deps.signInCap);
  const stack: Middleware[] = [
    requestLog(deps.logger),
    shadowedCookies(issuer),
    cap.keeper,
    ...securityHeaders(issuer),
    errorMapping(deps),
    deps.providerPages.ownForms,
    noHead,
    cap.middleware,
    authorizationRequests,
    forms,
    router.routes() as unknown as Middleware,
  ];
  for (const middleware of stack) provider.use(middleware as Parameters<Provider["use"]>[0]);

  const callback = provider.callback();
  const isTrustedProxy = createNetworkTest(config.trusted_proxies);
  return (request, response) => {
    const forwardedFor = [request.headers["x-forwarded-for"]].flat().join(",");
    pinOrigin(request, issuer);
    // The only hop that Koa is told of: `ctx.ip` is right then too.
    request.headers["x-forwarded-for"] = clientAddress(request.socket.remoteAddress, forwardedFor, isTrustedProxy);
    request.url = withoutPrefix(request.url ?? "/", basePath);
    if (cap.refuse(request, response, request.url)) return;
    void withPatience(patienceMs, () => callback(request, response));
  };
}

/**
 * The target below the issuer's path, which is where all routes are. A target outside of it is taken as it is: from a proxy
 * that has cut the path off, or from a health check on this machine.
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

  router.get("/healthz", (ctx) => {
    ctx.body = { status: "ok" };
  });

  router.get("/assets/:name", (ctx) => {
    const asset = assets.get(`/assets/${ctx["params"]["name"]}`);
    if (asset === undefined) return;
    ctx.type = asset.type;
    ctx.set("cache-control", "public, max-age=31536000, immutable");
    ctx.body = asset.body;
  });
}

const parseForm = koaBody({ json: false, text: false, multipart: false, formLimit: "16kb", queryString: { depth: 0 } });

/** Reads a form as browsers send it; one that says it is compressed is refused before anything unpacks it (RFC 9110, 15.5.16). */
const readForm: typeof parseForm = async (ctx, next) => {
  if (!["", "identity"].includes(ctx.get("content-encoding").toLowerCase())) ctx.throw(415);
  await parseForm(ctx, next);
};

/** Reads the forms of our own pages; oidc-provider reads those of its endpoints itself. */
const forms: Middleware = (ctx, next) =>
  ctx.method === "POST" && /^\/(interaction\/|link\/|admin\/(?!api\/))/i.test(ctx.path)
    ? readForm(ctx as Parameters<typeof readForm>[0], next)
    : next();

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

/** HEAD, which routers answer like GET, must not create interactions or codes, nor spend the answer of an upstream. */
const noHead: Middleware = async (ctx, next) => {
  if (ctx.method !== "HEAD" || !/^\/(authorize|interaction|upstream|admin\/callback)\b/i.test(ctx.path))
    return await next();
  // The body first: setting it to null makes the status 204.
  ctx.body = null;
  ctx.status = 405;
  ctx.set("allow", "GET, POST");
};

/**
 * Authorization requests as Liaison understands them. `offline_access` needs
 * `prompt=consent` "unless other conditions for processing the request permitting offline access are in place" (OpenID Connect
 * Core 11); here they are: the operator registered the client for refresh tokens, and nobody is asked for consent.
 */
const authorizationRequests: Middleware = async (ctx, next) => {
  if (!/^\/authorize\b/i.test(ctx.path)) return await next();
  if (ctx.method === "POST") return await asGet(ctx);
  const { scopes, prompts, repeated } = readAuthorizationRequest(ctx.query);
  const isWanting = scopes.has("offline_access") && !prompts.has("none") && !prompts.has("consent");
  if (isWanting && !repeated.has("prompt")) ctx.query = { ...ctx.query, prompt: [...prompts, "consent"].join(" ") };
  await next();
};

/**
 * A request by POST (OpenID Connect Core 3.1.2.1) goes on as a GET: from another site only that brings the session's cookie,
 * which is SameSite=Lax.
 */
async function asGet(ctx: Context): Promise<void> {
  await readForm(ctx as Parameters<typeof readForm>[0], async () => {});
  const fields = Object.entries((ctx.request as { body?: object }).body ?? {}).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, String(one)]),
  );
  seeOther(ctx, `?${new URLSearchParams(fields)}`);
}
