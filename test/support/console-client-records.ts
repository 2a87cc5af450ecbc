/** Client apps in a flavour's names, and what their developers are shown: for samples of console pages. */

import type { ClientView, SettingsView } from "../../src/ui/console/views.ts";
import { ACCOUNT_ID, EARLIER, LONG_ID, SOME_TIME } from "./console-records.ts";
import type { Flavour } from "./page-flavours.ts";

export function clientsOf(data: Flavour): ClientView[] {
  const client: ClientView = {
    id: data.portal.id,
    preset: "web",
    name: data.portal.name,
    home_url: data.portal.homeUrl,
    about_url: data.portal.aboutUrl,
    redirect_uris: ["https://portal1.example/signin-oidc", `http://localhost:3000/${"callback/".repeat(12)}`],
    post_logout_redirect_uris: ["https://portal1.example/signout-callback-oidc"],
    initiate_login_uri: "https://portal1.example/login",
    backchannel_logout_uri: "https://portal1.example/backchannel-logout",
    backchannel_logout_session_required: true,
    token_endpoint_auth_method: "client_secret_basic",
    id_token_signed_response_alg: "RS256",
    claims_in_id_token: false,
    refresh_tokens: true,
    listed: true,
    pkce_required: true,
    access_policy: { kinds: ["customer", "partner"], plan_required: true, roles: ["buyer", "report-reader"] },
    scopes: [],
    managed_by: "admin",
    previous_secret_until: SOME_TIME,
    last_used_at: SOME_TIME,
    previous_secret_last_used_at: EARLIER,
    refused_addresses: [
      { parameter: "redirect_uri", address: `https://portal1.example/${"wrong/".repeat(20)}`, at: SOME_TIME },
      { parameter: "post_logout_redirect_uri", address: "https://portal1.example/bye", at: SOME_TIME },
    ],
  };
  const machine: ClientView = {
    ...client,
    id: LONG_ID,
    preset: "machine",
    scopes: ["admin:read", "directory:write", "links:write"],
    redirect_uris: [],
    last_used_at: null,
    refused_addresses: [],
  };
  return [client, machine];
}

export function settingsOf(data: Flavour): SettingsView {
  const endpoint = (path: string) => `https://signin.contoso.example/auth/${path}`;
  const send = { grant_type: "authorization_code" };
  return {
    issuer: "https://signin.contoso.example/auth",
    client_id: data.portal.id,
    discovery: endpoint(".well-known/openid-configuration"),
    client_secret: null,
    token_endpoint_auth_method: "client_secret_basic",
    authorization_endpoint: endpoint("authorize"),
    token_endpoint: endpoint("token"),
    userinfo_endpoint: endpoint("userinfo"),
    jwks_uri: endpoint("jwks"),
    end_session_endpoint: endpoint("session/end"),
    revocation_endpoint: endpoint("revoke"),
    introspection_endpoint: endpoint("introspect"),
    pushed_authorization_request_endpoint: endpoint("par"),
    redirect_uris: ["https://portal1.example/signin-oidc"],
    post_logout_redirect_uris: [],
    initiate_login_uri: null,
    backchannel_logout_uri: null,
    backchannel_logout_session_required: true,
    response_types: ["code"],
    grant_types: ["authorization_code", "refresh_token"],
    scope: "openid profile email offline_access",
    pkce_required: true,
    code_challenge_methods: ["S256"],
    id_token_signed_response_alg: "RS256",
    claims_in_id_token: false,
    send: {
      authorization_request: send,
      token_request: send,
      refresh_request: null,
      userinfo_request: null,
      sign_out: null,
    },
    claims: { id_token: { sub: ACCOUNT_ID }, userinfo: { sub: ACCOUNT_ID, name: data.who } },
    text: `issuer: ${endpoint("")}\nclient_id: ${data.portal.id}\njwks_uri: ${endpoint("jwks")}`,
    recipes: [
      {
        name: "openid-client",
        title: "openid-client for Node",
        needs: [{ setting: "refresh_tokens", value: "true", why: "it renews its session" }],
        files: [
          {
            file: "portal.mjs",
            text: `const issuer = "https://signin.contoso.example/auth"; // ${data.who}`,
          },
        ],
      },
    ],
  };
}
