/** Client apps as their developers see them: what common stacks are to be told. */

import { settingsOf } from "../domain/client-metadata.ts";
import type { Preset } from "../domain/client-settings.ts";
import type { AccessPolicy, Client } from "../storage/records.ts";

/** A client app as its recipes read it. */
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

export function toApp(client: Client): ClientApp {
  const { id, homeUrl, aboutUrl, policy, claimsInIdToken } = client;
  const settings = settingsOf(client);
  return {
    id,
    homeUrl,
    aboutUrl,
    policy,
    claimsInIdToken,
    preset: settings.preset,
    name: settings.name,
    redirectUris: settings.redirect_uris,
    postLogoutRedirectUris: settings.post_logout_redirect_uris,
    initiateLoginUri: settings.initiate_login_uri,
    backchannelLogoutUri: settings.backchannel_logout_uri,
    refreshTokens: settings.refresh_tokens,
    scopes: settings.scopes,
  };
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
