/**
 * What a stranger can ask without an account: every endpoint, and ways to send to it that are no whole
 * request.
 */

import { CONSOLE_CLIENT_ID } from "../src/domain/records.ts";
import type { TestPortal } from "../test/support/portal.ts";

export interface Target {
  name: string;
  method: "GET" | "POST";
  path: string;
  /** Of a form. */
  body?: string;
  headers?: Record<string, string>;
  /**
   * Connections on which a head, or a form, arrives byte by byte and never whole; no request at full speed.
   */
  slow?: "head" | "form";
}

const form = { "content-type": "application/x-www-form-urlencoded" };
const nobody = "x".repeat(22);

/** A chosen few more bytes than that are refused. */
const longest = { state: "s".repeat(4000), login_hint: "h".repeat(1900), ui_locales: "u".repeat(1500) };

export async function floodTargets(portal: TestPortal): Promise<Target[]> {
  const { url } = await portal.start({ upstream: "fabrikam" });
  const long = new URL(url);
  for (const [name, value] of Object.entries(longest)) long.searchParams.set(name, value);
  const redemption = "grant_type=authorization_code&code=x&redirect_uri=x";
  const asConsole = `client_id=${CONSOLE_CLIENT_ID}&token=x&${redemption}`;
  const get = (name: string, path: string, headers: Record<string, string> = {}): Target => {
    return { name, method: "GET", path, headers: { accept: "text/html", ...headers } };
  };
  const post = (path: string, body: string, headers: Record<string, string> = {}): Target => {
    return {
      name: `POST ${path}`,
      method: "POST",
      path,
      body,
      headers: { accept: "text/html", ...form, ...headers },
    };
  };
  return [
    get("GET /authorize", url.pathname + url.search),
    get("GET /authorize, as long as may be", long.pathname + long.search),
    post("/authorize", url.search.slice(1)),
    get("GET /authorize/x", `/authorize/${nobody}`),
    post("/par", `${url.search.slice(1)}&client_secret=wrong`),
    get("GET /logout", `/logout?client_id=customersource&state=${"s".repeat(4000)}`),
    post("/logout", `client_id=customersource&state=${"s".repeat(4000)}`),
    post("/token", asConsole),
    post("/introspect", asConsole),
    post("/revoke", asConsole),
    get("GET /userinfo", "/userinfo", { authorization: "Bearer x" }),
    get("GET /upstream/fabrikam/callback", `/upstream/fabrikam/callback?state=${"x".repeat(43)}&code=x`),
    get("GET /interaction/x", `/interaction/${nobody}`),
    post("/interaction/x/sign-in", "upstream=fabrikam&csrf=x"),
    get("GET /link/x/x", `/link/${nobody}/${"y".repeat(43)}`),
    post("/link/x/confirm", "csrf=x"),
    get("GET /", "/"),
    get("GET /help", "/help"),
    get("GET /jwks", "/jwks"),
    get("GET /.well-known/openid-configuration", "/.well-known/openid-configuration"),
    get("GET /admin", "/admin"),
    get("GET /admin/api/v1/profiles", "/admin/api/v1/profiles", { authorization: "Bearer x" }),
    post("/mail/bounces", "x", { authorization: "Bearer x" }),
    { ...post("/authorize", url.search.slice(1)), name: "half-sent POST /authorize", slow: "form" },
    { ...post("/par", url.search.slice(1)), name: "half-sent POST /par", slow: "form" },
    { ...get("slow heads", "/help"), slow: "head" },
  ];
}
