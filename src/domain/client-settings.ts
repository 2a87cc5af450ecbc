/**
 * The settings of a client: the one definition of what they are called, what they take, and what a client has
 * that nobody says otherwise of. The configuration, the administration's API, the commands and the pages are
 * made from it; what a client is stored with is client-metadata.ts's. Names are those of OpenID Connect
 * client metadata where it has one.
 */

import { z } from "zod";
import { clientUriProblem, pageUriProblem } from "./client-uri.ts";
import type { OrganizationKind } from "./records.ts";

/**
 * web: a server keeps a secret · single_page: a browser, which can't · native: an app on a device, which
 * can't either · machine: no person signs in (client credentials), for the administration's own API.
 */
export const PRESETS = ["web", "single_page", "native", "machine"] as const;
export type Preset = (typeof PRESETS)[number];

/** Those to which people sign in. */
export const PORTAL_PRESETS = ["web", "single_page", "native"] as const satisfies readonly Preset[];

/** How a client can be registered to authenticate (OpenID Connect Core 1.0, section 9). */
export const CLIENT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"] as const;
type ClientAuthMethod = (typeof CLIENT_AUTH_METHODS)[number];

/** Whether a client of a preset keeps a secret. */
export const hasSecret = (preset: Preset) => preset === "web" || preset === "machine";

/**
 * RFC 3986: what else there is stands percent-encoded, a domain as its A-label. What more is asked of it, no
 * pattern says.
 */
const address = (problemOf: (value: string) => string | undefined) =>
  z
    .string()
    .max(2000, "write at most 2000 characters")
    .superRefine((value, context) => {
      const problem = problemOf(value);
      if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
    })
    .meta({ format: "uri", pattern: "^[\\x21-\\x7e]*$" });
const portalUri = address(clientUriProblem);
const pageUri = address(pageUriProblem);
const uris = z.array(portalUri).max(100, "name at most 100");

const kinds = ["customer", "partner", "operator"] as const satisfies readonly OrganizationKind[];

/**
 * What each setting takes, whichever face it is said by. `name` is every record's; `preset` is chosen once;
 * see `scopes` below.
 */
export const settingShapes = {
  home_url: pageUri.meta({ description: "Where people start." }),
  about_url: pageUri.nullable().meta({ description: "Where people read about it." }),
  redirect_uris: uris.meta({ description: "Where people are sent after signing in." }),
  post_logout_redirect_uris: uris.meta({ description: "Where people may be sent after signing out." }),
  initiate_login_uri: pageUri.nullable().meta({ description: "Where a sign-in can be begun for it." }),
  backchannel_logout_uri: portalUri.nullable().meta({
    description:
      "Where logout tokens are posted. On loopback or a private network only if the configuration names " +
      "host and port under private_hosts.",
  }),
  backchannel_logout_session_required: z.boolean().meta({
    description: "Whether logout tokens name the session (sid) beside the person.",
  }),
  token_endpoint_auth_method: z.enum(CLIENT_AUTH_METHODS).meta({
    description: "How it shows its secret; none for a client that has none.",
  }),
  id_token_signed_response_alg: z.enum(["RS256", "ES256"]).meta({
    description: "By which algorithm its ID tokens are signed.",
  }),
  claims_in_id_token: z.boolean().meta({ description: "Whether its ID tokens hold the claims, too." }),
  refresh_tokens: z.boolean().meta({ description: "Whether it is given refresh tokens." }),
  listed: z.boolean().meta({
    description:
      "Whether pages that anybody can open name it. Where a person's profile opens it, they do in any case.",
  }),
  pkce_required: z.boolean().meta({
    description:
      "Whether each sign-in needs PKCE (S256). A client with a secret that can't do it may be exempted.",
  }),
  access_policy: z.strictObject({
    kinds: z.array(z.enum(kinds)).min(1, "name at least one kind of organization").max(3),
    plan_required: z.boolean().default(false),
    roles: z.array(z.string().min(1).max(128)).max(50).default([]),
  }),
};

type Shaped = { [Name in keyof typeof settingShapes]: z.output<(typeof settingShapes)[Name]> };

/** Everything that somebody decides of a client. */
export interface ClientSettings extends Shaped {
  preset: Preset;
  name: string;
  /** Scopes of the administration's API, of a machine. */
  scopes: string[];
}

