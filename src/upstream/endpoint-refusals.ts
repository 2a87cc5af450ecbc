/**
 * What an upstream's token or PAR endpoint says when it refuses a request of ours (RFC 6749, section 5.2):
 * its error, and what whoever runs the service can try. For the log alone.
 */

import type { AuthenticationMethod } from "./client-authentication.ts";
import { EndpointRefusal, printable } from "./failures.ts";

/** What the request was. */
export interface RefusedRequest {
  endpoint: string;
  method: AuthenticationMethod;
  /** Our callback, as the upstream was told it. */
  redirectUri: string;
}

/** Reads a refusal. `body` is the response's, whatever its type says. */
export function refusalOf(
  { status, headers }: Response,
  body: Record<string, unknown> | undefined,
  request: RefusedRequest,
): EndpointRefusal {
  const { error, error_description: description } = body ?? {};
  const code = typeof error === "string" && error !== "" ? error : errorOfChallenge(headers);
  const said = [
    code === undefined ? "without an error code" : printable(code),
    ...(typeof description === "string" && description !== "" ? [`(${printable(description)})`] : []),
  ];
  const advice = adviceFor(code, status, request);
  return new EndpointRefusal(`${request.endpoint} answered ${status} ${said.join(" ")}: ${advice}`, code);
}

/** Some say it in the header alone (RFC 6750, section 3, for other endpoints). */
function errorOfChallenge(headers: Headers): string | undefined {
  return /\berror="([^"]+)"/.exec(headers.get("www-authenticate") ?? "")?.[1];
}

const WRONG_CLIENT: Record<AuthenticationMethod, string> = {
  client_secret_basic:
    "check client_id and client_secret; the secret was sent by client_secret_basic, so if it is right, " +
    "set token_endpoint_auth_method to client_secret_post",
  client_secret_post:
    "check client_id and client_secret; the secret was sent by client_secret_post, so if it is right, " +
    "set token_endpoint_auth_method to client_secret_basic",
  private_key_jwt:
    "check client_id, that the upstream can fetch our keys from /upstream/jwks, and that it expects " +
    "token_endpoint_auth_signing_alg",
};

function adviceFor(
  code: string | undefined,
  status: number,
  { method, redirectUri }: RefusedRequest,
): string {
  switch (code) {
    case "invalid_client":
      return WRONG_CLIENT[method];
    case "invalid_grant":
      return (
        `the code is used, too old or another client's; otherwise check that exactly ${redirectUri} is ` +
        "registered there"
      );
    case "unauthorized_client":
      // Of a wrong secret, too, at some.
      return `allow this client the authorization code flow there, and ${WRONG_CLIENT[method]}`;
    case "unsupported_grant_type":
      return "allow this client the authorization code flow there";
    case "invalid_scope":
      return "check scope: the client must be allowed each of them there";
    case "invalid_request":
      return "it takes something for wrong that is sent; see its own log, and quirks in docs/upstreams.md";
    default:
      return status === 401 ? WRONG_CLIENT[method] : "see its own log";
  }
}
