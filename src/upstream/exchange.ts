/**
 * From an authorization response to a proven identity: openid-client checks `iss` and the response, exchanges
 * the code and checks the ID token's issuer, audience and nonce; signing-keys.ts verifies its signature,
 * freshness.ts judges its times, and this module reads out who it is.
 */

import * as client from "openid-client";
import type { UpstreamConfig } from "../config/schema.ts";
import type { Authentication, SignedInIdentity, UpstreamTransaction } from "../domain/records.ts";
import { authenticationOf } from "./authentication.ts";
import { type DiscoveredUpstream, metadataOf } from "./discovered.ts";
import { rejected } from "./failures.ts";
import { judgeTimes } from "./freshness.ts";
import { dialectOf, NO_ACCESS_TOKEN } from "./quirks.ts";
import { withTokenAnswer } from "./token-answer.ts";
import { askUserInfo, type UserInfoLogger } from "./userinfo.ts";

export interface ExchangeInput {
  /** Our callback, as the upstream was told it, with the parameters that came back. */
  currentUrl: URL;
  state: string;
  transaction: UpstreamTransaction;
  upstream: Pick<DiscoveredUpstream, "config" | "fetch" | "keys">;
  logger: UserInfoLogger;
}

export interface ProvenSignIn {
  identity: SignedInIdentity;
  /** Seconds since the epoch, by our clock; the ID token's `iat` where the upstream gives no `auth_time`. */
  authTime: number;
  authentication: Authentication;
}

/** What of an ID token or a userinfo response is shown to people. It proves nothing. */
interface DisplayData {
  email: string | null;
  /**
   * Whether the same document says that the upstream has verified the address (OpenID Connect Core 1.0,
   * section 5.1).
   */
  emailVerified: boolean;
  displayName: string | null;
}

type Claims = Readonly<Record<string, unknown>>;

/**
 * OpenID Connect Core 1.0, section 2: at most 255 ASCII characters, so that no store or comparison can blur
 * two of them.
 */
const SUBJECT = /^[\x20-\x7e]{1,255}$/;

/**
 * Exchanges the code, once: whatever has to be looked at again is looked at in the answer. Throws
 * openid-client's errors, and `upstream_rejected`, `upstream_stale` and `upstream_unavailable` for what it
 * doesn't check.
 */
export async function exchange(
  configuration: client.Configuration,
  { currentUrl, state, transaction, upstream, logger }: ExchangeInput,
): Promise<ProvenSignIn> {
  const { upstreamId, maxAgeSeconds, createdAt } = transaction;
  const { config } = upstream;
  const { token_endpoint, jwks_uri = "" } = metadataOf(configuration);
  const { result: tokens, answer } = await withTokenAnswer(token_endpoint, () =>
    client.authorizationCodeGrant(configuration, currentUrl, checksOf(transaction, { state, config })),
  );
  const claims = tokens.claims();
  if (claims === undefined || tokens.id_token === undefined) throw rejected(upstreamId, "no ID token");
  // Before anything in it is believed: openid-client trusts the connection to the token endpoint, which is
  // not enough.
  await upstream.keys.verify(tokens.id_token, jwks_uri);
  if (!SUBJECT.test(claims.sub)) throw rejected(upstreamId, "sub is not 1 to 255 printable ASCII characters");
  const authTime = judgeTimes(claims, answer, {
    upstreamId,
    sentAt: createdAt,
    maxAgeSeconds,
    requiresAuthTime: config.reauthentication === "auth_time",
  });

  const shown = await displayDataOf(configuration, {
    claims,
    accessToken: tokens.access_token,
    upstream,
    logger,
  });
  const identity: SignedInIdentity = { upstreamId, issuer: claims.iss, subject: claims.sub, ...shown };
  return { identity, authTime, authentication: authenticationOf(claims) };
}

/**
 * From the ID token; UserInfo is asked only for what that lacks. Throws `upstream_rejected` where that is
 * about another `sub`.
 */
async function displayDataOf(
  configuration: client.Configuration,
  told: Pick<ExchangeInput, "upstream" | "logger"> & { claims: client.IDToken; accessToken: string },
): Promise<DisplayData> {
  const { claims, accessToken, logger } = told;
  const { config, fetch, keys } = told.upstream;
  const { issuer, userinfo_endpoint: endpoint, jwks_uri: jwksUri = "" } = metadataOf(configuration);
  const canAsk = endpoint !== undefined && accessToken !== NO_ACCESS_TOKEN;
  if (isComplete(claims, config.claims) || !canAsk) return readDisplayData(claims, claims, config.claims);
  const userInfo =
    (await askUserInfo(
      { fetch, keys, logger },
      {
        upstreamId: config.id,
        issuer,
        clientId: config.client_id,
        endpoint,
        jwksUri,
        accessToken,
        subject: claims.sub,
      },
    )) ?? {};
  const usable = Object.entries(claims).filter(([, value]) => displayText(value, 1) !== null);
  const whoseAddress = displayText(claimOf(claims, config.claims.email), 1) === null ? userInfo : claims;
  return readDisplayData({ ...userInfo, ...Object.fromEntries(usable) }, whoseAddress, config.claims);
}

/** What openid-client holds the answers to. */
function checksOf(
  { nonce, codeVerifier }: UpstreamTransaction,
  { state, config }: { state: string; config: UpstreamConfig },
): client.AuthorizationCodeGrantChecks {
  const { sendsNonce, sendsPkce } = dialectOf(config);
  const checks: client.AuthorizationCodeGrantChecks = { expectedState: state, idTokenExpected: true };
  if (sendsNonce) checks.expectedNonce = nonce;
  if (sendsPkce) checks.pkceCodeVerifier = codeVerifier;
  return checks;
}

/** Whether the ID token has all that is shown. UserInfo is asked only for what it lacks. */
function isComplete(claims: Claims, { email, name }: UpstreamConfig["claims"]): boolean {
  return [email, name].every((claim) => displayText(claimOf(claims, claim), 1) !== null);
}

/**
 * @param whoseAddress what the address stands in: what another document says is verified may be another
 * address
 */
function readDisplayData(claims: Claims, whoseAddress: Claims, names: UpstreamConfig["claims"]): DisplayData {
  const named = [names.name, "preferred_username", "nickname"].map((name) =>
    displayText(claimOf(claims, name), 200),
  );
  const parts = [claims["given_name"], claims["family_name"]].map((part) => displayText(part, 99) ?? "");
  named.splice(1, 0, displayText(parts.join(" "), 200));
  return {
    email: displayText(claimOf(claims, names.email), 254),
    emailVerified: names.email === "email" && claimOf(whoseAddress, "email_verified") === true,
    displayName: named.find((name) => name !== null) ?? null,
  };
}

/** A claim by a name that the configuration chose. */
function claimOf(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

/** One line of text of a bounded length, or null. Escaping and further caution are up to whoever shows it. */
function displayText(value: unknown, maxLength: number): string | null {
  if (typeof value !== "string") return null;
  const text = value
    .toWellFormed()
    .replace(/\p{Cc}+/gu, " ")
    .trim();
  return text === "" ? null : text.slice(0, maxLength).toWellFormed();
}
