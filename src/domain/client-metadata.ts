/** A client's settings as the OpenID Connect client metadata that it is stored with, and back. */

import { type ClientSettings, defaultSettings, type Preset } from "./client-settings.ts";
import { isListed } from "./portal.ts";
import type { Client } from "./records.ts";

/** What of a client is no setting: what it is called by, what it keeps secret, and who may change it. */
type ClientIdentity = Pick<Client, "id" | "secret" | "previousSecret" | "managedBy">;

/**
 * A client of these settings. What is as it is by default isn't written down: it changes with the default.
 */
export function clientOf(
  settings: ClientSettings,
  { id, secret, previousSecret, managedBy }: ClientIdentity,
): Client {
  const { kinds, plan_required: planRequired, roles } = settings.access_policy;
  return {
    id,
    secret,
    previousSecret,
    managedBy,
    name: settings.name,
    homeUrl: settings.home_url,
    aboutUrl: settings.about_url,
    policy: { kinds, planRequired, roles },
    claimsInIdToken: settings.claims_in_id_token,
    metadata: settings.preset === "machine" ? machineMetadata(settings) : portalMetadata(settings),
  };
}

function machineMetadata({ scopes, token_endpoint_auth_method }: ClientSettings): Client["metadata"] {
  return {
    redirect_uris: [],
    response_types: [],
    grant_types: ["client_credentials"],
    scope: scopes.join(" "),
    token_endpoint_auth_method,
  };
}

function portalMetadata(settings: ClientSettings): Client["metadata"] {
  const { initiate_login_uri, backchannel_logout_uri, backchannel_logout_session_required } = settings;
  const { id_token_signed_response_alg, listed, pkce_required } = settings;
  const usual = defaultSettings(settings.preset);
  const isTold = backchannel_logout_uri !== null;
  return {
    redirect_uris: settings.redirect_uris,
    post_logout_redirect_uris: settings.post_logout_redirect_uris,
    grant_types: ["authorization_code", ...(settings.refresh_tokens ? ["refresh_token"] : [])],
    token_endpoint_auth_method: settings.token_endpoint_auth_method,
    ...(settings.preset === "native" ? { application_type: "native" } : {}),
    ...(initiate_login_uri === null ? {} : { initiate_login_uri }),
    ...(isTold ? { backchannel_logout_uri } : {}),
    ...(isTold || !backchannel_logout_session_required ? { backchannel_logout_session_required } : {}),
    ...(id_token_signed_response_alg === usual.id_token_signed_response_alg
      ? {}
      : { id_token_signed_response_alg }),
    ...(listed ? {} : { listed }),
    ...(pkce_required ? {} : { pkce_required }),
  };
}

/** The settings of a client. */
export function settingsOf({
  name,
  homeUrl,
  aboutUrl,
  policy,
  claimsInIdToken,
  metadata,
}: Client): ClientSettings {
  const preset = presetOf(metadata);
  const usual = defaultSettings(preset);
  const method = metadata["token_endpoint_auth_method"];
  return {
    preset,
    name,
    home_url: homeUrl,
    about_url: aboutUrl,
    redirect_uris: texts(metadata["redirect_uris"]),
    post_logout_redirect_uris: texts(metadata["post_logout_redirect_uris"]),
    initiate_login_uri: text(metadata["initiate_login_uri"]),
    backchannel_logout_uri: text(metadata["backchannel_logout_uri"]),
    backchannel_logout_session_required: metadata["backchannel_logout_session_required"] !== false,
    token_endpoint_auth_method: method === "client_secret_post" ? method : usual.token_endpoint_auth_method,
    id_token_signed_response_alg: metadata["id_token_signed_response_alg"] === "ES256" ? "ES256" : "RS256",
    claims_in_id_token: claimsInIdToken,
    refresh_tokens: texts(metadata["grant_types"]).includes("refresh_token"),
    listed: isListed({ metadata }),
    pkce_required: metadata["pkce_required"] !== false,
    access_policy: { kinds: [...policy.kinds], plan_required: policy.planRequired, roles: [...policy.roles] },
    scopes: (text(metadata["scope"]) ?? "").split(" ").filter((scope) => scope !== ""),
  };
}

function presetOf(metadata: Client["metadata"]): Preset {
  if (texts(metadata["grant_types"]).includes("client_credentials")) return "machine";
  if (metadata["token_endpoint_auth_method"] !== "none") return "web";
  return metadata["application_type"] === "native" ? "native" : "single_page";
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
