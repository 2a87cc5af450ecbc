/**
 * Calls of the administration as its document allows them, drawn by fast-check, and as they go over the wire.
 */

import fc from "fast-check";
import { isRole } from "../../src/admin/import/role.ts";
import type { ApiOperation } from "./admin-document.ts";
import { type Pool, poolOfField, poolOfPath } from "./admin-pool.ts";
import { valuesOf } from "./admin-values.ts";
import type { RawRequest } from "./fuzz-client.ts";

/** A call before it is known what records there are. */
export interface Plan {
  path: Record<string, unknown>;
  query: Record<string, unknown>;
  body: Record<string, unknown> | undefined;
  key: string | undefined;
  /** What chooses records, and what is broken. */
  picks: number[];
}

export interface Call {
  operation: ApiOperation;
  path: Record<string, string>;
  query: Record<string, string>;
  body: Record<string, unknown> | undefined;
  headers: Record<string, string>;
}

/** Numbers below what is asked for, one after the other, from those of a plan. */
export type Draw = (below: number) => number;

export function drawOf(picks: readonly number[]): Draw {
  let at = 0;
  return (below) => {
    at += 1;
    return (picks[(at - 1) % picks.length] ?? 0) % below;
  };
}

export function plansOf({ inPath, inQuery, inBody, heedsIdempotencyKey }: ApiOperation): fc.Arbitrary<Plan> {
  const key = fc.option(fc.stringMatching(/^[!-~]([ -~]{0,40}[!-~])?$/), { nil: undefined });
  return fc.record({
    path: valuesOf(inPath) as fc.Arbitrary<Plan["path"]>,
    query: valuesOf(inQuery) as fc.Arbitrary<Plan["query"]>,
    body:
      inBody === undefined
        ? fc.constant(undefined)
        : (valuesOf(inBody) as fc.Arbitrary<Record<string, unknown>>),
    key: heedsIdempotencyKey ? key : fc.constant(undefined),
    picks: fc.array(fc.nat(), { minLength: 24, maxLength: 24 }),
  });
}

/** Makes a call of a plan, mostly about records that are there. */
export function resolve(operation: ApiOperation, plan: Plan, pool: Pool, draw: Draw, now: number): Call {
  const { name } = operation;
  const often = (pick: number) => pick % 10 < 8;
  const known = (poolName: string | undefined, value: unknown): unknown => {
    const pick = draw(1_000_003);
    return (poolName !== undefined && often(pick) ? pool.choose(poolName, pick) : undefined) ?? value;
  };
  const fields = (values: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(values).map(([field, value]) => [field, known(poolOfField(name, field), value)]),
    );

  const path = Object.fromEntries(
    Object.entries(plan.path).map(([field, value]) => [
      field,
      String(known(poolOfPath(name, operation.path), value)),
    ]),
  );
  const query = Object.fromEntries(
    Object.entries(fields(plan.query)).map(([field, value]) => [field, String(value)]),
  );
  const body = plan.body === undefined ? undefined : fields(plan.body);
  if (often(draw(1000))) makeSense({ operation, path, query, body, headers: {} }, pool, draw, now);
  return {
    operation,
    path,
    query,
    body,
    headers: plan.key === undefined ? {} : { "idempotency-key": plan.key },
  };
}

/** What a machine has none of. */
const ofPortals = [
  "redirect_uris",
  "post_logout_redirect_uris",
  "initiate_login_uri",
  "backchannel_logout_uri",
  "pkce_required",
  "backchannel_logout_session_required",
  "id_token_signed_response_alg",
  "home_url",
  "about_url",
  "claims_in_id_token",
];

/** What no schema says, so that more calls are carried out. */
function makeSense({ operation, query, body = {} }: Call, pool: Pool, draw: Draw, now: number): void {
  switch (operation.name) {
    case "getClientSettings":
      delete query["for"];
      break;
    case "rotateClientSecret":
      delete body["for"];
      break;
    case "createClient": {
      const { preset } = body;
      delete body["for"];
      delete body["token_endpoint_auth_method"];
      if (preset !== "web") delete body["pkce_required"];
      if (preset === "machine") {
        body["scopes"] = ["admin:read"];
        for (const field of ofPortals) delete body[field];
      } else {
        delete body["scopes"];
        body["home_url"] = "https://portal.example/";
        body["redirect_uris"] =
          preset === "native" ? ["http://127.0.0.1/callback"] : ["https://portal.example/callback"];
      }
      break;
    }
    case "editClient":
      for (const field of ofPortals) delete body[field];
      delete body["token_endpoint_auth_method"];
      delete body["scopes"];
      delete body["redirect_uris"];
      break;
    case "simulate":
      if ((query["profile_id"] === undefined) === (query["account_id"] === undefined)) {
        delete query["account_id"];
        query["profile_id"] = pool.choose("profile_id", draw(1000)) ?? "nobody";
      }
      break;
    case "createApiKey":
      if (body["expires_at"] !== undefined) {
        body["expires_at"] = new Date(now + (1 + draw(360)) * 24 * 3_600_000).toISOString();
      }
      break;
    case "createOrganization":
    case "editOrganization":
      // The end is said once, and in the deployment's zone.
      for (const field of ["last_day", "time_zone"]) {
        Reflect.deleteProperty((body["plan"] ?? {}) as object, field);
      }
      break;
    case "createProfile":
    case "editProfile":
      // What an import would read as something else is no role: roles.test.ts has those.
      if (Array.isArray(body["roles"])) body["roles"] = body["roles"].filter((role) => isRole(String(role)));
      break;
    case "inviteAdministrator":
      body["organization_id"] ??= pool.choose("operator", draw(1000));
      break;
  }
}

export function targetOf(apiPath: string, { operation, path, query }: Call): string {
  const filled = operation.path.replace(/\{(\w+)\}/g, (_, field: string) =>
    encodeURIComponent(path[field] ?? ""),
  );
  const text = new URLSearchParams(query).toString();
  return apiPath + filled + (text === "" ? "" : `?${text}`);
}

export function toRequest(apiPath: string, host: string, token: string, call: Call): RawRequest {
  const { operation, body, headers } = call;
  return {
    method: operation.method,
    target: targetOf(apiPath, call),
    headers: [
      ["host", host],
      ["authorization", `Bearer ${token}`],
      ...(body === undefined ? [] : [["content-type", "application/json"] as [string, string]]),
      ...Object.entries(headers),
    ],
    body: Buffer.from(body === undefined ? "" : JSON.stringify(body)),
    wellFormed: true,
  };
}
