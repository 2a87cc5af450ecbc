/**
 * Our OpenID Provider: oidc-provider, configured. Pages, adapters and policies are given to it; it knows no
 * upstream.
 */

import { type Configuration, type KoaContextWithOIDC, Provider } from "oidc-provider";
import type { Clock, Instant, Seconds } from "../clock.ts";
import type { Config } from "../config/schema.ts";
import { CLIENT_AUTH_METHODS } from "../domain/client-settings.ts";
import { hostAndPort } from "../domain/private-hosts.ts";
import type { SecretHash } from "../domain/records.ts";
import type { AccountAtClientStore, ArtifactStore } from "../storage/contract.ts";
import { createAccountsAtClient } from "./account-at-client.ts";
import { createAdapterFactory } from "./adapter.ts";
import { fitAnswers } from "./answers.ts";
import { claimsByScope, createFindAccount } from "./claims.ts";
import type { ClientDirectory } from "./clients.ts";
import { createCookieSignatures } from "./cookie-signatures.ts";
import { endpointPaths } from "./endpoints.ts";
import { createGrantLoader } from "./grants.ts";
import {
  keepAuthorizationsApart,
  noteSignedOutClients,
  portalMetadataKey,
  portalSettings,
  withoutAddressGuard,
} from "./internals.ts";
import type { ServiceKeys } from "./keys.ts";
import { createInteractionPolicy } from "./policy.ts";
import { assertBounded } from "./request-bounds.ts";

/** The pages that oidc-provider asks for; http/ renders them. */
export interface ProviderPages {
  renderError: NonNullable<Configuration["renderError"]>;
  signOut(ctx: KoaContextWithOIDC, form: { xsrf: string }): Promise<void>;
  signedOut(ctx: KoaContextWithOIDC): Promise<void>;
}

export interface ProviderDeps {
  config: Pick<Config, "issuer" | "sessions" | "tokens" | "linking" | "private_hosts" | "administration">;
  artifacts: ArtifactStore;
  accountsAtClients: AccountAtClientStore;
  clients: ClientDirectory;
  keys: ServiceKeys;
  clock: Clock;
  pages: ProviderPages;
  /** Whether the browser of a request holds the proof of a sign-in. */
  holdsProof(ctx: KoaContextWithOIDC, proofHash: SecretHash): boolean;
  /** Scopes that machines get tokens for: those of the administration's API. */
  clientCredentialsScopes?: readonly string[];
}

/**
 * Names and attributes of every cookie, by whether the issuer is https and has a path (RFC 6265bis, 4.1.3).
 */
function cookieNames(issuer: URL): { session: string; prefix: string; secure: boolean } {
  const secure = issuer.protocol === "https:";
  const prefix = secure ? "__Secure-" : "";
  return { session: `${secure ? "__Host-" : ""}liaison.session`, prefix, secure };
}

/**
 * Seconds for which a request that a portal has pushed may be taken up: by the redirect that follows at once.
 */
const pushedRequestSeconds: Seconds = 60;
/** Seconds for which a session is kept in which nobody is signed in. */
const emptySessionSeconds: Seconds = 600;

/**
 * How long an interaction lives: longer than a link that is asked for at its very end and mailed late.
 * Seconds.
 */
export function interactionLifetimeSeconds(linkLifetimeSeconds: Seconds): number {
  return linkLifetimeSeconds * 2 + 1800;
}

/**
 * Configures oidc-provider. The returned Provider is the Koa app: our own routes go before its with `use`.
 */
export function createProvider(deps: ProviderDeps): Provider {
  const { config, keys, clientCredentialsScopes = [] } = deps;
  const provider = new Provider(config.issuer, configurationOf(deps));
  provider.proxy = true;
  provider.keys = createCookieSignatures(keys.cookies);
  keepAuthorizationsApart(provider);
  noteSignedOutClients(provider);
  provider.use(fitAnswers({ clientCredentialsScopes }) as Parameters<Provider["use"]>[0]);
  return provider;
}

function configurationOf(deps: ProviderDeps): Configuration {
  const { config, clock, keys, pages } = deps;
  const cookies = cookieNames(new URL(config.issuer));
  const accounts = createAccountsAtClient(deps.accountsAtClients, clock);
  const grantLifetimeSeconds = config.sessions.absolute_seconds + config.tokens.refresh_token_seconds;
  const findAccount = createFindAccount(accounts, clock);
  return {
    adapter: createAdapterFactory({
      artifacts: deps.artifacts,
      clients: deps.clients,
      clock,
      sessionCookie: cookies.session,
      holdsProof: deps.holdsProof,
      ofGrant: accounts.ofGrant,
    }),
    findAccount,
    loadExistingGrant: createGrantLoader({
      accounts,
      store: deps.accountsAtClients,
      clock,
      grantLifetimeSeconds,
    }),
    claims: claimsByScope,
    // Off, so that a client can have the claims in its ID token; claims.ts leaves them out for all others.
    conformIdTokenClaims: false,
    interactions: {
      policy: createInteractionPolicy(accounts, config.administration),
      url: (_ctx, interaction) => `${config.issuer}/interaction/${interaction.uid}`,
    },
    ...requestsAndClients(deps.clientCredentialsScopes ?? []),
    rotateRefreshToken: true,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed("refresh_token"),
    // Without `offline_access` it lives as long as the session (oidc-provider's default): signing out ends
    // it.
    jwks: { keys: keys.signing },
    cookies: cookiesOf(cookies, keys),
    routes: { ...endpointPaths },
    ttl: lifetimes(config, clock, grantLifetimeSeconds),
    features: features(pages, findAccount),
    renderError: pages.renderError,
    fetch: (url, options) => {
      const isAllowed = config.private_hosts.includes(hostAndPort(new URL(String(url))));
      return fetch(url, isAllowed ? withoutAddressGuard(options as RequestInit) : (options as RequestInit));
    },
  };
}

