/**
 * The endpoints of our OpenID Provider: their paths below the issuer, and their addresses by the names of
 * discovery.
 */

export const endpointPaths = {
  authorization: "/authorize",
  token: "/token",
  jwks: "/jwks",
  userinfo: "/userinfo",
  introspection: "/introspect",
  revocation: "/revoke",
  pushed_authorization_request: "/par",
  end_session: "/logout",
} as const;

/** What OpenID Connect Discovery 1.0 and RFC 8414 call them. */
export interface Endpoints {
  authorization_endpoint: string;
  token_endpoint: string;
  userinfo_endpoint: string;
  jwks_uri: string;
  end_session_endpoint: string;
  revocation_endpoint: string;
  introspection_endpoint: string;
  pushed_authorization_request_endpoint: string;
}

export const discoveryUrl = (issuer: string): string => `${issuer}/.well-known/openid-configuration`;

/** The addresses of an issuer's endpoints, as its discovery document has them. */
export function endpointsOf(issuer: string): Endpoints {
  return {
    authorization_endpoint: issuer + endpointPaths.authorization,
    token_endpoint: issuer + endpointPaths.token,
    userinfo_endpoint: issuer + endpointPaths.userinfo,
    jwks_uri: issuer + endpointPaths.jwks,
    end_session_endpoint: issuer + endpointPaths.end_session,
    revocation_endpoint: issuer + endpointPaths.revocation,
    introspection_endpoint: issuer + endpointPaths.introspection,
    pushed_authorization_request_endpoint: issuer + endpointPaths.pushed_authorization_request,
  };
}
