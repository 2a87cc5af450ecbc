/**
 * Upstreams to test against, on loopback. `startUpstreamPeer` is an honest one: an independent oidc-provider
 * instance that signs in whom `login_hint` names. `startLyingUpstream` is written by hand and lies as it is
 * told. Both count what they are asked.
 */

import {
  createHmac,
  createSign,
  generateKeyPairSync,
  type KeyPairKeyObjectResult,
  randomUUID,
} from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parse } from "node-html-parser";
import Provider, { type ClientMetadata } from "oidc-provider";
import { type Clock, systemClock } from "../../src/clock.ts";

export const PEER_CLIENT = { client_id: "liaison", client_secret: "a-client-secret-of-32-characters" };

/** Made once: a key takes longer than a whole sign-in. */
const OWN_KEY = generateKeyPairSync("rsa", { modulusLength: 2048 });
const OWN_EC_KEY = generateKeyPairSync("ec", { namedCurve: "P-256" });
const FOREIGN_KEY = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** The keys that an upstream written by hand publishes: without ids, as some do. */
export const OWN_JWKS = [
  { ...OWN_KEY.publicKey.export({ format: "jwk" }), alg: "RS256", use: "sig" },
  { ...OWN_EC_KEY.publicKey.export({ format: "jwk" }), alg: "ES256", use: "sig" },
];

export interface PeerPerson {
  email?: string;
  name?: string;
}

export interface UpstreamPeer {
  issuer: string;
  /** Paths asked for, in order. */
  requests: string[];
  close(): Promise<void>;
  /** Walks a browser through the sign-in, redirect by redirect, and returns the callback it ends at. */
  signIn(authorizationUrl: URL): Promise<URL>;
  /** The same where the upstream answers by `form_post`: the form that the browser would submit by itself. */
  signInByPost(authorizationUrl: URL): Promise<{ action: URL; fields: URLSearchParams }>;
}

interface PeerOptions {
  redirectUris: string[];
  people: Record<string, PeerPerson>;
  /** How Liaison is registered there, beside its id and redirect URIs; a secret unless it says otherwise. */
  client?: Partial<ClientMetadata>;
  /** Whether it takes requests only by PAR (RFC 9126). */
  pushedOnly?: boolean;
  /** How long its token endpoint thinks, in milliseconds. */
  tokenMs?: number;
}

/**
 * Starts an honest upstream. `people` are its accounts by subject; an unknown `login_hint` signs in the
 * first.
 */
export async function startUpstreamPeer(options: PeerOptions): Promise<UpstreamPeer> {
  const requests: string[] = [];
  const listener: { handle: (request: IncomingMessage, response: ServerResponse) => void } = {
    handle: () => {},
  };
  const { server, origin } = await listen((request, response) => {
    requests.push(pathOf(request));
    listener.handle(request, response);
  });
  const provider = makeProvider(origin, options);
  const callback = provider.callback();
  listener.handle = (request, response) => {
    if (pathOf(request) === "/token" && options.tokenMs !== undefined) {
      return void setTimeout(() => callback(request, response), options.tokenMs);
    }
    if (!pathOf(request).startsWith("/interaction/")) return void callback(request, response);
    return void finish(provider, request, response, Object.keys(options.people)).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  };
  return {
    issuer: origin,
    requests,
    close: () => closeServer(server),
    signIn: async (url) => (await walk(url, origin)).url,
    signInByPost: async (url) => {
      const form = parse((await walk(url, origin)).body).querySelector("form");
      const inputs = form?.querySelectorAll("input[name]") ?? [];
      const fields = new URLSearchParams();
      for (const input of inputs)
        fields.append(input.getAttribute("name") ?? "", input.getAttribute("value") ?? "");
      return { action: new URL(form?.getAttribute("action") ?? ""), fields };
    },
  };
}

