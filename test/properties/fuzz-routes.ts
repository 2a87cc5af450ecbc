/** Which addresses there are: ours as the application registers them, oidc-provider's as it knows them. */

import assert from "node:assert/strict";
import { mock } from "node:test";
import Router from "@koa/router";

export interface Route {
  /** With `:name` where a value goes. */
  pattern: string;
  methods: string[];
}

type Register = (path: string | RegExp | string[], methods: string[], ...rest: unknown[]) => unknown;

/**
 * Starts the application, and tells which routes the router with `/healthz` has: a demo upstream has routers
 * of its own.
 */
export async function watchingRoutes<T>(start: () => Promise<T>): Promise<{ started: T; routes: Route[] }> {
  const routesOf = new Map<unknown, Route[]>();
  const prototype = Router.prototype as unknown as { register: Register };
  const original = prototype.register;
  const watched = mock.method(
    prototype,
    "register",
    function (this: unknown, ...parameters: Parameters<Register>) {
      const [path, methods] = parameters;
      const routes = routesOf.get(this) ?? [];
      routesOf.set(this, routes);
      for (const pattern of [path].flat()) {
        // Node closes the connection of a CONNECT itself: that method is for proxies.
        const named = methods.map((name) => name.toUpperCase()).filter((name) => name !== "CONNECT");
        routes.push({ pattern: String(pattern), methods: named });
      }
      return original.apply(this, parameters);
    },
  );
  try {
    const started = await start();
    const ours = [...routesOf.values()].find((routes) =>
      routes.some(({ pattern }) => pattern === "/healthz"),
    );
    return { started, routes: ours ?? assert.fail("no router of ours") };
  } finally {
    watched.mock.restore();
  }
}

/** What discovery doesn't name, and what no version of ours has. */
const besides: Route[] = [
  { pattern: "/authorize/:uid", methods: ["GET"] },
  { pattern: "/logout/confirm", methods: ["POST"] },
  { pattern: "/logout/success", methods: ["GET"] },
  { pattern: "/.well-known/openid-configuration", methods: ["GET", "OPTIONS"] },
  { pattern: "/.well-known/oauth-authorization-server", methods: ["GET", "OPTIONS"] },
  { pattern: "/nowhere/:name", methods: ["GET", "POST"] },
];

/** oidc-provider's endpoints by discovery. */
export async function providerRoutes(issuer: string): Promise<Route[]> {
  const response = await fetch(`${issuer}/.well-known/openid-configuration`);
  const endpoints = Object.entries((await response.json()) as Record<string, unknown>)
    .filter(([name]) => name.endsWith("_endpoint") || name === "jwks_uri")
    .map(([, address]) => new URL(String(address)).pathname);
  assert.ok(endpoints.length >= 8, `discovery names ${endpoints}`);
  const pages = ["/authorize", "/userinfo", "/logout", "/jwks"];
  const methodsOf = (pattern: string) =>
    pages.includes(pattern) ? ["GET", "POST"] : ["POST", "POST", "OPTIONS"];
  return [...endpoints.map((pattern) => ({ pattern, methods: methodsOf(pattern) })), ...besides];
}
