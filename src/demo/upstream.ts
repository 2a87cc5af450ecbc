/**
 * Fabrikam ID: the demo's consumer identity provider, an oidc-provider instance that shares nothing with the
 * broker's. It stands for any upstream: accounts with username and password, no idea of organizations.
 */

import { generateKeyPair, type KeyObject, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { raw } from "hono/html";
import {
  type ClientMetadata,
  type Configuration,
  interactionPolicy,
  type KoaContextWithOIDC,
  Provider,
} from "oidc-provider";
import { type Clock, systemClock } from "../clock.ts";
import { sendPage } from "./page.ts";
import { type Running, serveOnLoopback } from "./servers.ts";
import { type SeedAccount, UpstreamAccounts } from "./upstream-accounts.ts";
import { MemoryRows, memoryAdapter } from "./upstream-adapter.ts";
import { liveBy } from "./upstream-clock.ts";
import { donePage, errorPage, signOutPage } from "./upstream-pages.ts";
import { upstreamRoutes } from "./upstream-routes.ts";

/** One of Fabrikam ID's relying parties. Consent is never asked for. */
export interface DemoUpstreamClient {
  id: string;
  secret: string;
  name: string;
  redirectUris: string[];
  postLogoutRedirectUris?: string[];
}

export interface DemoUpstreamOptions {
  port: number;
  accounts: SeedAccount[];
  clients: DemoUpstreamClient[];
  /** Keeps created accounts and changed passwords over a restart. */
  accountsFile?: string;
  /** What its answers and ID tokens tell the time by; the machine's clock otherwise. */
  clock?: Clock;
}

/** Starts Fabrikam ID; its `url` is its issuer. Throws `port_taken`. */
export async function startDemoUpstream(options: DemoUpstreamOptions): Promise<Running> {
  const issuer = `http://localhost:${options.port}`;
  const accounts = await UpstreamAccounts.open(options.accounts, options.accountsFile);
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const provider = new Provider(issuer, configuration(options, accounts, privateKey));
  const { clock = systemClock } = options;
  if (options.clock !== undefined) provider.use(liveBy(clock, privateKey) as Parameters<Provider["use"]>[0]);
  provider.use(upstreamRoutes({ provider, accounts, clock }).routes());
  const handle = provider.callback();
  return serveOnLoopback(options.port, (request, response) => {
    // oidc-provider builds its URLs from Host; there is one right value for it.
    request.headers.host = new URL(issuer).host;
    handle(request, response);
  });
}

function configuration(
  options: DemoUpstreamOptions,
  accounts: UpstreamAccounts,
  key: KeyObject,
): Configuration {
  const rows = new MemoryRows();
  // Browsers send a cookie of localhost to every port of it: names tell the servers apart.
  const cookie = (name: string) => `fabrikam_${options.port}_${name}`;
  return {
    adapter: (model: string) => memoryAdapter(model, rows),
    clients: options.clients.map(clientMetadata),
    clientDefaults: { require_auth_time: true },
    jwks: { keys: [signingJwk(key)] },
    cookies: {
      keys: [randomBytes(32).toString("base64url")],
      names: { session: cookie("session"), interaction: cookie("interaction"), resume: cookie("resume") },
    },
    claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email", "email_verified"] },
    // Like most consumer providers, it puts name and email into the ID token too.
    conformIdTokenClaims: false,
    ttl: {
      Session: 14 * 24 * 3600,
      Interaction: 3600,
      Grant: 14 * 24 * 3600,
      AccessToken: 3600,
      IdToken: 3600,
      RefreshToken: 14 * 24 * 3600,
    },
    interactions: { policy: signInPolicy() },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => sendPage(ctx, signOutPage(raw(form))),
        postLogoutSuccessSource: (ctx) =>
          sendPage(ctx, donePage("Signed out", "You are signed out of Fabrikam ID.", null)),
      },
    },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed("refresh_token"),
    loadExistingGrant,
    findAccount: (_ctx, subject) => {
      const account = accounts.bySubject(subject);
      if (account === undefined) return undefined;
      const { name, username, email } = account;
      return {
        accountId: subject,
        claims: () => ({ sub: subject, name, preferred_username: username, email, email_verified: false }),
      };
    },
    renderError: (ctx, out) => sendPage(ctx, errorPage(ctx.status, out.error_description ?? out.error)),
  };
}

function clientMetadata(client: DemoUpstreamClient): ClientMetadata {
  return {
    client_id: client.id,
    client_secret: client.secret,
    client_name: client.name,
    redirect_uris: client.redirectUris,
    post_logout_redirect_uris: client.postLogoutRedirectUris ?? [],
    grant_types: ["authorization_code", "refresh_token"],
  };
}

function signingJwk(key: KeyObject) {
  return {
    ...key.export({ format: "jwk" }),
    kid: randomBytes(8).toString("base64url"),
    use: "sig",
    alg: "RS256",
  };
}

/** Signing in is all that is ever asked: `select_account` shows the same form, consent is granted unasked. */
function signInPolicy() {
  const policy = interactionPolicy.base();
  policy.remove("consent");
  policy.add(new interactionPolicy.Prompt({ name: "select_account", requestable: true }), 0);
  return policy;
}

async function loadExistingGrant(ctx: KoaContextWithOIDC) {
  const { provider, client, session, params } = ctx.oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const grantId = session.grantIdFor(client.clientId);
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  const grant = known ?? new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
  grant.addOIDCScope(String(params?.["scope"] ?? "openid"));
  await grant.save();
  return grant;
}
