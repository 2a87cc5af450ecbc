/** What is looked at first: metrics, what needs attention, upstreams. */

import { z } from "zod";
import { define } from "./definition.ts";
import { anyId, instant, listOf, organization } from "./fields.ts";

/** What is counted. Those of upstreams are kept for each upstream. */
export const METRICS = [
  "sign_ins",
  "links_asked",
  "links_bound",
  "links_refused",
  "mails_sent",
  "mails_deferred",
  "mails_failed",
  "mails_bounced",
  "upstream_sign_ins",
  "upstream_failures",
] as const;

export const figures = {
  get: define({
    name: "getFigures",
    summary: "Count sign-ins, links and mails over the last day, week or month.",
    scope: "admin:read",
    method: "GET",
    path: "/figures",
    input: z.strictObject({ range: z.enum(["24h", "7d", "30d"]).default("24h") }),
    output: z.strictObject({
      from: instant,
      to: instant,
      step_seconds: z.int(),
      series: z.array(
        z.strictObject({
          name: z.enum(METRICS),
          upstream_id: z.string().nullable(),
          total: z.int(),
          points: z.array(z.strictObject({ at: instant, count: z.int() })),
        }),
      ),
    }),
  }),
};

export const attention = {
  get: define({
    name: "getAttention",
    summary:
      "List what needs looking after: plans, secrets and keys that end soon, mails that failed or wait.",
    scope: "admin:read",
    method: "GET",
    path: "/attention",
    input: z.strictObject({ days: z.int().min(1).max(365).default(30) }),
    output: z.strictObject({
      plans: z.array(organization),
      api_keys: z.array(z.strictObject({ id: anyId, name: z.string(), expires_at: instant })),
      previous_secrets: z.array(
        z.strictObject({ client_id: anyId, until: instant, last_used_at: instant.nullable() }),
      ),
      mails: z.strictObject({ failed: z.int(), bounced: z.int(), held: z.int() }).meta({
        description: "Counted up to 100.",
      }),
    }),
  }),
};

export const upstreams = {
  list: define({
    name: "listUpstreams",
    summary: "List the upstreams of the configuration.",
    scope: "admin:read",
    method: "GET",
    path: "/upstreams",
    input: z.strictObject({}),
    output: listOf(
      z.strictObject({
        id: anyId,
        name: z.string(),
        issuer: z.string(),
        client_id: z.string(),
        reauthentication: z.string(),
      }),
    ),
    command: {
      name: "upstreams list",
      examples: ["liaison upstreams list"],
      columns: {
        id: (one) => one.id,
        name: (one) => one.name,
        issuer: (one) => one.issuer,
        client: (one) => one.client_id,
        reauthentication: (one) => one.reauthentication,
      },
    },
  }),
};
