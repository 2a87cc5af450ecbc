/**
 * Requests by chance: most of them nearly right, so that they get past the first check, with something
 * hostile in one or several places; some of them noise.
 */

import { type Random, seededRandom } from "../crash/random.ts";
import { asForm, bodyOf } from "./fuzz-bodies.ts";
import type { RawRequest } from "./fuzz-client.ts";
import type { Route } from "./fuzz-routes.ts";
import type { Stage } from "./fuzz-stages.ts";
import {
  chance,
  type Field,
  hostileValue,
  markup,
  nearlyTheVictims,
  oneOf,
  spoiled,
  visible,
  withoutControls,
} from "./fuzz-values.ts";

export interface Surroundings {
  issuer: URL;
  routes: readonly Route[];
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "SEARCH"];

/** The fields that an address understands, by the start of its path, with values that suit any stage. */
const fieldsOf: [RegExp, Record<string, string>][] = [
  [
    /^\/(authorize|par)/,
    {
      client_id: "customersource",
      redirect_uri: "http://localhost:9/customersource/callback",
      response_type: "code",
      scope: "openid profile email organization",
      state: "st",
      nonce: "no",
      code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
      code_challenge_method: "S256",
    },
  ],
  [
    /^\/token/,
    { grant_type: "authorization_code", redirect_uri: "http://localhost:9/customersource/callback" },
  ],
  [/^\/(introspect|revoke)/, { token_type_hint: "access_token" }],
  [/^\/logout/, { post_logout_redirect_uri: "http://localhost:9/customersource/signed-out", logout: "yes" }],
  [/^\/interaction/, { email: "nobody@unknown.example" }],
  [/^\/link/, {}],
  [/^\/upstream/, { iss: "http://localhost:9", code: "x" }],
];

/** The fields that stages know and an address may ask for. */
const known = /^\/(interaction|link)/;
const wantedByStage: [RegExp, string[]][] = [
  [known, ["csrf", "upstream", "email", "profile_id"]],
  [/^\/token/, ["client_id", "client_secret", "code", "code_verifier", "refresh_token"]],
  [/^\/(introspect|revoke|par)/, ["client_id", "client_secret", "token"]],
  [/^\/userinfo/, ["access_token"]],
  [/^\/logout/, ["xsrf", "id_token_hint", "client_id", "logout"]],
  [/^\/upstream/, ["state", "code", "iss"]],
];

const rarely = [
  "prompt",
  "max_age",
  "ui_locales",
  "id_token_hint",
  "login_hint",
  "acr_values",
  "claims",
  "request",
  "request_uri",
  "registration",
  "upstream",
  "profile_hint",
  "response_mode",
  "display",
  "resource",
  "dpop_jkt",
  "authorization_details",
  "client_assertion",
  "client_assertion_type",
  "grant_type",
  "error",
  "error_description",
  "error_uri",
  "response",
  "id_token",
  "notice",
  "returned",
  "fresh",
  "xsrf",
  "state",
  "subject_token",
  "device_code",
  "assertion",
  "web_message_uri",
  "sid",
  "__proto__",
  "constructor",
  "email[$gt]",
  "email[]",
  "csrf[]",
  "a[b][c]",
  "__proto__[x7q]",
  "",
  "x7q<x7q n=1>",
  "_method",
];

/** Which of them our own addresses mind. */
const specials: [RegExp, string[]][] = [
  [/^\/interaction/, ["notice", "returned", "fresh", "email", "upstream", "profile_id"]],
  [
    /^\/authorize/,
    ["prompt", "max_age", "upstream", "profile_hint", "response_mode", "request_uri", "redirect_uri"],
  ],
  [/^\/upstream/, ["state", "error", "error_description", "iss", "response"]],
  [/^\/logout/, ["id_token_hint", "state", "ui_locales", "xsrf", "post_logout_redirect_uri"]],
];

const usual = new Map<string, string[]>(
  Object.entries({
    prompt: ["none", "login", "consent", "select_account", "login consent select_account"],
    max_age: ["0", "1", "99999999999"],
    grant_type: [
      "refresh_token",
      "client_credentials",
      "urn:ietf:params:oauth:grant-type:device_code",
      "password",
    ],
    response_mode: ["query", "form_post", "fragment", "jwt", "web_message"],
    upstream: ["fabrikam"],
    error: ["access_denied", "login_required", "server_error"],
    notice: ["cancelled", "failed"],
    request_uri: ["urn:ietf:params:oauth:request_uri:x7q", "https://x7q.example/"],
    client_assertion_type: ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
  }),
);

