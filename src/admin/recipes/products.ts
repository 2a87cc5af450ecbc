/** Recipes for products and frameworks that are set up rather than programmed. */

import {
  environment,
  lines,
  needsClaims,
  originOf,
  pathOf,
  quoted,
  type Recipe,
  type RecipeValues,
} from "./recipe.ts";

/** Of names that a shell takes as they are. */
const brokerPath = /^([\w./~-]*)\/realms\/([\w.-]+)\/broker\/([\w.-]+)\/endpoint$/;

/** The server, realm and alias of a Keycloak's redirect address. */
function keycloakOf(redirectUri: string): { server: string; realm: string; alias: string } {
  const [, prefix = "", realm = "REALM", alias = "liaison"] = brokerPath.exec(pathOf(redirectUri)) ?? [];
  return { server: originOf(redirectUri) + prefix, realm, alias };
}

/**
 * What Keycloak keeps of an identity provider (its IdentityProviderRepresentation): every value is a text.
 */
function keycloakConfig({ issuer, endpoints, clientId, secret, authMethod, scope }: RecipeValues): object {
  return {
    issuer,
    authorizationUrl: endpoints.authorization_endpoint,
    tokenUrl: endpoints.token_endpoint,
    userInfoUrl: endpoints.userinfo_endpoint,
    jwksUrl: endpoints.jwks_uri,
    logoutUrl: endpoints.end_session_endpoint,
    clientId,
    clientSecret: secret ?? "",
    clientAuthMethod: authMethod,
    defaultScope: scope,
    pkceEnabled: "true",
    pkceMethod: "S256",
    useJwksUrl: "true",
    validateSignature: "true",
    // "true" has Keycloak ask for the sign-out itself, without the browser, which ends no session here.
    backchannelSupported: "false",
    sendIdTokenOnLogout: "true",
    syncMode: "FORCE",
  };
}

export const keycloak: Recipe = {
  name: "keycloak",
  title: "Keycloak, as a broker",
  presets: ["web"],
  paths: {
    redirect: "/realms/portals/broker/liaison/endpoint",
    postLogout: "/realms/portals/broker/liaison/endpoint/logout_response",
    backchannel: "/realms/portals/protocol/openid-connect/logout/backchannel-logout",
  },
  redirect: {
    path: brokerPath,
    value: "…/realms/REALM/broker/ALIAS/endpoint",
    why: "Keycloak has no other address",
  },
  postLogout: {
    path: /\/endpoint\/logout_response$/,
    value: "…/realms/REALM/broker/ALIAS/endpoint/logout_response",
    why: "Keycloak sends it at each sign-out",
  },
  files: (values) => {
    const { server, realm, alias } = keycloakOf(values.redirectUri);
    const provider = {
      alias,
      displayName: "Sign in",
      providerId: "oidc",
      enabled: true,
      // Its addresses are as the organizations registered them, which email_verified says of each.
      trustEmail: false,
      config: keycloakConfig(values),
    };
    const mapper = {
      name: "profile_id",
      identityProviderAlias: alias,
      identityProviderMapper: "oidc-user-attribute-idp-mapper",
      config: { claim: "profile_id", "user.attribute": "profile_id", syncMode: "FORCE" },
    };
    return [
      {
        file: "setup.sh",
        text: lines(
          `kcadm.sh config credentials --server ${server} --realm master --user admin`,
          `kcadm.sh create identity-provider/instances -r ${realm} -f liaison.json`,
          `kcadm.sh create identity-provider/instances/${alias}/mappers -r ${realm} -f profile-id.json`,
        ),
      },
      { file: "liaison.json", text: `${JSON.stringify(provider, null, 2)}\n` },
      { file: "profile-id.json", text: `${JSON.stringify(mapper, null, 2)}\n` },
    ];
  },
};

export const modAuthOpenidc: Recipe = {
  name: "mod-auth-openidc",
  title: "Apache (mod_auth_openidc)",
  presets: ["web"],
  paths: { redirect: "/protected/oidc", postLogout: "/", backchannel: "/protected/oidc?logout=backchannel" },
  files: ({ discovery, clientId, secret, authMethod, idTokenAlg, scope, redirectUri }) => [
    {
      file: "portal.conf",
      text: lines(
        `OIDCProviderMetadataURL ${discovery}`,
        `OIDCClientID            ${clientId}`,
        `OIDCClientSecret        ${quoted(secret ?? "")}`,
        `OIDCRedirectURI         ${redirectUri}`,
        'OIDCCryptoPassphrase    "exec:/bin/cat /etc/portal-passphrase"',
        `OIDCProviderTokenEndpointAuth ${authMethod}`,
        idTokenAlg !== "RS256" && `OIDCIDTokenSignedResponseAlg ${idTokenAlg}`,
        "OIDCPKCEMethod          S256",
        `OIDCScope               ${quoted(scope)}`,
        `<Location ${pathOf(redirectUri).replace(/\/[^/]*$/, "") || "/"}>`,
        "  AuthType openid-connect",
        "  Require valid-user",
        "  # Require claim roles:approver",
        "</Location>",
      ),
    },
  ],
};

