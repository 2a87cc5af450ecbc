/**
 * The one schema of the configuration. Reading files and the environment is load.ts's; this module knows only
 * values. Keys are spelled as in YAML, so that a key means the same in a file, in an error and in the code.
 * Lengths of time are seconds.
 */

import { z } from "zod";
import type { Seconds } from "../clock.ts";
import {
  authenticationFaults,
  authenticationOf,
  defaultSettings,
  PORTAL_PRESETS,
  settingShapes,
} from "../domain/client-settings.ts";
import { isReservedId, RESERVED_ID_PROBLEM } from "../domain/ids.ts";
import { isEncryptedOrLocal } from "../domain/loopback.ts";
import { isNetwork } from "../domain/networks.ts";
import { isHostAndPort } from "../domain/private-hosts.ts";
import { issuerProblem } from "./issuer.ts";
import { emailAddress, mailSchema } from "./mail-schema.ts";
import { evenIfOtherwiseFaulty, isPresent } from "./rules.ts";
import { checkUpstream, upstreamProtocol } from "./upstream-schema.ts";

const id = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, "use 1 to 63 lower-case letters, digits, - or _")
  .refine((value) => !isReservedId(value), RESERVED_ID_PROBLEM);
/**
 * A path. load.ts makes it absolute: relative to the file it is written in, otherwise to the working
 * directory.
 */
const filePath = z.string().min(1).meta({ format: "path" });
const seconds = z.number().int().positive();
const daySeconds: Seconds = 86_400;
/** Browsers forget every cookie after so long, whatever it says (RFC 6265bis, section 5.5). */
const longestCookieSeconds: Seconds = 400 * daySeconds;
const webUrl = z.url({ protocol: /^https?$/, error: "write an absolute http(s) address" });
/**
 * Of the service: portals compare it to the letter (OpenID Connect Discovery 1.0, section 4.3), so it has one
 * spelling.
 */
const issuerUrl = webUrl.superRefine((value, context) => {
  const problem = issuerProblem(value);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

/** Each id once. */
function uniqueIds(entries: readonly { id: string }[], context: z.RefinementCtx): void {
  const seen = new Set<unknown>();
  for (const [index, entry] of entries.entries()) {
    if (typeof entry?.id !== "string") continue;
    if (seen.has(entry.id)) {
      context.addIssue({ code: "custom", path: [index, "id"], message: "this id is used twice" });
    }
    seen.add(entry.id);
  }
}

const upstreamEntry = z.strictObject({
  id,
  name: z.string().min(1),
  issuer: z
    .url({ protocol: /^https?$/, error: "write the issuer as its discovery document has it" })
    .refine((value) => {
      const url = URL.parse(value);
      return url === null || isEncryptedOrLocal(url);
    }, "must be https: over plain http whoever sits between could sign in as anybody; http is for this " +
      "machine alone"),
  client_id: z.string().min(1),
  scope: z.string().default("openid profile email"),
  ...upstreamProtocol,
  /** Whether this upstream shows a fresh authentication by `auth_time`, or merely obeys `prompt=login`. */
  reauthentication: z.enum(["auth_time", "prompt_only"]).default("auth_time"),
  about_url: webUrl.nullable().default(null),
  create_account_url: webUrl.nullable().default(null),
  forgot_password_url: webUrl.nullable().default(null),
  support_email: emailAddress.nullable().default(null),
  support_url: webUrl.nullable().default(null),
});

const upstream = upstreamEntry.superRefine(checkUpstream, evenIfOtherwiseFaulty);

const portalSecret = z
  .string()
  .min(32, "use at least 32 characters")
  .regex(/^[\x20-\x7e]*$/, "use printable ASCII characters alone (RFC 6749, appendix A.2)");

const usual = defaultSettings("web");

/**
 * A portal's settings, which the administration's other faces have too; and what is the configuration's
 * alone.
 */
const portal = z
  .strictObject({
    id,
    name: z.string().min(1),
    client_secret: portalSecret.nullable().default(null),
    /**
     * Where nothing is said: by `token_endpoint_auth_method`. Machines are registered by those who may do
     * what they may do.
     */
    preset: z.enum(PORTAL_PRESETS).optional(),
    ...settingShapes,
    about_url: settingShapes.about_url.default(usual.about_url),
    redirect_uris: settingShapes.redirect_uris.min(1, "name at least one redirect URI"),
    post_logout_redirect_uris: settingShapes.post_logout_redirect_uris.default(
      usual.post_logout_redirect_uris,
    ),
    initiate_login_uri: settingShapes.initiate_login_uri.default(usual.initiate_login_uri),
    backchannel_logout_uri: settingShapes.backchannel_logout_uri.default(usual.backchannel_logout_uri),
    backchannel_logout_session_required: settingShapes.backchannel_logout_session_required.default(
      usual.backchannel_logout_session_required,
    ),
    token_endpoint_auth_method: settingShapes.token_endpoint_auth_method.optional(),
    id_token_signed_response_alg: settingShapes.id_token_signed_response_alg.default(
      usual.id_token_signed_response_alg,
    ),
    claims_in_id_token: settingShapes.claims_in_id_token.default(usual.claims_in_id_token),
    refresh_tokens: settingShapes.refresh_tokens.optional(),
    /** What `refresh_tokens` says, in the words of OpenID Connect client metadata. */
    grant_types: z.array(z.enum(["authorization_code", "refresh_token"])).optional(),
    listed: settingShapes.listed.default(usual.listed),
    pkce_required: settingShapes.pkce_required.default(usual.pkce_required),
  })
  .superRefine((value, context) => {
    const { client_secret, pkce_required, refresh_tokens, grant_types } = value;
    const authentication = authenticationOf(value);
    const isPublic = authentication.token_endpoint_auth_method === "none";
    if (isPublic === isPresent(client_secret)) {
      const message = isPublic
        ? "a portal with token_endpoint_auth_method none has no secret"
        : "is required, unless token_endpoint_auth_method is none";
      context.addIssue({ code: "custom", path: ["client_secret"], message });
    }
    for (const { field, problem } of authenticationFaults({ ...authentication, pkce_required })) {
      context.addIssue({ code: "custom", path: [field], message: problem });
    }
    if (isPresent(refresh_tokens) && isPresent(grant_types)) {
      context.addIssue({
        code: "custom",
        path: ["grant_types"],
        message: "stands beside refresh_tokens: keep one",
      });
    }
  }, evenIfOtherwiseFaulty);

const sqlite = z.strictObject({ file: filePath.default("data/liaison.db") });

const mongodb = z.strictObject({
  /** A connection string; with a password in it, better from a file. */
  url: z
    .string()
    .regex(
      /^mongodb(\+srv)?:\/\/[^/]/,
      "write a connection string: mongodb://host,host,host/?replicaSet=name",
    ),
  database: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,38}$/, "use 1 to 38 letters, digits, - or _")
    .default("liaison"),
});

