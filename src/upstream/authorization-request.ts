/** Makes the authorization request to an upstream (OpenID Connect Core 1.0, section 3.1.2.1). */

import * as client from "openid-client";
import type { UpstreamConfig } from "../config/schema.ts";
import type { UpstreamTransaction } from "../domain/records.ts";
import type { FreshnessPlan } from "./freshness.ts";
import { dialectOf } from "./quirks.ts";

export interface AuthorizationRequest {
  redirectUri: string;
  state: string;
  transaction: Pick<UpstreamTransaction, "nonce" | "codeVerifier">;
  plan: FreshnessPlan;
  loginHint: string | undefined;
  acrValues: readonly string[];
}

/** Its parameters: those that are configured, and ours, which they never replace. */
export async function authorizationParameters(
  config: UpstreamConfig,
  { redirectUri, state, transaction, plan, loginHint, acrValues }: AuthorizationRequest,
): Promise<Record<string, string>> {
  const { sendsNonce, sendsPkce } = dialectOf(config);
  const parameters: Record<string, string> = {
    ...config.authorize_parameters,
    client_id: config.client_id,
    response_type: "code",
    redirect_uri: redirectUri,
    scope: config.scope,
    state,
  };
  if (config.response_mode !== "query") parameters["response_mode"] = config.response_mode;
  if (sendsNonce) parameters["nonce"] = transaction.nonce;
  if (sendsPkce) {
    parameters["code_challenge"] = await client.calculatePKCECodeChallenge(transaction.codeVerifier);
    parameters["code_challenge_method"] = "S256";
  }
  // For upstreams that know no prompt=login: what it does there can't be checked, or is for the eye alone.
  const isUnchecked = config.reauthentication === "prompt_only" || plan.prompt === "select_account";
  const hasOwnPrompt = isUnchecked && "prompt" in config.authorize_parameters;
  if (plan.prompt !== undefined && !hasOwnPrompt) parameters["prompt"] = plan.prompt;
  if (plan.sendsMaxAge) parameters["max_age"] = String(plan.maxAgeSeconds);
  if (loginHint !== undefined) parameters["login_hint"] = loginHint;
  if (acrValues.length > 0) parameters["acr_values"] = acrValues.join(" ");
  return parameters;
}
