/**
 * How Liaison authenticates at an upstream's token and PAR endpoints (OpenID Connect Core 1.0, section 9).
 */

import * as client from "openid-client";
import type { Seconds } from "../clock.ts";
import type { UpstreamConfig } from "../config/schema.ts";
import { assertionAlgorithm, type ClientKeys } from "./client-keys.ts";

export type AuthenticationMethod = NonNullable<UpstreamConfig["token_endpoint_auth_method"]>;

export interface AuthenticationDependencies {
  clientKeys: ClientKeys;
  /** The present by the upstream's clock, as far as it is known, in seconds since the epoch. */
  epochSeconds(): number;
}

/** How long a client assertion lives: it is used at once. */
const ASSERTION_SECONDS: Seconds = 60;

/**
 * The configured method, or what the discovery document offers. client_secret_basic is what a server supports
 * that doesn't say (Discovery 1.0, section 3), and registrations' default.
 */
export function authenticationMethod(
  { token_endpoint_auth_method: configured }: UpstreamConfig,
  { token_endpoint_auth_methods_supported: offered }: client.ServerMetadata,
): AuthenticationMethod {
  if (configured !== null) return configured;
  if (!Array.isArray(offered) || offered.includes("client_secret_basic")) return "client_secret_basic";
  return "client_secret_post";
}

/** openid-client's view of it. */
export function clientAuthentication(
  config: UpstreamConfig,
  metadata: client.ServerMetadata,
  { clientKeys, epochSeconds }: AuthenticationDependencies,
): client.ClientAuth {
  const algorithm = assertionAlgorithm(config);
  const key = algorithm && clientKeys.of(algorithm);
  if (key !== undefined) {
    // For a minute by the clock that it is judged by, which may be another than ours.
    const byTheirClock: client.ModifyAssertionFunction = (_header, payload) => {
      const seconds = epochSeconds();
      Object.assign(payload, { iat: seconds, nbf: seconds, exp: seconds + ASSERTION_SECONDS });
    };
    return client.PrivateKeyJwt(key, { [client.modifyAssertion]: byTheirClock });
  }
  const secret = config.client_secret ?? "";
  const method = authenticationMethod(config, metadata);
  return method === "client_secret_post" ? client.ClientSecretPost(secret) : secretBasic(secret);
}

/**
 * client_secret_basic (RFC 6749, section 2.3.1), encoded as forms are. openid-client encodes `-`, `_` and `.`
 * as well, which is the same to a server that decodes; LemonLDAP::NG 2.16 and Glewlwyd 2.7 don't, and would
 * take the secret for another.
 */
function secretBasic(secret: string): client.ClientAuth {
  return (_server, { client_id }, _body, headers) => {
    const credentials = `${formEncoded(client_id)}:${formEncoded(secret)}`;
    headers.set("authorization", `Basic ${Buffer.from(credentials).toString("base64")}`);
  };
}

/** As `application/x-www-form-urlencoded` has it: letters, digits, `*`, `-`, `.` and `_` stay. */
function formEncoded(text: string): string {
  return new URLSearchParams({ text }).toString().slice("text=".length);
}