/** One of the two; the file of the embedded back end where nothing is said. */
const storage = z
  .strictObject({ sqlite: sqlite.optional(), mongodb: mongodb.optional() })
  .superRefine((value, context) => {
    if (isPresent(value.sqlite) && isPresent(value.mongodb)) {
      context.addIssue({
        code: "custom",
        path: ["mongodb"],
        message: "stands beside storage.sqlite: keep one of the two",
      });
    }
  }, evenIfOtherwiseFaulty)
  .transform((value) => (value.mongodb === undefined ? { sqlite: sqlite.parse({}), ...value } : value));

/** At most `limit` in `window_seconds`. */
const limit = (count: number, windowSeconds: Seconds) =>
  z
    .strictObject({
      limit: z.number().int().positive().default(count),
      window_seconds: seconds.max(7 * 86_400).default(windowSeconds),
    })
    .prefault({});

const linking = z
  .strictObject({
    /**
     * At most a week. The cookies by which a browser waits for the link live twice as long and half an hour
     * more (`interactionLifetimeSeconds`), and no browser keeps one for ever.
     */
    link_lifetime_seconds: seconds.max(7 * daySeconds).default(1800),
    /** How long an identity waits between two inquiries; 0: not at all. */
    resend_after_seconds: z.number().int().min(0).max(daySeconds).default(60),
    /** How long an inquiry waits before it is looked up, drawn anew for each from between these. */
    lookup_delay_seconds: z
      .strictObject({ min: z.number().min(0).max(60).default(2), max: z.number().min(0).max(60).default(6) })
      .refine(({ min, max }) => min <= max, { message: "min is more than max", ...evenIfOtherwiseFaulty })
      .prefault({}),
  })
  .prefault({});

const limits = z
  .strictObject({
    /**
     * Of every sort: so many at once and in each window from then on; what comes faster waits a few seconds,
     * or is refused.
     */
    requests_per_client_address: limit(300, 5),
    /** Of programs that don't authenticate; beyond, their address is held to the pace of all others. */
    failures_per_client_address: limit(600, 300),
    sign_ins_per_client_address: limit(1000, 300),
    /** Of a browser that completed one before, while its address is over the limit above. */
    sign_ins_per_known_browser: limit(60, 300),
    /** Begun at upstreams for one sign-in at a portal, or for one mailed link. */
    sign_ins_per_interaction: limit(30, 300),
    sign_outs_per_client_address: limit(300, 300),
    inquiries_per_identity: limit(20, 3600),
    inquiries_per_client_address: limit(100, 3600),
    /**
     * Mails of their own, one for each profile; what is over either limit goes together, in one mail an hour.
     */
    mails_per_mailbox: limit(30, 3600),
    mails_per_mailbox_daily: limit(60, 86_400),
    mails_per_profile: limit(10, 3600),
    mails: limit(600, 60),
    support_messages_per_identity: limit(5, 3600),
    support_messages_per_client_address: limit(20, 3600),
  })
  .prefault({});

