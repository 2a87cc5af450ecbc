/**
 * From an authorization response to a proven identity: openid-client checks `iss` and the response, exchanges the code and
 * checks the ID token (issuer, audience, nonce, signature); freshness.ts judges its times, and this module reads out who it is.
 */

import * as client from "openid-client";
import type { UpstreamConfig } from "../config/schema.ts";
import type { SignedInIdentity } from "../storage/contract.ts";
import type { Authentication, UpstreamTransaction } from "../storage/records.ts";
import { authenticationOf } from "./authentication.ts";
import { rejected } from "./failures.ts";
import { judgeTimes } from "./freshness.ts";
import { withTokenAnswer } from "./token-answer.ts";

export interface ExchangeInput {
  /** Our callback, as the upstream was told it, with the parameters that came back. */
  currentUrl: URL;
  state: string;
  transaction: UpstreamTransaction;
  upstream: Pick<UpstreamConfig, "claims" | "reauthentication">;
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
  /** Whether the same document says that the upstream has verified the address (OpenID Connect Core 1.0, section 5.1). */
  emailVerified: boolean;
  displayName: string | null;
}

type Claims = Readonly<Record<string, unknown>>;

/** OpenID Connect Core 1.0, section 2: at most 255 ASCII characters, so that no store or comparison can blur two of them. */
const SUBJECT = /^[\x20-\x7e]{1,255}$/;

/** Exchanges the code. Throws openid-client's errors, and `upstream_rejected` and `upstream_stale` for what it doesn't check. */
export async function exchange(
  configuration: client.Configuration,
  { currentUrl, state, transaction, upstream }: ExchangeInput,
): Promise<ProvenSignIn> {
  const { upstreamId, nonce, codeVerifier, maxAgeSeconds, createdAt } = transaction;
  const { token_endpoint } = configuration.serverMetadata();
  const { result: tokens, answer } = await withTokenAnswer(token_endpoint, () =>
    client.authorizationCodeGrant(configuration, currentUrl, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: codeVerifier,
      idTokenExpected: true,
    }),
  );
  const claims = tokens.claims();
  if (claims === undefined) throw rejected(upstreamId, "no ID token");
  if (!SUBJECT.test(claims.sub)) throw rejected(upstreamId, "sub is not 1 to 255 printable ASCII characters");
  const authTime = judgeTimes(claims, answer, {
    upstreamId,
    sentAt: createdAt,
    maxAgeSeconds,
    requiresAuthTime: upstream.reauthentication === "auth_time",
  });

  const { email, emailVerified, displayName } = await displayData(configuration, {
    accessToken: tokens.access_token,
    claims,
    claimNames: upstream.claims,
  });
  const identity = { upstreamId, issuer: claims.iss, subject: claims.sub, email, emailVerified, displayName };
  return { identity, authTime, authentication: authenticationOf(claims) };
}

/** From the ID token; userinfo is asked only for what that lacks. Its `sub` must be the ID token's (Core 1.0, section 5.3.2). */
async function displayData(
  configuration: client.Configuration,
  told: { accessToken: string; claims: client.IDToken; claimNames: UpstreamConfig["claims"] },
): Promise<DisplayData> {
  const { claims, claimNames } = told;
  const isComplete = [claimNames.email, claimNames.name].every(
    (name) => displayText(claimOf(claims, name), 1) !== null,
  );
  if (isComplete || configuration.serverMetadata().userinfo_endpoint === undefined) {
    return readDisplayData(claims, claims, claimNames);
  }
  const userInfo = await client.fetchUserInfo(configuration, told.accessToken, claims.sub);
  const usable = Object.entries(claims).filter(([, value]) => displayText(value, 1) !== null);
  const whoseAddress = displayText(claimOf(claims, claimNames.email), 1) === null ? userInfo : claims;
  return readDisplayData({ ...userInfo, ...Object.fromEntries(usable) }, whoseAddress, claimNames);
}

/** @param whoseAddress what the address stands in: what another document says is verified may be another address */
function readDisplayData(claims: Claims, whoseAddress: Claims, names: UpstreamConfig["claims"]): DisplayData {
  const named = [names.name, "preferred_username", "nickname"].map((name) => displayText(claimOf(claims, name), 200));
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