/** The request of a number: always the same for the same stages. */
export function requestOf(
  seed: number,
  index: number,
  stages: readonly Stage[],
  around: Surroundings,
): { stage: Stage; request: RawRequest } {
  const random = seededRandom(seed + Math.imul(index, 0x9e3779b1));
  const route = oneOf(random, around.routes);
  const stage = stageFor(random, route, stages);
  const wild = chance(random, 0.1);
  const method = wild ? oneOf(random, methods) : oneOf(random, route.methods);
  const path = pathOf(random, route.pattern, stage);
  const fields = fieldsFor(random, route.pattern, stage);
  const inBody = method !== "GET" && method !== "HEAD" && chance(random, 0.95);
  const query = inBody && chance(random, 0.8) ? "" : `?${asForm(random, fields)}`;
  const { body, headers } = inBody ? bodyOf(random, fields) : { body: Buffer.alloc(0), headers: [] };
  const target = chance(random, 0.01)
    ? `${oneOf(random, [around.issuer.origin, "http://x7q.example"])}${path}${query}`
    : path + query;
  const request: RawRequest = {
    method,
    target: target.slice(0, 12_000),
    body,
    wellFormed: true,
    headers: [...headersOf(random, stage, around), ...headers],
  };
  return { stage, request: chance(random, 0.01) ? malformed(random, request) : request };
}

/** What must be held so that an address of this kind does more than say no. */
const needs: [RegExp, string][] = [
  [/^\/interaction/, "uid"],
  [/^\/link/, "requestId"],
  [/^\/upstream/, "state"],
  [/^\/(token|userinfo|introspect|revoke)/, "token"],
  [/^\/logout/, "id_token_hint"],
];

/** Mostly a stage at which somebody would come by this address; sometimes any. */
function stageFor(random: Random, { pattern }: Route, stages: readonly Stage[]): Stage {
  const needed = needs.find(([prefix]) => prefix.test(pattern))?.[1];
  const fitting = needed === undefined ? stages : stages.filter(({ values }) => values[needed] !== undefined);
  return oneOf(random, chance(random, 0.8) && fitting.length > 0 ? fitting : stages);
}
const pathEnds = ["%00", "%", "%zz", "%2f", "%5c..", "#x7q", "//", "%E0%A4%A", "\u00fc", ".json"];

function pathOf(random: Random, pattern: string, { values }: Stage): string {
  const path = pattern.replace(/:(\w+)/g, (_whole, name: string) => {
    const usually: Record<string, string> = { upstreamId: "fabrikam", name: "style.css" };
    const right = values[name] ?? usually[name] ?? oneOf(random, ["A".repeat(22), "B".repeat(43), "x"]);
    if (chance(random, 0.88)) return encodeURIComponent(right);
    const wrong = chance(random, 0.5) ? spoiled(random, right) : hostileValue(random);
    return asPath(random, wrong);
  });
  switch (random.below(40)) {
    case 0:
      return `${path}/`;
    case 1:
      return `/${path}`;
    case 2:
      return `${path}/${asPath(random, hostileValue(random))}`;
    case 3:
      return path.toUpperCase();
    case 4:
      return path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
    case 5:
      return `/./x/..${path};x7q=1`;
    case 6:
      return path + oneOf(random, pathEnds);
    case 7:
      return `/${asPath(random, hostileValue(random))}`;
    default:
      return path;
  }
}

/** As a path's segment: encoded, or as raw as a request line allows. */
function asPath(random: Random, value: string): string {
  const encoded = encodeURIComponent(value.toWellFormed());
  if (chance(random, 0.6)) return encoded;
  return visible(value).slice(0, 4000);
}

/** Fields without which a request ends at the door. */
const guards = new Set(["csrf", "xsrf", "client_id", "client_secret", "upstream"]);

function fieldsFor(random: Random, pattern: string, { values }: Stage): Field[] {
  const template: Record<string, string> = {};
  for (const [prefix, some] of fieldsOf) if (prefix.test(pattern)) Object.assign(template, some);
  for (const [prefix, names] of wantedByStage) {
    if (!prefix.test(pattern)) continue;
    for (const name of names) {
      const value = values[name];
      if (value !== undefined) template[name] = value;
    }
  }
  // Mostly in one place: spoiled all over, a request never gets far.
  const names = Object.keys(template);
  const free = names.filter((name) => !guards.has(name));
  const spoilable = chance(random, 0.9) && free.length > 0 ? free : names;
  const onlyOne = chance(random, 0.7) ? spoilable[random.below(spoilable.length)] : undefined;
  const care = onlyOne === undefined ? oneOf(random, [0, 0.1, 0.5]) : 0;
  const fields: Field[] = [];
  for (const [name, value] of Object.entries(template)) {
    if (chance(random, care / 2)) continue;
    fields.push([name, name === onlyOne || chance(random, care) ? wrongValue(random, name, value) : value]);
    if (chance(random, 0.02)) fields.push([name, wrongValue(random, name, value)]);
  }
  const special = specials.find(([prefix]) => prefix.test(pattern))?.[1] ?? rarely;
  while (chance(random, 0.4)) {
    const name = oneOf(random, chance(random, 0.4) ? special : rarely);
    const right = usual.get(name) ?? (Object.hasOwn(values, name) ? [values[name] ?? ""] : undefined);
    const value = right !== undefined && chance(random, 0.6) ? oneOf(random, right) : hostileValue(random);
    fields.push([name, value]);
    if (chance(random, 0.2)) fields.push([name, chance(random, 0.5) ? value : hostileValue(random)]);
  }
  return fields;
}