/** What stands in `acr_values`, separated by blanks (OpenID Connect Core 1.0, section 3.1.2.1). */
const claimValue = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, "write one value without blanks, as the ID token has it");

const wholeSchema = z.strictObject({
  issuer: issuerUrl,
  listen: z
    .strictObject({
      host: z.string().min(1).default("127.0.0.1"),
      port: z.number().int().min(0).max(65535).default(4400),
      /**
       * How long new connections are still taken after SIGTERM, while /readyz says that this broker is about
       * to end.
       */
      drain_seconds: z.number().int().min(0).max(60).default(0),
    })
    .prefault({}),
  /**
   * Proxies in front, as addresses or networks: from these alone X-Forwarded-For is believed, for the
   * client's address.
   */
  trusted_proxies: z
    .array(z.string().refine(isNetwork, "write an IP address, or a network such as 10.0.0.0/8 or fd00::/8"))
    .default([]),
  /**
   * Hosts on loopback or private networks that a client's address may name to be told of sign-outs, each with
   * its port.
   */
  private_hosts: z
    .array(
      z
        .string()
        .refine(
          isHostAndPort,
          "write host and port as the address has them, such as portal.internal:443 or [::1]:8080",
        ),
    )
    .default([]),
  /** 32 random bytes, base64 or base64url. Everything secret in the store is encrypted under it. */
  encryption_key: z
    .string()
    .refine(
      (value) => Buffer.from(value, "base64").length === 32,
      "write 32 random bytes in base64 (openssl rand -base64 32)",
    ),
  storage: storage.prefault({}),
  deployment: z.strictObject({
    name: z.string().min(1),
    support_email: emailAddress,
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
  mail: mailSchema,
  linking,
  limits,
  sessions: z
    .strictObject({
      idle_seconds: seconds.max(longestCookieSeconds).default(3600),
      absolute_seconds: seconds.max(longestCookieSeconds).default(12 * 3600),
    })
    .prefault({}),
  tokens: z
    .strictObject({
      authorization_code_seconds: seconds.max(600).default(60),
      access_token_seconds: seconds.default(300),
      id_token_seconds: seconds.default(300),
      refresh_token_seconds: seconds.default(14 * 24 * 3600),
    })
    .prefault({}),
  administration: z
    .strictObject({
      /** For how many days audit events are kept; null: for ever. */
      audit_retention_days: z.number().int().min(1).max(36_500).nullable().default(null),
      /** How long a client's secret goes on when it is given a new one. */
      secret_overlap_seconds: seconds.max(90 * 86_400).default(7 * 86_400),
      /** Through which upstreams people sign in to the pages; empty: any. */
      upstreams: z.array(id).default([]),
      /** One of these must be the `acr` of the upstream's ID token; empty: none is asked for. */
      acr_values: z.array(claimValue).default([]),
      /** All of these must be among its `amr`. */
      amr_values: z.array(claimValue).default([]),
    })
    .prefault({}),
  upstreams: z
    .array(upstream)
    .min(1, "declare at least one upstream")
    .superRefine(uniqueIds, evenIfOtherwiseFaulty),
  portals: z.array(portal).superRefine(uniqueIds, evenIfOtherwiseFaulty).default([]),
  log: z
    .strictObject({
      level: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
    })
    .prefault({}),
});

export const configSchema = wholeSchema.superRefine(knownUpstreams, evenIfOtherwiseFaulty);

/** Nobody could sign in to the administration through an upstream that there isn't. */
function knownUpstreams(
  { administration, upstreams }: z.infer<typeof wholeSchema>,
  context: z.RefinementCtx,
): void {
  const [named, declared]: unknown[] = [administration?.upstreams, upstreams];
  if (!Array.isArray(named) || !Array.isArray(declared)) return;
  const ids = declared.map((entry) => (entry as { id?: unknown } | null)?.id);
  for (const [index, one] of named.entries()) {
    if (ids.includes(one)) continue;
    context.addIssue({
      code: "custom",
      path: ["administration", "upstreams", index],
      message: "no entry of upstreams has this id",
    });
  }
}

/** A configuration, its `…_seconds` told from what counts milliseconds. */
export type Config = InSeconds<z.infer<typeof configSchema>>;

type InSeconds<T> = T extends readonly (infer Item)[]
  ? InSeconds<Item>[]
  : T extends object
    ? { [Key in keyof T]: Key extends `${string}_seconds` ? AsSeconds<T[Key]> : InSeconds<T[Key]> }
    : T;

type AsSeconds<T> = T extends number
  ? Seconds
  : T extends object
    ? { [Key in keyof T]: AsSeconds<T[Key]> }
    : T;
export type LimitConfig = Config["limits"]["mails"];
export type UpstreamConfig = Config["upstreams"][number];
export type PortalConfig = Config["portals"][number];