/** What authorization requests may ask for, and how clients are known. */
function requestsAndClients(clientCredentialsScopes: readonly string[]): Configuration {
  return {
    // The library asks this last of all, whatever the parameter says.
    extraParams: { upstream: assertBounded, profile_hint: null },
    extraClientMetadata: { properties: [portalMetadataKey] },
    clientBasedCORS: (_ctx, origin, client) =>
      (client.redirectUris ?? []).some((uri) => URL.canParse(uri) && new URL(uri).origin === origin),
    responseTypes: ["code"],
    // OpenID Connect Core 3.1.2.1 requires `redirect_uri`, also of a portal that has registered only one.
    allowOmittingSingleRegisteredRedirectUri: false,
    scopes: ["openid", "offline_access", "profile", "email", "organization", ...clientCredentialsScopes],
    clientAuthMethods: [...CLIENT_AUTH_METHODS],
    pkce: { required: (_ctx, client) => portalSettings(client).pkceRequired },
  };
}

function cookiesOf(
  { session, prefix, secure }: ReturnType<typeof cookieNames>,
  keys: ServiceKeys,
): NonNullable<Configuration["cookies"]> {
  return {
    keys: keys.cookies,
    names: {
      session,
      interaction: `${prefix}liaison.interaction`,
      resume: `${prefix}liaison.resume`,
    },
    long: { signed: true, httpOnly: true, sameSite: "lax", secure, path: "/" },
    short: { signed: true, httpOnly: true, sameSite: "lax", secure },
  };
}

/** How long each artifact lives, in seconds. */
function lifetimes(
  { tokens, sessions, linking }: Pick<Config, "tokens" | "sessions" | "linking">,
  clock: Clock,
  grantLifetimeSeconds: Seconds,
): NonNullable<Configuration["ttl"]> {
  const interactionSeconds = interactionLifetimeSeconds(linking.link_lifetime_seconds);
  return {
    AuthorizationCode: tokens.authorization_code_seconds,
    AccessToken: tokens.access_token_seconds,
    ClientCredentials: tokens.access_token_seconds,
    IdToken: tokens.id_token_seconds,
    RefreshToken: tokens.refresh_token_seconds,
    Grant: grantLifetimeSeconds,
    Interaction: interactionSeconds,
    PushedAuthorizationRequest: pushedRequestSeconds,
    Session: (ctx, session) => {
      // A step is about to be shown: the session must outlive it, or its tab could never carry on.
      const waits =
        ctx.oidc.entities.Interaction !== undefined && ctx.oidc.entities.Interaction.result === undefined;
      // Nobody's: made to sign out where nobody was signed in.
      if (session.accountId === undefined && !waits)
        return Math.min(sessions.idle_seconds, emptySessionSeconds);
      const idle = waits ? Math.max(sessions.idle_seconds, interactionSeconds) : sessions.idle_seconds;
      return sessionLifetime(session.iat, { ...sessions, idle_seconds: idle }, clock.now());
    },
  };
}

function features(
  pages: ProviderPages,
  findAccount: ReturnType<typeof createFindAccount>,
): NonNullable<Configuration["features"]> {
  return {
    devInteractions: { enabled: false },
    claimsParameter: { enabled: false },
    clientCredentials: { enabled: true },
    // Without it `resource` (RFC 8707) is a parameter like any unknown one, and ignored (RFC 6749, section
    // 3.1).
    resourceIndicators: { enabled: false },
    introspection: {
      enabled: true,
      // A client sees its own tokens, and only while what they stand for is still admitted.
      allowedPolicy: async (ctx, client, token) => {
        if (token.clientId !== client.clientId || !("accountId" in token)) return false;
        if (token.accountId === undefined) return false;
        return (await findAccount(ctx, token.accountId, token)) !== undefined;
      },
    },
    // Silent about tokens of others, as the library is about unknown ones.
    revocation: {
      enabled: true,
      allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
    },
    pushedAuthorizationRequests: { enabled: true },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: async (ctx, form) => await pages.signOut(ctx, { xsrf: hiddenValue(form) }),
      postLogoutSuccessSource: async (ctx) => await pages.signedOut(ctx),
    },
  };
}

/** The same Provider for whoever makes tokens behind requests: it answers none. */
export function createTokenMaker(deps: Omit<ProviderDeps, "pages" | "holdsProof">): Provider {
  const noRequest = () => {
    throw new TypeError("this provider answers no requests");
  };
  const pages: ProviderPages = { renderError: noRequest, signOut: noRequest, signedOut: noRequest };
  return createProvider({ ...deps, pages, holdsProof: () => false });
}

/** Seconds a session may go on from now: idle time, but never past its absolute end. */
function sessionLifetime(startedAt: number | undefined, limits: Config["sessions"], nowMs: Instant): number {
  const seconds = Math.floor(nowMs / 1000);
  const left = (startedAt ?? seconds) + limits.absolute_seconds - seconds;
  return Math.max(1, Math.min(limits.idle_seconds, left));
}

/** The anti-forgery value of the form that oidc-provider hands over as HTML. */
function hiddenValue(form: string): string {
  const value = /name="xsrf" value="([^"]*)"/.exec(form)?.[1];
  if (value === undefined) throw new TypeError("oidc-provider's logout form has changed");
  return value;
}
