/**
 * What upstreams do otherwise than the standards say, in one table: what an upstream's `quirks` change of how
 * it is spoken to, and which oddities of its answers are taken from any. docs/upstreams.md says the same to
 * whoever configures one.
 */

import type { UpstreamConfig } from "../config/schema.ts";
import { rejected } from "./failures.ts";

/** How an authorization request is made and its answer checked. */
export interface Dialect {
  /** Whether `prompt=login` is sent where somebody must sign in afresh. */
  sendsPromptLogin: boolean;
  /** The `prompt` by which somebody is shown whose account is about to be used, and can take another. */
  promptForAccount: "login" | "select_account";
  /** Whether `max_age` is sent where the age of a sign-in matters. */
  sendsMaxAge: boolean;
  /** Whether a `nonce` is sent, and asked for in the ID token. */
  sendsNonce: boolean;
  /** Whether the code is bound to the request by PKCE (RFC 7636). */
  sendsPkce: boolean;
}

export type Quirk = UpstreamConfig["quirks"][number];

const STANDARD: Dialect = {
  sendsPromptLogin: true,
  // OpenID Connect Core 1.0, section 15.1, has every provider obey `login`, and `select_account` only those
  // that can.
  promptForAccount: "login",
  sendsMaxAge: true,
  sendsNonce: true,
  sendsPkce: true,
};

const QUIRKS: Readonly<Record<Quirk, Partial<Dialect>>> = {
  // Google documents none, consent and select_account alone, and refuses what it doesn't know.
  no_prompt_login: { sendsPromptLogin: false, promptForAccount: "select_account" },
  // Gluu Server asks for the password again and again with max_age=0; Glewlwyd 2.7 refuses it by
  // invalid_request.
  no_max_age: { sendsMaxAge: false },
  // LinkedIn's ID tokens don't repeat it.
  no_nonce: { sendsNonce: false },
  // LinkedIn's token endpoint refuses a code_verifier by invalid_client.
  no_pkce: { sendsPkce: false },
};

/**
 * How an upstream is to be spoken to. One without `auth_time` isn't sent `max_age`, whose only proof that is.
 */
export function dialectOf({
  quirks,
  reauthentication,
}: Pick<UpstreamConfig, "quirks" | "reauthentication">): Dialect {
  const dialect = Object.assign({}, STANDARD, ...quirks.map((quirk) => QUIRKS[quirk])) as Dialect;
  return { ...dialect, sendsMaxAge: dialect.sendsMaxAge && reauthentication === "auth_time" };
}

/** What Glewlwyd 2.7 says of every sign-in. Where no `auth_time` is needed it is none. */
export const NO_AUTH_TIME = 0;

/** Stands for an access token that there isn't, or that can't be used. */
export const NO_ACCESS_TOKEN = "-";

/**
 * The members of a token answer (RFC 6749, section 5.1; OpenID Connect Core 1.0, section 3.1.3.3) that
 * something is made of.
 */
interface StandardTokenAnswer {
  id_token: string;
  access_token: string;
  token_type: "Bearer";
}

/**
 * A token answer as the standard has it. The ID token is all that proves something; the access token is for
 * UserInfo, which is only shown. So nothing else ends a sign-in: not `scope` as a list (Twitch), an empty
 * `refresh_token`, an `expires_in` that is no number, a `token_type` that is missing or unknown, nor a
 * missing `access_token`. Throws `upstream_rejected` where there is no ID token, and for an encrypted one,
 * which isn't supported.
 */
export function readTokenAnswer(body: Record<string, unknown>, upstreamId: string): StandardTokenAnswer {
  const { id_token: idToken, access_token: accessToken, token_type: type } = body;
  if (typeof idToken !== "string" || idToken === "")
    throw rejected(upstreamId, "its token endpoint gave no ID token");
  if (idToken.split(".").length === 5) {
    throw rejected(
      upstreamId,
      "the ID token is encrypted, which isn't supported: have the upstream sign it alone",
    );
  }
  const isBearer =
    type === undefined || type === null || (typeof type === "string" && /^bearer$/i.test(type));
  const isUsable = isBearer && typeof accessToken === "string" && accessToken !== "";
  return { id_token: idToken, access_token: isUsable ? accessToken : NO_ACCESS_TOKEN, token_type: "Bearer" };
}