export const oauth2Proxy: Recipe = {
  name: "oauth2-proxy",
  title: "oauth2-proxy",
  presets: ["web"],
  paths: { redirect: "/oauth2/callback" },
  needs: (registered) => needsClaims(registered, "oauth2-proxy reads the ID token"),
  files: ({ issuer, clientId, secret, scope, redirectUri }) => [
    { file: "portal.env", text: environment({ OAUTH2_PROXY_CLIENT_SECRET: secret ?? "" }) },
    {
      file: "oauth2-proxy.cfg",
      text: lines(
        'provider = "oidc"',
        `oidc_issuer_url = ${quoted(issuer)}`,
        `client_id = ${quoted(clientId)}`,
        `redirect_url = ${quoted(redirectUri)}`,
        'code_challenge_method = "S256"',
        `scope = ${quoted(scope)}`,
        'oidc_groups_claim = "roles"',
        'email_domains = ["*"]',
      ),
    },
  ],
};

export const spring: Recipe = {
  name: "spring",
  title: "Spring Security",
  presets: ["web"],
  paths: {
    redirect: "/login/oauth2/code/liaison",
    postLogout: "/",
    backchannel: "/logout/connect/back-channel/liaison",
  },
  redirect: {
    path: /\/login\/oauth2\/code\/[^/]+$/,
    value: "…/login/oauth2/code/liaison",
    why: "Spring answers there",
  },
  needs: ({ idTokenAlg }) =>
    idTokenAlg === "RS256"
      ? []
      : [
          {
            setting: "id_token_signed_response_alg",
            value: "RS256",
            why: "Spring takes no other unless told by a bean",
          },
        ],
  files: ({ issuer, clientId, secret, authMethod, scope, redirectUri }) => [
    { file: "portal.env", text: environment({ PORTAL_SECRET: secret ?? "" }) },
    {
      file: "application.yaml",
      text: lines(
        "spring.security.oauth2.client:",
        `  provider.liaison: { issuer-uri: ${quoted(issuer)} }`,
        "  registration.liaison:",
        `    client-id: ${quoted(clientId)}`,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: Spring's own way to read its environment.
        "    client-secret: ${PORTAL_SECRET}",
        `    client-authentication-method: ${authMethod}`,
        `    redirect-uri: ${quoted(redirectUri)}`,
        `    scope: ${scope.split(" ").join(", ")}`,
      ),
    },
  ],
};

export const aspnetCore: Recipe = {
  name: "aspnet-core",
  title: "ASP.NET Core",
  presets: ["web"],
  paths: { redirect: "/signin-oidc", postLogout: "/signout-callback-oidc" },
  postLogout: { path: /^/, value: "…/signout-callback-oidc", why: "ASP.NET Core sends one at each sign-out" },
  files: ({ issuer, clientId, secret, scope, redirectUri, postLogoutRedirectUri }) => {
    // These two are asked for by default.
    const scopes = scope.split(" ").filter((one) => one !== "openid" && one !== "profile");
    return [
      { file: "portal.env", text: environment({ Liaison__ClientSecret: secret ?? "" }) },
      {
        file: "Program.cs",
        text: lines(
          "builder.Services.AddAuthentication(options => {",
          '  options.DefaultScheme = "Cookies";',
          '  options.DefaultChallengeScheme = "oidc";',
          '}).AddCookie("Cookies").AddOpenIdConnect("oidc", options => {',
          `  options.Authority = ${quoted(issuer)};`,
          issuer.startsWith("http:") && "  options.RequireHttpsMetadata = false;",
          `  options.ClientId = ${quoted(clientId)};`,
          '  options.ClientSecret = builder.Configuration["Liaison:ClientSecret"];',
          `  options.CallbackPath = ${quoted(pathOf(redirectUri))};`,
          postLogoutRedirectUri !== null &&
            `  options.SignedOutCallbackPath = ${quoted(pathOf(postLogoutRedirectUri))};`,
          '  options.ResponseType = "code";',
          "  options.MapInboundClaims = false;",
          "  options.GetClaimsFromUserInfoEndpoint = true;",
          "  options.SaveTokens = true;",
          ...scopes.map((one) => `  options.Scope.Add(${quoted(one)});`),
          '  options.ClaimActions.MapUniqueJsonKey("profile_id", "profile_id");',
          '  options.ClaimActions.MapJsonKey("roles", "roles");',
          '  options.ClaimActions.MapJsonSubKey("organization_id", "organization", "id");',
          "});",
        ),
      },
    ];
  },
};

export const curl: Recipe = {
  name: "curl",
  title: "curl",
  presets: ["machine"],
  paths: { redirect: "" },
  files: ({ issuer, endpoints, clientId, secret, apiScopes }) => [
    {
      file: "token.sh",
      text: lines(
        `curl -u '${clientId}:${secret ?? ""}' -d grant_type=client_credentials \\`,
        `  -d scope='${apiScopes.join(" ")}' ${endpoints.token_endpoint}`,
        `curl -H "Authorization: Bearer $TOKEN" ${issuer}/admin/api/v1/organizations`,
      ),
    },
  ],
};