function makeProvider(issuer: string, options: PeerOptions): Provider {
  const { redirectUris, people, client = PEER_CLIENT, pushedOnly = false } = options;
  return new Provider(issuer, {
    clients: [{ client_id: PEER_CLIENT.client_id, redirect_uris: redirectUris, ...client }],
    jwks: {
      keys: [
        { ...OWN_KEY.privateKey.export({ format: "jwk" }), use: "sig" },
        { ...OWN_EC_KEY.privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig" },
      ],
    },
    clientAuthMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt"],
    // Our keys are on this machine, where the library doesn't go by itself.
    fetch: (url, { dispatcher: _, ...init }: RequestInit = {}) => fetch(url, init),
    cookies: { keys: ["peer-cookie-key"] },
    claims: { openid: ["sub"], email: ["email"], profile: ["name"] },
    features: {
      devInteractions: { enabled: false },
      pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: pushedOnly },
    },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub, ...people[sub] }) }),
    async loadExistingGrant(ctx) {
      const { client, session, provider } = ctx.oidc;
      const grant = new provider.Grant({
        clientId: client?.clientId ?? "",
        accountId: session?.accountId ?? "",
      });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
  });
}

async function finish(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  subjects: string[],
) {
  const { params } = await provider.interactionDetails(request, response);
  const hint = String(params["login_hint"] ?? "");
  const accountId = subjects.includes(hint) ? hint : (subjects[0] ?? "nobody");
  await provider.interactionFinished(request, response, { login: { accountId } });
}

async function walk(start: URL, origin: string): Promise<{ url: URL; body: string }> {
  const cookies = new Map<string, string>();
  let url = start;
  for (let step = 0; step < 10 && url.origin === origin; step += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, { redirect: "manual", headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) cookies.set(name, value);
    }
    const location = response.headers.get("location");
    const body = await response.text();
    if (location === null && response.ok) return { url, body };
    if (location === null) throw new Error(`${url.pathname} answered ${response.status}: ${body}`);
    url = new URL(location, url);
  }
  return { url, body: "" };
}

/** How a lying upstream answers; what is left out is honest. */
export interface Lies {
  metadata?: Record<string, unknown>;
  header?: Record<string, unknown>;
  /** Merged into the claims; undefined removes one. */
  claims?: Record<string, unknown>;
  /** `es256`: by a key that it publishes beside the one it should use. */
  sign?: "rs256" | "es256" | "hs256" | "none" | "other-key";
  userinfo?: Record<string, unknown>;
  /** Merged into the answer of the token endpoint; undefined removes a member. */
  token?: Record<string, unknown>;
  /** Published instead of its own keys. */
  jwks?: readonly object[];
  /** Signs by RS256 instead of its own key. */
  key?: KeyPairKeyObjectResult;
  /** The `Date` of its answers; null sends none. */
  date?: string | null;
  /** Sent with every answer. */
  headers?: Record<string, string>;
  /** By path: takes over the answer altogether. */
  answer?: Record<string, (response: ServerResponse) => void>;
}

export interface LyingUpstream {
  issuer: string;
  lies: Lies;
  requests: string[];
  /** Bodies posted to the token endpoint. */
  tokenRequests: URLSearchParams[];
  /** What came as `Authorization` with them. */
  authorizations: (string | undefined)[];
  /** The callback that an honest authorization endpoint would send the browser to. */
  callback(authorizationUrl: URL, parameters?: Record<string, string | null>): URL;
  close(): Promise<void>;
}