function wrongValue(random: Random, name: string, value: string): string {
  if (name === "email" && chance(random, 0.4)) return oneOf(random, nearlyTheVictims);
  if (chance(random, 0.15)) return markup;
  return chance(random, 0.5) ? spoiled(random, value) : hostileValue(random);
}

function headersOf(random: Random, stage: Stage, { issuer }: Surroundings): [string, string][] {
  const headers: [string, string][] = [["host", chance(random, 0.05) ? "x7q.example" : issuer.host]];
  const cookie = cookieHeader(random, stage.cookies);
  if (cookie !== "") headers.push(["cookie", cookie]);
  const sometimes = (probability: number, name: string, values: readonly string[]) => {
    if (!chance(random, probability)) return;
    headers.push([name, chance(random, 0.85) ? oneOf(random, values) : headerSafe(hostileValue(random))]);
  };
  const { values } = stage;
  const credentials = Buffer.from(`${values["client_id"]}:${values["client_secret"]}`);
  const basic = `Basic ${credentials.toString("base64")}`;
  sometimes(0.9, "accept", [
    "text/html",
    "text/html",
    "*/*",
    "application/json",
    "text/html;q=x",
    ",,,",
    "text/*;q=0",
    "a/b/c",
  ]);
  sometimes(0.15, "origin", [
    issuer.origin,
    issuer.origin,
    "null",
    "http://x7q.example",
    "http://localhost:9",
    "x7q",
  ]);
  sometimes(0.15, "sec-fetch-site", ["same-origin", "same-origin", "none", "cross-site", "same-site"]);
  sometimes(0.05, "forwarded", ["host=x7q.example;proto=https", "for=<x7q>", ";;;=,"]);
  sometimes(0.05, "x-forwarded-host", ["x7q.example"]);
  sometimes(0.05, "x-forwarded-proto", ["https", "javascript"]);
  sometimes(0.05, "x-forwarded-for", ["127.0.0.1", "x7q"]);
  sometimes(0.2, "authorization", [
    basic,
    basic,
    `Bearer ${values["access_token"]}`,
    `DPoP ${values["access_token"]}`,
    "Basic %%%",
    "Bearer",
  ]);
  sometimes(0.03, "dpop", ["e30.e30.e30", "x7q"]);
  sometimes(0.05, "accept-language", ["da, en;q=0.5", "*;q=x", "<x7q>"]);
  sometimes(0.03, "if-none-match", ["*", '"x7q"', 'W/"']);
  sometimes(0.03, "range", ["bytes=0-1", "bytes=-1", "x7q=9-1"]);
  sometimes(0.02, "accept-encoding", ["gzip", "x7q, *;q=0"]);
  sometimes(0.02, "x-http-method-override", ["DELETE", "POST"]);
  sometimes(0.02, "referer", ["http://x7q.example/<x7q n=1>"]);
  sometimes(0.02, "user-agent", ["<x7q n=1>", ""]);
  sometimes(0.01, "x7q-long", ["h".repeat(9000)]);
  return headers;
}

function cookieHeader(random: Random, cookies: [string, string][]): string {
  const spoiledOne = chance(random, 0.15) ? random.below(cookies.length) : -1;
  const missingOne = chance(random, 0.05) ? random.below(cookies.length) : -1;
  const written = cookies.flatMap(([name, value], at) => {
    if (at === missingOne) return [];
    if (at !== spoiledOne) return [`${name}=${value}`];
    return [`${name}=${headerSafe(chance(random, 0.5) ? spoiled(random, value) : hostileValue(random))}`];
  });
  if (chance(random, 0.05)) {
    const junk = [
      ";;=;",
      "a=b; a=b",
      '="',
      "liaison.session=",
      "liaison.upstream=<x7q n=1>",
      "liaison.csrf=x7q",
      "=x7q",
      "\u00ff=\u00fe",
    ];
    written.push(oneOf(random, junk), headerSafe(hostileValue(random)));
  }
  return written.join("; ").slice(0, 12_000);
}

/** Without what would end the header: that is `malformed`'s to send. */
function headerSafe(value: string): string {
  return withoutControls(value).slice(0, 2000);
}

/** What no HTTP client sends. A server may refuse it as it likes, and goes on serving others. */
function malformed(random: Random, request: RawRequest): RawRequest {
  const broken = { ...request, wellFormed: false };
  switch (random.below(6)) {
    case 0:
      return { ...broken, method: hostileValue(random) };
    case 1:
      return { ...broken, target: ` ${request.target}\0 x` };
    case 2:
      return { ...broken, headers: [...request.headers, [hostileValue(random), hostileValue(random)]] };
    case 3:
      return { ...broken, headers: [...request.headers, ["x-long", "h".repeat(20_000)]] };
    case 4:
      return { ...broken, headers: request.headers.filter(([name]) => name !== "host") };
    default:
      return {
        ...broken,
        headers: [...request.headers, ["expect", "x7q"], ["upgrade", "x7q"], ["connection", "upgrade"]],
      };
  }
}
