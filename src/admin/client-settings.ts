/**
 * All that a developer is to enter where a client is set up at its portal, and recipes with it filled in:
 * the one definition that the API, the commands and the console show. A secret is in it only where it was
 * just made.
 */

import { stringify } from "yaml";
import type { z } from "zod";
import { settingsOf } from "../domain/client-metadata.ts";
import type { ClientSettings as Settings } from "../domain/client-settings.ts";
import type { Client } from "../domain/records.ts";
import { discoveryUrl, endpointsOf } from "../oidc/endpoints.ts";
import { exampleClaims } from "../oidc/example-claims.ts";
import type { settingsOutput } from "./definitions/client-settings.ts";
import { InputError } from "./operation.ts";
import {
  fittingRedirect,
  needsOf,
  type Recipe,
  type RecipeValues,
  type Registered,
} from "./recipes/recipe.ts";
import { recipesFor } from "./recipes/recipes.ts";

/** What stands for a secret that isn't shown, by who keeps the client. */
export const SECRET_STAND_INS = {
  admin: "THE-SECRET-THAT-WAS-SHOWN-ONCE",
  config: "THE-SECRET-IN-THE-CONFIGURATION",
} as const;

export type ClientSettings = z.output<typeof settingsOutput>;

/** @throws InputError for a recipe that isn't for an app of this kind */
export function checkRecipe({ preset }: Pick<Settings, "preset">, wanted: string | undefined): void {
  const fitting = recipesFor(preset).map(({ name }) => name);
  if (wanted === undefined || fitting.includes(wanted)) return;
  const instead =
    fitting.length === 0 ? "there is no recipe for an app of this kind" : `choose ${fitting.join(", ")}`;
  throw new InputError([{ field: "for", problem: `this recipe isn't for an app of this kind: ${instead}` }]);
}

/**
 * The settings of a client.
 * @param secret the one that was just made, or null
 * @param recipe the one recipe that is wanted, or undefined for all that fit
 */
export function clientSettings(
  client: Client,
  { issuer, secret, recipe }: { issuer: string; secret: string | null; recipe?: string | undefined },
): ClientSettings {
  const app = settingsOf(client);
  const isMachine = app.preset === "machine";
  const facts = isMachine
    ? machineFacts(client, app, { issuer, secret })
    : portalFacts(client, app, { issuer, secret });
  const values = valuesOf(client, app, { issuer, secret });
  const registered = registeredOf(app);
  return {
    ...facts,
    claims: isMachine
      ? null
      : exampleClaims({
          issuer,
          clientId: client.id,
          claimsInIdToken: client.claimsInIdToken,
          hasSid: client.metadata["backchannel_logout_session_required"] === true,
        }),
    text: asText({ ...facts, client_secret: shownSecret(client, secret) }),
    recipes: recipesFor(app.preset)
      .filter(({ name }) => recipe === undefined || name === recipe)
      .map((one) => written(one, values, registered)),
  };
}

type Facts = Omit<ClientSettings, "claims" | "text" | "recipes">;

interface Circumstances {
  issuer: string;
  secret: string | null;
}

const signInScope = "openid profile email organization";

function portalFacts(client: Client, app: Settings, { issuer, secret }: Circumstances): Facts {
  const isPublic = client.secret === null;
  const endpoints = endpointsOf(issuer);
  const { pushed_authorization_request_endpoint: pushed, ...others } = endpoints;
  const authMethod = app.token_endpoint_auth_method;
  const scope = `${signInScope}${app.refresh_tokens ? " offline_access" : ""}`;
  return {
    issuer,
    client_id: client.id,
    discovery: discoveryUrl(issuer),
    client_secret: secret,
    token_endpoint_auth_method: authMethod,
    ...others,
    // Pushed requests are for clients that can authenticate.
    pushed_authorization_request_endpoint: isPublic ? null : pushed,
    redirect_uris: app.redirect_uris,
    post_logout_redirect_uris: app.post_logout_redirect_uris,
    initiate_login_uri: app.initiate_login_uri,
    backchannel_logout_uri: app.backchannel_logout_uri,
    backchannel_logout_session_required: app.backchannel_logout_session_required,
    response_types: ["code"],
    grant_types: ["authorization_code", ...(app.refresh_tokens ? ["refresh_token"] : [])],
    scope,
    pkce_required: app.pkce_required,
    code_challenge_methods: ["S256"],
    id_token_signed_response_alg: app.id_token_signed_response_alg,
    claims_in_id_token: client.claimsInIdToken,
    send: requestsOf(client, app),
  };
}

