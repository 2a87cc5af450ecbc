/**
 * The one schema of the configuration. Reading files and the environment is load.ts's; this module knows only values.
 * Keys are spelled as in YAML, so that a key means the same in a file, in an error and in the code. Lengths of time are seconds.
 */

import { z } from "zod";

const id = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, "use 1 to 63 lower-case letters, digits, - or _");
const seconds = z.number().int().positive();
const webUrl = z.url({ protocol: /^https?$/, error: "write an absolute http(s) address" });
const issuerUrl = webUrl.refine((value) => {
  const url = new URL(value);
  return url.search === "" && url.hash === "" && !value.endsWith("/");
}, "write it without query, fragment and trailing slash, exactly as it stands in the discovery document");

const accessPolicy = z.strictObject({
  kinds: z.array(z.enum(["customer", "partner", "operator"])).min(1, "name at least one organization kind"),
  plan_required: z.boolean().default(false),
  roles: z.array(z.string().min(1)).default([]),
});

const upstream = z.strictObject({
  id,
  name: z.string().min(1),
  issuer: z.url({ protocol: /^https?$/, error: "write the issuer as its discovery document has it" }),
  client_id: z.string().min(1),
  client_secret: z.string().min(1),
  scope: z.string().default("openid profile email"),
  /** Whether this upstream shows a fresh authentication by `auth_time`, or merely obeys `prompt=login`. */
  reauthentication: z.enum(["auth_time", "prompt_only"]).default("auth_time"),
  about_url: webUrl.nullable().default(null),
  create_account_url: webUrl.nullable().default(null),
  forgot_password_url: webUrl.nullable().default(null),
  support_email: z.email().nullable().default(null),
  support_url: webUrl.nullable().default(null),
});

const portal = z.strictObject({
  id,
  name: z.string().min(1),
  client_secret: z.string().min(32, "use at least 32 characters").nullable().default(null),
  home_url: webUrl,
  about_url: webUrl.nullable().default(null),
  redirect_uris: z.array(z.string().min(1)).min(1, "name at least one redirect URI"),
  post_logout_redirect_uris: z.array(z.string().min(1)).default([]),
  initiate_login_uri: webUrl.nullable().default(null),
  backchannel_logout_uri: webUrl.nullable().default(null),
  grant_types: z
    .array(z.enum(["authorization_code", "refresh_token"]))
    .default(["authorization_code", "refresh_token"]),
  token_endpoint_auth_method: z
    .enum(["client_secret_basic", "client_secret_post", "none"])
    .default("client_secret_basic"),
  id_token_signed_response_alg: z.enum(["RS256", "ES256"]).default("RS256"),
  claims_in_id_token: z.boolean().default(false),
  /** PKCE is required of every client; a confidential one that can't may be exempted here. */
  pkce_required: z.boolean().default(true),
  access_policy: accessPolicy,
});

const smtp = z.strictObject({
  host: z.string().min(1),
  port: z.number().int().min(1).max(65535).default(587),
  /** `starttls`: plain connection that must be upgraded; `tls`: from the first byte; `none`: only for a relay on this machine. */
  security: z.enum(["starttls", "tls", "none"]).default("starttls"),
  username: z.string().nullable().default(null),
  password: z.string().nullable().default(null),
  max_connections: z.number().int().min(1).max(50).default(2),
  timeout_seconds: seconds.default(30),
});

export const configSchema = z
  .strictObject({
    issuer: issuerUrl,
    listen: z
      .strictObject({
        host: z.string().min(1).default("127.0.0.1"),
        port: z.number().int().min(0).max(65535).default(4400),
      })
      .prefault({}),
    /** 32 random bytes, base64 or base64url. Everything secret in the store is sealed under it. */
    encryption_key: z
      .string()
      .refine(
        (value) => Buffer.from(value, "base64").length === 32,
        "write 32 random bytes in base64 (openssl rand -base64 32)",
      ),
    storage: z
      .strictObject({ sqlite: z.strictObject({ file: z.string().min(1).default("data/liaison.db") }).prefault({}) })
      .prefault({}),
    deployment: z.strictObject({
      name: z.string().min(1),
      support_email: z.email(),
      support_url: webUrl.nullable().default(null),
      support_phone: z.string().nullable().default(null),
      time_zone: z
        .string()
        .default("UTC")
        .refine((zone) => {
          try {
            return new Intl.DateTimeFormat("en", { timeZone: zone }) !== null;
          } catch {
            return false;
          }
        }, "write an IANA time zone such as Europe/Copenhagen"),
      locale: z.enum(["en"]).default("en"),
    }),
    mail: z.strictObject({ from_name: z.string().min(1), from_address: z.email(), smtp }),
    linking: z
      .strictObject({ link_lifetime_seconds: seconds.default(1800), resend_after_seconds: seconds.default(60) })
      .prefault({}),
    sessions: z
      .strictObject({ idle_seconds: seconds.default(3600), absolute_seconds: seconds.default(12 * 3600) })
      .prefault({}),
    tokens: z
      .strictObject({
        authorization_code_seconds: seconds.max(600).default(60),
        access_token_seconds: seconds.default(300),
        id_token_seconds: seconds.default(300),
        refresh_token_seconds: seconds.default(14 * 24 * 3600),
      })
      .prefault({}),
    upstreams: z.array(upstream).min(1, "declare at least one upstream"),
    portals: z.array(portal).default([]),
    log: z
      .strictObject({ level: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info") })
      .prefault({}),
  })
  .check((context) => {
    for (const list of ["upstreams", "portals"] as const) {
      const seen = new Set<string>();
      for (const [index, entry] of context.value[list].entries()) {
        if (seen.has(entry.id)) {
          context.issues.push({
            code: "custom",
            message: `the id "${entry.id}" is used twice`,
            path: [list, index, "id"],
            input: entry.id,
          });
        }
        seen.add(entry.id);
      }
    }
    for (const [index, entry] of context.value.portals.entries()) {
      if ((entry.token_endpoint_auth_method === "none") !== (entry.client_secret === null)) {
        context.issues.push({
          code: "custom",
          message: "a client with a secret needs one here; one with token_endpoint_auth_method none must have none",
          path: ["portals", index, "client_secret"],
          input: undefined,
        });
      }
    }
  });

export type Config = z.infer<typeof configSchema>;
export type UpstreamConfig = Config["upstreams"][number];
export type PortalConfig = Config["portals"][number];
