/** What a developer of a client is told: all its settings, and recipes for common libraries. */

import { z } from "zod";
import { RECIPE_NAMES } from "../recipes/recipes.ts";
import { anyId } from "./fields.ts";

/**
 * What is sent with each request of a sign-in. A value in angle brackets is made anew each time, or was got
 * before.
 */
const request = z.record(z.string(), z.string());
const claims = z.record(z.string(), z.unknown());

export const settingsOutput = z.strictObject({
  issuer: z.string(),
  client_id: anyId,
  discovery: z.string(),
  client_secret: z
    .string()
    .nullable()
    .meta({ description: "Where it was just made; it is shown this once." }),
  token_endpoint_auth_method: z.string(),
  authorization_endpoint: z.string().nullable(),
  token_endpoint: z.string(),
  userinfo_endpoint: z.string().nullable(),
  jwks_uri: z.string(),
  end_session_endpoint: z.string().nullable(),
  revocation_endpoint: z.string(),
  introspection_endpoint: z.string(),
  pushed_authorization_request_endpoint: z.string().nullable(),
  redirect_uris: z.array(z.string()),
  post_logout_redirect_uris: z.array(z.string()),
  initiate_login_uri: z.string().nullable(),
  backchannel_logout_uri: z.string().nullable(),
  backchannel_logout_session_required: z.boolean(),
  response_types: z.array(z.string()),
  grant_types: z.array(z.string()),
  scope: z.string().meta({ description: "What it may ask for." }),
  pkce_required: z.boolean(),
  code_challenge_methods: z.array(z.string()),
  id_token_signed_response_alg: z.string().nullable(),
  claims_in_id_token: z.boolean(),
  send: z.strictObject({
    authorization_request: request.nullable(),
    token_request: request,
    refresh_request: request.nullable(),
    userinfo_request: request.nullable(),
    sign_out: request.nullable(),
  }),
  claims: z.strictObject({ id_token: claims, userinfo: claims }).nullable().meta({
    description: "All claims that it can be given, of somebody made up. Times are seconds since the epoch.",
  }),
  text: z
    .string()
    .meta({ description: "The same without claims and recipes, as YAML: to be copied as one." }),
  recipes: z.array(
    z.strictObject({
      name: z.string(),
      title: z.string(),
      needs: z
        .array(z.strictObject({ setting: z.string(), value: z.string(), why: z.string() }))
        .meta({ description: "What the client app isn't registered with yet, and must be." }),
      files: z.array(z.strictObject({ file: z.string(), text: z.string() })),
    }),
  ),
});

/** Which recipe is wanted alone. */
export const recipeChoice = z
  .enum(RECIPE_NAMES)
  .optional()
  .meta({ description: "The recipe to fill in, instead of all that fit." });
