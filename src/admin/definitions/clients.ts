/** Client apps: listed, registered, edited, removed; their secrets rotated. */

import { z } from "zod";
import { type ClientSettings, PRESETS, settingShapes } from "../../domain/client-settings.ts";
import { ALL_SCOPES } from "../scopes.ts";
import { recipeChoice, settingsOutput } from "./client-settings.ts";
import { dateOf, define } from "./definition.ts";
import { anyId, instant, kind, listOf, name, newId, nothing } from "./fields.ts";

/** What is typed of a client, when registering one and when editing it. */
const fields = {
  name: name.optional(),
  ...z.object(settingShapes).partial().shape,
  scopes: z
    .array(z.enum(ALL_SCOPES))
    .max(20)
    .optional()
    .meta({ description: "Scopes of this API, of a machine." }),
};

/** Its settings as they are: what was registered under looser rules is shown, too. */
const settings = {
  preset: z.enum(PRESETS),
  name: z.string(),
  home_url: z.string(),
  about_url: z.string().nullable(),
  redirect_uris: z.array(z.string()),
  post_logout_redirect_uris: z.array(z.string()),
  initiate_login_uri: z.string().nullable(),
  backchannel_logout_uri: z.string().nullable(),
  backchannel_logout_session_required: z.boolean(),
  token_endpoint_auth_method: settingShapes.token_endpoint_auth_method,
  id_token_signed_response_alg: settingShapes.id_token_signed_response_alg,
  claims_in_id_token: z.boolean(),
  refresh_tokens: z.boolean(),
  listed: z.boolean(),
  pkce_required: z.boolean(),
  access_policy: z.strictObject({
    kinds: z.array(kind),
    plan_required: z.boolean(),
    roles: z.array(z.string()),
  }),
  scopes: z.array(z.string()),
} satisfies Record<keyof ClientSettings, z.ZodType>;

export const client = z.strictObject({
  id: anyId,
  ...settings,
  managed_by: z.enum(["config", "admin"]),
  previous_secret_until: instant
    .nullable()
    .meta({ description: "Until when the secret before the last one is taken." }),
  last_used_at: instant.nullable(),
  previous_secret_last_used_at: instant.nullable(),
  refused_addresses: z
    .array(
      z.strictObject({
        parameter: z.enum(["redirect_uri", "post_logout_redirect_uri"]),
        address: z.string(),
        at: instant,
      }),
    )
    .meta({
      description: "Addresses that came last with its client_id and aren't registered, newest first.",
    }),
});

export const clients = {
  list: define({
    name: "listClients",
    summary: "List client apps, those of the configuration first, with when each was used last.",
    scope: "admin:read",
    method: "GET",
    path: "/clients",
    input: z.strictObject({}),
    output: listOf(client),
    command: {
      name: "clients list",
      examples: ["liaison clients list", "liaison clients list --json"],
      columns: {
        id: (one) => one.id,
        name: (one) => one.name,
        preset: (one) => one.preset,
        admits: (one) => one.access_policy.kinds,
        managed: (one) => one.managed_by,
        "last used": (one) => dateOf(one.last_used_at),
      },
    },
  }),
  get: define({
    name: "getClient",
    summary: "Show a client app.",
    scope: "admin:read",
    method: "GET",
    path: "/clients/{id}",
    hasRevision: true,
    input: z.strictObject({ id: anyId }),
    output: client,
    command: { name: "clients show", operand: "id", examples: ["liaison clients show customersource"] },
  }),
  settings: define({
    name: "getClientSettings",
    summary: "Show what a developer of the client app needs: all settings, and recipes for common libraries.",
    scope: "admin:read",
    method: "GET",
    path: "/clients/{id}/settings",
    input: z.strictObject({ id: anyId, for: recipeChoice }),
    output: settingsOutput,
    command: {
      name: "clients settings",
      operand: "id",
      examples: [
        "liaison clients settings customersource",
        "liaison clients settings customersource --for openid-client",
      ],
    },
  }),
  impact: define({
    name: "getClientImpact",
    summary: "Say what would stop working if the client app were removed.",
    scope: "admin:read",
    method: "GET",
    path: "/clients/{id}/impact",
    input: z.strictObject({ id: anyId }),
    output: z.strictObject({
      sign_ins: z.int().meta({ description: "Sign-ins that it holds now, counted up to 10,000." }),
      last_used_at: instant.nullable(),
    }),
    command: { name: "clients impact", operand: "id", examples: ["liaison clients impact customersource"] },
  }),
  create: define({
    name: "createClient",
    summary: "Register a client app. Its secret, where it has one, is shown this once.",
    scope: "clients:write",
    method: "POST",
    path: "/clients",
    kind: "creates",
    input: z.strictObject({
      id: newId.optional(),
      preset: z.enum(PRESETS),
      ...fields,
      name,
      for: recipeChoice,
    }),
    output: client.extend({ client_secret: z.string().nullable(), settings: settingsOutput }),
    command: {
      name: "clients create",
      examples: [
        "liaison clients create --preset web --name CustomerSource --home-url " +
          "https://customers.contoso.example/ --redirect-uris https://customers.contoso.example/callback " +
          '--access-policy \'{"kinds":["customer"]}\'',
        "liaison clients create --preset machine --name crm-sync --scopes directory:write",
      ],
    },
  }),
  edit: define({
    name: "editClient",
    summary: "Edit a client app; what is left out stays. It holds from its next request on.",
    scope: "clients:write",
    method: "PATCH",
    path: "/clients/{id}",
    kind: "edits",
    input: z.strictObject({ id: anyId, ...fields }),
    output: client,
    command: {
      name: "clients edit",
      operand: "id",
      examples: ["liaison clients edit customersource --name 'CustomerSource 2'"],
    },
  }),
  rotateSecret: define({
    name: "rotateClientSecret",
    summary: "Give a client app a new secret, shown this once. The one before goes on for a while.",
    scope: "clients:write",
    method: "POST",
    path: "/clients/{id}/secret",
    kind: "creates",
    input: z.strictObject({
      id: anyId,
      keep_previous: z
        .boolean()
        .default(true)
        .meta({ description: "Whether the one before goes on for a while." }),
      for: recipeChoice,
    }),
    output: z.strictObject({
      id: anyId,
      client_secret: z.string(),
      previous_secret_until: instant.nullable(),
      settings: settingsOutput,
    }),
    command: { name: "clients rotate", operand: "id", examples: ["liaison clients rotate customersource"] },
  }),
  remove: define({
    name: "deleteClient",
    summary: "Remove a client app: every sign-in it holds ends, and nobody can sign in to it any more.",
    scope: "clients:write",
    method: "DELETE",
    path: "/clients/{id}",
    input: z.strictObject({ id: anyId }),
    output: nothing,
    command: {
      name: "clients remove",
      operand: "id",
      examples: ["liaison clients remove customersource"],
      done: "Removed.",
    },
  }),
};
