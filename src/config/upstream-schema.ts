/**
 * How Liaison speaks to one upstream: the part of an upstream's entry that its documentation decides. What
 * the settings must be for well-known ones is in docs/upstreams.md.
 */

import { z } from "zod";

/**
 * Asymmetric alone: with HS256 whoever knows the client secret could sign, and `none` proves nothing (RFC
 * 8725, 2.1).
 */
const signingAlgorithm = z.enum(
  ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
  "use RS256 (or 384, 512), PS256 (…), ES256 (…), EdDSA or Ed25519; HS256 and none prove nothing",
);

/**
 * What Liaison sends itself, and what would put the request somewhere else than into its parameters (RFC
 * 9101).
 */
const ownParameters = new Set([
  "client_id",
  "redirect_uri",
  "response_type",
  "response_mode",
  "scope",
  "state",
  "nonce",
  "code_challenge",
  "code_challenge_method",
  "max_age",
  "login_hint",
  "id_token_hint",
  "request",
  "request_uri",
  "registration",
  "client_secret",
  "client_assertion",
  "dpop_jkt",
]);

const authorizeParameters = z.record(z.string(), z.string()).superRefine((parameters, context) => {
  for (const [name, value] of Object.entries(parameters)) {
    const refuse = (message: string) => context.addIssue({ code: "custom", path: [name], message });
    if (!/^[\w.:-]{1,64}$/.test(name)) refuse("is no name of a parameter");
    else if (ownParameters.has(name)) refuse("is sent by Liaison itself and can't be set here");
    else if (name === "prompt" && /\bnone\b/.test(value)) refuse("must not be none: nobody could sign in");
  }
});

/**
 * What an upstream does otherwise than the standards say. What each changes is upstream/quirks.ts's to say.
 */
const quirk = z.enum(
  ["no_prompt_login", "no_max_age", "no_nonce", "no_pkce"],
  "use no_prompt_login, no_max_age, no_nonce or no_pkce, which docs/upstreams.md explains",
);

const claimName = z.string().min(1, "write the name of a claim");

/** To be laid into the schema of an upstream. */
export const upstreamProtocol = {
  client_secret: z.string().min(1).nullable().default(null),
  /** null: what its discovery document offers, `client_secret_basic` first. */
  token_endpoint_auth_method: z
    .enum(["client_secret_basic", "client_secret_post", "private_key_jwt"])
    .nullable()
    .default(null),
  /** Of private_key_jwt alone, where null is RS256. */
  token_endpoint_auth_signing_alg: z.enum(["RS256", "ES256"]).nullable().default(null),
  /**
   * One or several; the same default as a registration's (OpenID Connect Dynamic Client Registration 1.0,
   * section 2).
   */
  id_token_signed_response_alg: z
    .union([signingAlgorithm, z.array(signingAlgorithm).min(1)], {
      error:
        "name one or more of RS256, PS256, ES256 (or 384, 512), EdDSA, Ed25519; HS256 and none prove nothing",
    })
    .transform((value) => [value].flat())
    .default(["RS256"]),
  response_mode: z.enum(["query", "form_post"]).default("query"),
  authorize_parameters: authorizeParameters.default({}),
  quirks: z.array(quirk).default([]),
  /** Which claims are shown to people as address and name; they prove nothing. */
  claims: z.strictObject({ email: claimName.default("email"), name: claimName.default("name") }).prefault({}),
  /**
   * Whether it knows which address is whose: where it says that one is verified, its person comes first at
   * that mailbox.
   */
  trusted_email: z.boolean().default(false),
};

/**
 * Issuers of Microsoft that stand for many: their documents name another issuer, or a template, which
 * identifies nobody.
 */
const multiTenant = /^https:\/\/login\.microsoftonline\.com\/(common|organizations|consumers)\b/i;

/**
 * What contradicts itself in an upstream's entry, whatever else is wrong with it: the values are unchecked.
 */
export function checkUpstream(entry: Record<string, unknown>, context: z.RefinementCtx): void {
  const refuse = (key: string, message: string) => context.addIssue({ code: "custom", path: [key], message });
  const isGiven = (key: string) => entry[key] !== undefined && entry[key] !== null;
  const hasKeyPair = entry["token_endpoint_auth_method"] === "private_key_jwt";
  if (hasKeyPair && isGiven("client_secret")) {
    refuse("client_secret", "isn't used with token_endpoint_auth_method private_key_jwt: leave it out");
  }
  if (!hasKeyPair && !isGiven("client_secret")) {
    refuse("client_secret", "is required, unless token_endpoint_auth_method is private_key_jwt");
  }
  if (!hasKeyPair && isGiven("token_endpoint_auth_signing_alg")) {
    refuse("token_endpoint_auth_signing_alg", "is for token_endpoint_auth_method private_key_jwt alone");
  }
  const { email = "email" } = (entry["claims"] ?? {}) as { email?: unknown };
  if (entry["trusted_email"] === true && email !== "email") {
    refuse("trusted_email", "goes with claims.email: email alone, for that is what email_verified is about");
  }
  if (typeof entry["scope"] === "string" && !entry["scope"].split(" ").includes("openid")) {
    refuse("scope", "must contain openid");
  }
  if (typeof entry["issuer"] === "string" && multiTenant.test(entry["issuer"])) {
    refuse(
      "issuer",
      "stands for many tenants: write the issuer of one, https://login.microsoftonline.com/TENANT-ID/v2.0 " +
        "(9188040d-6c67-4c5b-b112-36a304b66dad is that of personal Microsoft accounts)",
    );
  }
}
