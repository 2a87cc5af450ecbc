/** Client apps as administrators register them: a few presets over OIDC client metadata. */

import type { AccessPolicy, Client } from "../storage/records.ts";

/**
 * web: a server keeps a secret · single_page: a browser, which can't · native: an app on a device, which can't either · machine:
 * no person signs in (client credentials), for the administration's own API.
 */
export const PRESETS = ["web", "single_page", "native", "machine"] as const;
export type Preset = (typeof PRESETS)[number];

/** What a client app is registered with. */
export interface ClientApp {
  id: string;
  preset: Preset;
  name: string;
  homeUrl: string;
  aboutUrl: string | null;
  redirectUris: string[];
  postLogoutRedirectUris: string[];
  initiateLoginUri: string | null;
  backchannelLogoutUri: string | null;
  refreshTokens: boolean;
  claimsInIdToken: boolean;
  policy: AccessPolicy;
  /** Scopes of the administration's API, of a machine. */
  scopes: string[];
}

export const hasSecret = (preset: Preset) => preset === "web" || preset === "machine";

/** A client of a client app; its secrets stay those given. */
export function toClient(
  app: ClientApp,
  { secret, previousSecret }: Pick<Client, "secret" | "previousSecret">,
): Client {
  const { id, name, homeUrl, aboutUrl, policy, claimsInIdToken } = app;
  const secrets = { secret, previousSecret };
  const common = { id, name, homeUrl, aboutUrl, policy, claimsInIdToken, managedBy: "admin" as const, ...secrets };
  if (app.preset === "machine") {
    return {
      ...common,
      metadata: {
        ...{ redirect_uris: [], response_types: [], grant_types: ["client_credentials"], scope: app.scopes.join(" ") },
        token_endpoint_auth_method: "client_secret_basic",
      },
    };
  }
  const { initiateLoginUri, backchannelLogoutUri } = app;
  return {
    ...common,
    metadata: {
      redirect_uris: app.redirectUris,
      post_logout_redirect_uris: app.postLogoutRedirectUris,
      grant_types: ["authorization_code", ...(app.refreshTokens ? ["refresh_token"] : [])],
      token_endpoint_auth_method: app.preset === "web" ? "client_secret_basic" : "none",
      ...(app.preset === "native" ? { application_type: "native" } : {}),
      ...(initiateLoginUri === null ? {} : { initiate_login_uri: initiateLoginUri }),
      ...(backchannelLogoutUri === null
        ? {}
        : { backchannel_logout_uri: backchannelLogoutUri, backchannel_logout_session_required: true }),
    },
  };
}

/** What a client was registered with. */
export function toApp({ id, name, homeUrl, aboutUrl, policy, claimsInIdToken, metadata }: Client): ClientApp {
  return {
    ...{ id, name, homeUrl, aboutUrl, policy, claimsInIdToken, preset: presetOf(metadata) },
    redirectUris: texts(metadata["redirect_uris"]),
    postLogoutRedirectUris: texts(metadata["post_logout_redirect_uris"]),
    initiateLoginUri: text(metadata["initiate_login_uri"]),
    backchannelLogoutUri: text(metadata["backchannel_logout_uri"]),
    refreshTokens: texts(metadata["grant_types"]).includes("refresh_token"),
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