/** What can be said of a client whenever it is edited. */
export type SettingName = Exclude<keyof ClientSettings, "preset">;

/** What a client of a preset has where nobody says otherwise. */
export function defaultSettings(preset: Preset): Omit<ClientSettings, "name" | "access_policy"> {
  return {
    preset,
    home_url: "",
    about_url: null,
    redirect_uris: [],
    post_logout_redirect_uris: [],
    initiate_login_uri: null,
    backchannel_logout_uri: null,
    backchannel_logout_session_required: true,
    token_endpoint_auth_method: hasSecret(preset) ? "client_secret_basic" : "none",
    id_token_signed_response_alg: "RS256",
    claims_in_id_token: false,
    refresh_tokens: true,
    listed: true,
    pkce_required: true,
    scopes: [],
  };
}

/** What a machine is asked for. */
const OF_MACHINES = [
  "name",
  "token_endpoint_auth_method",
  "scopes",
] as const satisfies readonly SettingName[];

/** What somebody who registers a client of a preset is asked for. */
export function settingNames(preset: Preset): readonly SettingName[] {
  if (preset === "machine") return OF_MACHINES;
  return ["name", ...(Object.keys(settingShapes) as (keyof typeof settingShapes)[])];
}

/** What a machine has no place for: it is about people who sign in. */
const OF_PORTALS = [
  "home_url",
  "about_url",
  "redirect_uris",
  "post_logout_redirect_uris",
  "initiate_login_uri",
  "backchannel_logout_uri",
  "backchannel_logout_session_required",
  "id_token_signed_response_alg",
  "claims_in_id_token",
  "listed",
  "pkce_required",
] as const satisfies readonly SettingName[];

export interface SettingFault {
  field: SettingName;
  problem: string;
}

/** What a client lacks, or has that its preset can't. Addresses are judged one by one, by their shapes. */
export function settingFaults(settings: ClientSettings): SettingFault[] {
  const { preset, redirect_uris, home_url, scopes } = settings;
  const faults = authenticationFaults(settings);
  if (preset === "machine") {
    const usual = defaultSettings(preset);
    const odd = OF_PORTALS.filter((name) => JSON.stringify(settings[name]) !== JSON.stringify(usual[name]));
    faults.push(...odd.map((field) => ({ field, problem: "a machine has none: nobody signs in to it" })));
    if (scopes.length === 0) faults.push({ field: "scopes", problem: "name at least one" });
    return faults;
  }
  if (redirect_uris.length === 0) faults.push({ field: "redirect_uris", problem: "name at least one" });
  if (home_url === "") faults.push({ field: "home_url", problem: "write where people start" });
  if (scopes.length > 0) faults.push({ field: "scopes", problem: "only a machine has scopes of this API" });
  return faults;
}

/** What doesn't go together of how a client shows who it is. Values may be unchecked ones. */
export function authenticationFaults({
  preset,
  token_endpoint_auth_method: method,
  pkce_required,
}: Pick<ClientSettings, "preset" | "token_endpoint_auth_method" | "pkce_required">): SettingFault[] {
  const faults: SettingFault[] = [];
  const keepsSecret = hasSecret(preset);
  if (keepsSecret && method === "none") {
    const problem =
      `${preset} has a secret to show: client_secret_basic or client_secret_post; what can't keep one is ` +
      "single_page or native";
    faults.push({ field: "token_endpoint_auth_method", problem });
  }
  if (!keepsSecret && method !== "none") {
    faults.push({ field: "token_endpoint_auth_method", problem: `${preset} keeps no secret: none` });
  }
  if (!keepsSecret && pkce_required === false) {
    const problem = "only a client with a secret can be exempted (RFC 9700, section 2.1.1)";
    faults.push({ field: "pkce_required", problem });
  }
  return faults;
}

/** Preset and authentication of a client, where one may say the other. Values may be unchecked ones. */
export function authenticationOf({
  preset,
  token_endpoint_auth_method: method,
}: {
  preset?: Preset | undefined;
  token_endpoint_auth_method?: ClientAuthMethod | undefined;
}): Pick<ClientSettings, "preset" | "token_endpoint_auth_method"> {
  const known = PRESETS.find((one) => one === preset) ?? (method === "none" ? "single_page" : "web");
  return {
    preset: known,
    token_endpoint_auth_method: method ?? defaultSettings(known).token_endpoint_auth_method,
  };
}