/** Starts an upstream that answers everything by hand, by the clock given. Change `lies` between requests. */
export async function startLyingUpstream(clock: Clock = systemClock): Promise<LyingUpstream> {
  const asked = { nonce: "" };
  const upstream = {
    lies: {} as Lies,
    requests: [] as string[],
    tokenRequests: [] as URLSearchParams[],
    authorizations: [] as (string | undefined)[],
  };

  const { server, origin } = await listen(async (request, response) => {
    const path = pathOf(request);
    upstream.requests.push(path);
    const { lies } = upstream;
    const body = await readBody(request);
    if (path === "/token") {
      upstream.tokenRequests.push(new URLSearchParams(body));
      upstream.authorizations.push(request.headers.authorization);
    }
    setDate(response, lies.date === undefined ? new Date(clock.now()).toUTCString() : lies.date);
    for (const [name, value] of Object.entries(lies.headers ?? {})) response.setHeader(name, value);
    const takeover = lies.answer?.[path];
    if (takeover) return takeover(response);
    switch (path) {
      case "/.well-known/openid-configuration":
        return json(response, { ...honestMetadata(origin), ...lies.metadata });
      case "/jwks":
        return json(response, { keys: lies.jwks ?? OWN_JWKS });
      case "/token": {
        const claims = { ...honestClaims(origin, clock), nonce: asked.nonce, ...lies.claims };
        const id_token = makeJwt(
          lies,
          claims,
          lies.key ?? (lies.sign === "other-key" ? FOREIGN_KEY : OWN_KEY),
        );
        return json(response, { access_token: randomUUID(), token_type: "Bearer", id_token, ...lies.token });
      }
      case "/userinfo":
        return json(response, {
          sub: "person-1",
          email: "info@mail.example",
          name: "From Userinfo",
          ...lies.userinfo,
        });
      default:
        return void response.writeHead(404).end();
    }
  });

  return Object.assign(upstream, {
    issuer: origin,
    close: () => closeServer(server),
    callback(authorizationUrl: URL, parameters: Record<string, string | null> = {}) {
      const sent = authorizationUrl.searchParams;
      asked.nonce = sent.get("nonce") ?? "";
      const url = new URL(sent.get("redirect_uri") ?? "");
      const honest = { code: randomUUID(), state: sent.get("state"), iss: origin };
      for (const [name, value] of Object.entries({ ...honest, ...parameters })) {
        if (value !== null) url.searchParams.set(name, value);
      }
      return url;
    },
  });
}

function honestMetadata(issuer: string): Record<string, unknown> {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    userinfo_endpoint: `${issuer}/userinfo`,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256", "ES256", "HS256", "none"],
    authorization_response_iss_parameter_supported: true,
  };
}

function setDate(response: ServerResponse, date: string | null): void {
  response.sendDate = false;
  if (date !== null) response.setHeader("date", date);
}

function honestClaims(issuer: string, clock: Clock): Record<string, unknown> {
  const now = Math.floor(clock.now() / 1000);
  const who = { sub: "person-1", email: "person@mail.example", name: "A Person" };
  return { iss: issuer, aud: PEER_CLIENT.client_id, iat: now, exp: now + 300, auth_time: now, ...who };
}

/** A signed token: by RS256 unless `sign` says otherwise. */
export function makeJwt(
  { sign = "rs256", header }: Lies,
  claims: object,
  { privateKey }: KeyPairKeyObjectResult,
): string {
  const alg = { rs256: "RS256", "other-key": "RS256", es256: "ES256", hs256: "HS256", none: "none" }[sign];
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${encode({ alg, ...header })}.${encode(claims)}`;
  if (sign === "none") return `${input}.`;
  if (sign === "es256") {
    const key = { key: OWN_EC_KEY.privateKey, dsaEncoding: "ieee-p1363" as const };
    return `${input}.${createSign("SHA256").update(input).sign(key, "base64url")}`;
  }
  if (sign === "hs256") return `${input}.${hs256(input)}`;
  return `${input}.${createSign("RSA-SHA256").update(input).sign(privateKey, "base64url")}`;
}

function hs256(input: string): string {
  return createHmac("sha256", PEER_CLIENT.client_secret).update(input).digest("base64url");
}

async function listen(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ server: Server; origin: string }> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

function json(response: ServerResponse, body: object): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function pathOf(request: IncomingMessage): string {
  return new URL(request.url ?? "/", "http://peer").pathname;
}
