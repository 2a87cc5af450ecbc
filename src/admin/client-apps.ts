/** Client apps as administrators register them: a few presets over OIDC client metadata, and what they mean for a developer. */

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

/** The settings of a client app as common stacks want them, to be copied; without the secret, which they read elsewhere. */
export function stackSettings(
  { id, preset, redirectUris: [redirectUri = ""], scopes }: ClientApp,
  issuer: string,
): { stack: string; settings: string }[] {
  if (preset === "machine") {
    const token = `curl -u '${id}:SECRET' -d grant_type=client_credentials -d scope='${scopes.join(" ")}' ${issuer}/token`;
    return [
      {
        stack: "curl",
        settings: `${token}\ncurl -H 'Authorization: Bearer TOKEN' ${issuer}/admin/api/v1/organizations`,
      },
    ];
  }
  const scope = "openid profile email organization";
  const secret = preset === "web";
  const lines = (...all: (string | false)[]) => all.filter((line) => line !== false).join("\n");
  const generic = {
    stack: "Any OpenID Connect library",
    settings: lines(
      `issuer: ${issuer}`,
      `client_id: ${id}`,
      secret && "client_secret: (shown once, when it was made)",
      `redirect_uri: ${redirectUri}`,
      `scope: ${scope}`,
      "response_type: code",
      "code_challenge_method: S256",
    ),
  };
  if (!secret) {
    const oidcClient = lines(
      "new UserManager({",
      `  authority: "${issuer}",`,
      `  client_id: "${id}",`,
      `  redirect_uri: "${redirectUri}",`,
      `  scope: "${scope}",`,
      "});",
    );
    return [generic, ...(preset === "single_page" ? [{ stack: "oidc-client-ts", settings: oidcClient }] : [])];
  }
  return [
    generic,
    {
      stack: "openid-client (Node.js)",
      settings: lines(
        `const config = await discovery(new URL("${issuer}"), "${id}", process.env.CLIENT_SECRET);`,
        "const url = buildAuthorizationUrl(config, {",
        `  redirect_uri: "${redirectUri}",`,
        `  scope: "${scope}",`,
        "  code_challenge: await calculatePKCECodeChallenge(verifier),",
        '  code_challenge_method: "S256",',
        "});",
      ),
    },
    {
      stack: "ASP.NET Core",
      settings: lines(
        `options.Authority = "${issuer}";`,
        `options.ClientId = "${id}";`,
        'options.ClientSecret = builder.Configuration["ClientSecret"];',
        'options.ResponseType = "code";',
        `// CallbackPath: the path of ${redirectUri}`,
        'foreach (var scope in new[] { "email", "organization" }) options.Scope.Add(scope);',
      ),
    },
    {
      stack: "Spring Boot",
      settings: lines(
        `spring.security.oauth2.client.provider.liaison.issuer-uri=${issuer}`,
        `spring.security.oauth2.client.registration.liaison.client-id=${id}`,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: Spring's own way to read its environment.
        "spring.security.oauth2.client.registration.liaison.client-secret=${CLIENT_SECRET}",
        `spring.security.oauth2.client.registration.liaison.redirect-uri=${redirectUri}`,
        "spring.security.oauth2.client.registration.liaison.scope=openid,profile,email,organization",
      ),
    },
    {
      stack: "Apache mod_auth_openidc",
      settings: lines(
        `OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration`,
        `OIDCClientID ${id}`,
        'OIDCClientSecret "exec:/bin/cat /etc/liaison-secret"',
        `OIDCRedirectURI ${redirectUri}`,
        `OIDCScope "${scope}"`,
        "OIDCPKCEMethod S256",
      ),
    },
  ];
}