/** What a portal sends with each of its requests, as an example. */
function requestsOf(client: Client, app: Settings): Facts["send"] {
  const authentication = authenticationOf(client.id, app.token_endpoint_auth_method);
  const [redirectUri = ""] = app.redirect_uris;
  const [afterSignOut] = app.post_logout_redirect_uris;
  return {
    authorization_request: {
      response_type: "code",
      client_id: client.id,
      redirect_uri: redirectUri,
      scope: signInScope,
      state: "<random; the answer's must be the same>",
      nonce: "<random; the ID token's must be the same>",
      code_challenge: "<base64url of the SHA-256 of code_verifier>",
      code_challenge_method: "S256",
    },
    token_request: {
      ...authentication,
      grant_type: "authorization_code",
      code: "<of the answer, whose iss must be the issuer>",
      redirect_uri: redirectUri,
      code_verifier: "<random, of 43 to 128 characters>",
    },
    refresh_request: app.refresh_tokens
      ? {
          ...authentication,
          grant_type: "refresh_token",
          refresh_token: "<the last one: each is taken once, and brings the next>",
        }
      : null,
    userinfo_request: { Authorization: "Bearer <access token>" },
    sign_out: {
      id_token_hint: "<ID token>",
      ...(afterSignOut === undefined
        ? {}
        : {
            post_logout_redirect_uri: afterSignOut,
            state: "<random; comes back with it>",
          }),
    },
  };
}

function machineFacts(client: Client, app: Settings, { issuer, secret }: Circumstances): Facts {
  const endpoints = endpointsOf(issuer);
  const authMethod = app.token_endpoint_auth_method;
  return {
    issuer,
    client_id: client.id,
    discovery: discoveryUrl(issuer),
    client_secret: secret,
    token_endpoint_auth_method: authMethod,
    ...endpoints,
    authorization_endpoint: null,
    userinfo_endpoint: null,
    end_session_endpoint: null,
    pushed_authorization_request_endpoint: null,
    redirect_uris: [],
    post_logout_redirect_uris: [],
    initiate_login_uri: null,
    backchannel_logout_uri: null,
    backchannel_logout_session_required: false,
    response_types: [],
    grant_types: ["client_credentials"],
    scope: app.scopes.join(" "),
    pkce_required: false,
    code_challenge_methods: [],
    id_token_signed_response_alg: null,
    claims_in_id_token: false,
    send: {
      authorization_request: null,
      token_request: {
        ...authenticationOf(client.id, authMethod),
        grant_type: "client_credentials",
        scope: app.scopes.join(" "),
      },
      refresh_request: null,
      userinfo_request: null,
      sign_out: null,
    },
  };
}

/** How a client says who it is at the token endpoint (RFC 6749, section 2.3.1). */
function authenticationOf(clientId: string, authMethod: string): Record<string, string> {
  if (authMethod === "client_secret_basic")
    return { Authorization: `Basic <base64 of ${clientId}:client_secret>` };
  return { client_id: clientId, ...(authMethod === "none" ? {} : { client_secret: "<client_secret>" }) };
}

function valuesOf(client: Client, app: Settings, { issuer, secret }: Circumstances): RecipeValues {
  return {
    issuer,
    discovery: discoveryUrl(issuer),
    endpoints: endpointsOf(issuer),
    clientId: client.id,
    secret: shownSecret(client, secret),
    authMethod:
      app.token_endpoint_auth_method === "client_secret_post" ? "client_secret_post" : "client_secret_basic",
    idTokenAlg: app.id_token_signed_response_alg,
    scope: signInScope,
    redirectUri: app.redirect_uris[0] ?? "",
    postLogoutRedirectUri: app.post_logout_redirect_uris[0] ?? null,
    apiScopes: app.scopes,
  };
}

function registeredOf(app: Settings): Registered {
  return {
    redirectUris: app.redirect_uris,
    postLogoutRedirectUris: app.post_logout_redirect_uris,
    pkceRequired: app.pkce_required,
    claimsInIdToken: app.claims_in_id_token,
    idTokenAlg: app.id_token_signed_response_alg,
  };
}

function written(
  recipe: Recipe,
  values: RecipeValues,
  registered: Registered,
): ClientSettings["recipes"][number] {
  const redirectUri = fittingRedirect(recipe, registered.redirectUris) ?? values.redirectUri;
  const files = recipe.files({ ...values, redirectUri });
  return { name: recipe.name, title: recipe.title, needs: needsOf(recipe, registered), files };
}

/** The secret that was just made, or what stands for the one that a client has; null for none. */
function shownSecret({ secret, managedBy }: Client, made: string | null): string | null {
  return secret === null ? null : (made ?? SECRET_STAND_INS[managedBy]);
}

/** What there is, as YAML; what isn't is left out. */
function asText(facts: Facts): string {
  return stringify(present(facts), { lineWidth: 0 }).trimEnd();
}

/** Without what is null or empty, also within. */
function present(value: object): object {
  const known = Object.entries(value).filter(
    ([, one]) => one !== null && one !== "" && !(Array.isArray(one) && one.length === 0),
  );
  const isPlain = (one: unknown): one is object =>
    typeof one === "object" && one !== null && !Array.isArray(one);
  return Object.fromEntries(known.map(([name, one]) => [name, isPlain(one) ? present(one) : one]));
}
