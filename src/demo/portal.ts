/**
 * CustomerSource and PartnerSource: relying parties of the broker, as an ordinary web application would be
 * one. Code flow with PKCE, state and nonce; userinfo; refresh; RP-initiated and back-channel logout;
 * third-party initiated login.
 */

import Router from "@koa/router";
import Koa, { type Context } from "koa";
import * as client from "openid-client";
import type { Seconds } from "../clock.ts";
import { sendPage } from "./page.ts";
import { logoutTokenVerifier } from "./portal-logout.ts";
import {
  aboutPage,
  type Failure,
  failurePage,
  type PortalFace,
  refusal,
  signedInPage,
  signedOutPage,
  signOutPage,
} from "./portal-pages.ts";
import { PortalSessions, type SignedIn, type Visitor } from "./portal-sessions.ts";
import { type Running, readForm, refuseForeignPosts, serveOnLoopback } from "./servers.ts";

export interface PortalOptions extends PortalFace {
  port: number;
  issuer: string;
  clientId: string;
  clientSecret: string;
  scope?: string;
}

/** The addresses that a portal on this port registers at its issuer. */
export function portalAddresses(port: number) {
  const url = `http://localhost:${port}`;
  return {
    url,
    aboutUrl: `${url}/about`,
    redirectUri: `${url}/callback`,
    initiateLoginUri: `${url}/login`,
    postLogoutRedirectUri: `${url}/signed-out`,
    backchannelLogoutUri: `${url}/backchannel-logout`,
  };
}

const SIGN_IN_SECONDS: Seconds = 10;

/**
 * Starts a portal. Its issuer needn't be up yet: it is discovered at the first sign-in. Throws `port_taken`.
 */
export async function startPortal(options: PortalOptions): Promise<Running> {
  const portal = new Portal(options);
  const router = new Router();
  router.post("/backchannel-logout", (ctx) => portal.backchannelLogout(ctx));
  router.use(refuseForeignPosts);
  router.get("/", (ctx) => portal.home(ctx));
  router.get("/about", (ctx) => sendPage(ctx, aboutPage(options, options.issuer)));
  router.get("/login", (ctx) => portal.login(ctx));
  router.get("/switch", (ctx) => portal.begin(ctx, "/", { prompt: "select_account" }));
  router.get("/callback", (ctx) => portal.callback(ctx));
  router.post("/refresh", (ctx) => portal.refresh(ctx));
  router.get("/logout", (ctx) => sendPage(ctx, signOutPage(options)));
  router.post("/logout", (ctx) => portal.logout(ctx));
  router.get("/signed-out", (ctx) => sendPage(ctx, signedOutPage(options, "You are signed out.")));
  const app = new Koa();
  app.use((ctx, next) => portal.explainFailures(ctx, next));
  app.use(router.routes());
  return serveOnLoopback(options.port, app.callback());
}

class Portal {
  readonly #options: PortalOptions;
  readonly #addresses: ReturnType<typeof portalAddresses>;
  readonly #sessions: PortalSessions;
  readonly #verifyLogoutToken: ReturnType<typeof logoutTokenVerifier>;
  #discovered: client.Configuration | undefined;

  constructor(options: PortalOptions) {
    this.#options = options;
    this.#addresses = portalAddresses(options.port);
    // Browsers send a cookie of localhost to every port of it: names tell the servers apart.
    this.#sessions = new PortalSessions(`${options.clientId}_${options.port}_session`);
    this.#verifyLogoutToken = logoutTokenVerifier(options.issuer, options.clientId);
  }

  home(ctx: Context): void {
    const visitor = this.#sessions.find(ctx);
    const notice = visitor?.notice ?? null;
    if (visitor !== undefined) visitor.notice = null;
    const signedIn = visitor?.signedIn ?? null;
    sendPage(
      ctx,
      signedIn ? signedInPage(this.#options, signedIn, notice) : signedOutPage(this.#options, notice),
    );
  }

  /** Begins a sign-in; also the `initiate_login_uri` (OpenID Connect Core 1.0, section 4). */
  async login(ctx: Context): Promise<void> {
    const { iss, login_hint: hint, target_link_uri: target } = ctx.query;
    if (iss !== undefined && iss !== this.#options.issuer) {
      const detail = `${this.#options.name} doesn't know the sign-in service that this link names.`;
      return this.#fail(ctx, { status: 400, title: "This link can't be used", detail });
    }
    await this.begin(ctx, this.#ownPath(target), typeof hint === "string" ? { login_hint: hint } : {});
  }

  /** Sends the browser to the issuer. */
  async begin(ctx: Context, returnTo: string, extra: Record<string, string>): Promise<void> {
    const config = await this.#discover();
    const [state, nonce, codeVerifier] = [
      client.randomState(),
      client.randomNonce(),
      client.randomPKCECodeVerifier(),
    ];
    this.#sessions.addPending(this.#sessions.findOrCreate(ctx), state, { nonce, codeVerifier, returnTo });
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: this.#addresses.redirectUri,
      scope: this.#options.scope ?? "openid profile email organization offline_access",
      state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: "S256",
      ...extra,
    });
    see(ctx, url.href);
  }

  async callback(ctx: Context): Promise<void> {
    const visitor = this.#sessions.find(ctx);
    const state = typeof ctx.query["state"] === "string" ? ctx.query["state"] : "";
    const pending = visitor?.pending.get(state);
    if (visitor === undefined || pending === undefined) return this.#strayCallback(ctx, visitor);
    visitor.pending.delete(state);
    const config = await this.#discover();
    const tokens = await client.authorizationCodeGrant(config, new URL(ctx.url, this.#addresses.url), {
      expectedState: state,
      expectedNonce: pending.nonce,
      pkceCodeVerifier: pending.codeVerifier,
      idTokenExpected: true,
    });
    this.#sessions.signIn(ctx, visitor, await this.#signedIn(config, tokens, null));
    see(ctx, pending.returnTo);
  }

  /**
   * Reads the claims again with a fresh access token. A refusal ends the session: the issuer no longer
   * vouches for it.
   */
  async refresh(ctx: Context): Promise<void> {
    const visitor = this.#sessions.find(ctx);
    const before = visitor?.signedIn;
    if (visitor === undefined || !before?.refreshToken) return see(ctx, "/");
    try {
      const config = await this.#discover();
      const tokens = await client.refreshTokenGrant(config, before.refreshToken);
      visitor.signedIn = await this.#signedIn(config, tokens, before);
      visitor.notice = "The claims were read again.";
    } catch (error) {
      if (
        error instanceof client.ResponseBodyError ||
        error instanceof client.WWWAuthenticateChallengeError
      ) {
        visitor.signedIn = null;
      }
      throw error;
    }
    see(ctx, "/");
  }

  /** Ends the session here, then at the issuer (OpenID Connect RP-Initiated Logout 1.0). */
  async logout(ctx: Context): Promise<void> {
    const visitor = this.#sessions.find(ctx);
    const signedIn = visitor?.signedIn;
    if (visitor === undefined || !signedIn) return see(ctx, "/signed-out");
    visitor.signedIn = null;
    const url = client.buildEndSessionUrl(await this.#discover(), {
      id_token_hint: signedIn.idToken,
      post_logout_redirect_uri: this.#addresses.postLogoutRedirectUri,
    });
    see(ctx, url.href);
  }

  async backchannelLogout(ctx: Context): Promise<void> {
    ctx.set("Cache-Control", "no-store");
    const form = await readForm(ctx);
    const { jwks_uri: jwksUri } = (await this.#discover()).serverMetadata();
    const token = jwksUri && (await this.#verifyLogoutToken(form.get("logout_token") ?? "", jwksUri));
    if (!token) {
      ctx.status = 400;
      ctx.body = { error: "invalid_request", error_description: "not a logout token for this portal" };
      return;
    }
    this.#sessions.signOutRemotely(token.subject, token.sid);
    ctx.status = 204;
  }

  /** The one place where failures become pages. */
  async explainFailures(ctx: Context, next: () => Promise<void>): Promise<void> {
    try {
      await next();
    } catch (error) {
      if (error instanceof client.AuthorizationResponseError || error instanceof client.ResponseBodyError) {
        return this.#fail(ctx, refusal(error.error, error.error_description));
      }
      if (!isServiceFault(error)) throw error;
      const detail =
        `${this.#options.name} got no usable answer from the sign-in service (${error.message}). Wait a ` +
        "moment, then try again.";
      this.#fail(ctx, { status: 503, title: "The sign-in service doesn't answer", detail });
    }
  }

  async #discover(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret } = this.#options;
    const insecure = issuer.startsWith("http://localhost:") ? [client.allowInsecureRequests] : [];
    this.#discovered ??= await client.discovery(new URL(issuer), clientId, clientSecret, undefined, {
      execute: insecure,
      timeout: SIGN_IN_SECONDS,
    });
    return this.#discovered;
  }

  async #signedIn(
    config: client.Configuration,
    tokens: client.TokenEndpointResponse & client.TokenEndpointResponseHelpers,
    before: SignedIn | null,
  ): Promise<SignedIn> {
    const idClaims = tokens.claims() ?? before?.claims ?? {};
    const subject = String(idClaims["sub"]);
    const userinfo = await client.fetchUserInfo(config, tokens.access_token, subject);
    const now = new Date();
    return {
      subject,
      sid: typeof idClaims["sid"] === "string" ? idClaims["sid"] : (before?.sid ?? null),
      idToken: tokens.id_token ?? before?.idToken ?? "",
      refreshToken: tokens.refresh_token ?? before?.refreshToken ?? null,
      claims: { ...idClaims, ...userinfo },
      signedInAt: before?.signedInAt ?? now,
      claimsReadAt: now,
    };
  }

  /**
   * A callback that no sign-in of this browser waits for: reloaded, bookmarked, or brought here by somebody
   * else.
   */
  #strayCallback(ctx: Context, visitor: Visitor | undefined): void {
    const detail = "It was finished already, was begun in another browser, or is too old.";
    if (visitor?.signedIn) see(ctx, "/");
    else this.#fail(ctx, { status: 400, title: "This sign-in isn't waiting here", detail });
  }

  /** A path of this portal for `target_link_uri`; anything that leads elsewhere becomes the home page. */
  #ownPath(target: unknown): string {
    if (typeof target !== "string" || !URL.canParse(target, this.#addresses.url)) return "/";
    const url = new URL(target, this.#addresses.url);
    return url.origin === this.#addresses.url ? `${this.#addresses.url}${url.pathname}${url.search}` : "/";
  }

  #fail(ctx: Context, failure: Failure): void {
    sendPage(ctx, failurePage(this.#options, failure));
  }
}

/**
 * Whether the issuer was unreachable, slow, or answered something that can't be trusted: all that
 * openid-client throws.
 */
function isServiceFault(error: unknown): error is Error {
  return (
    error instanceof client.ClientError ||
    error instanceof client.WWWAuthenticateChallengeError ||
    error instanceof TypeError
  );
}

function see(ctx: Context, location: string): void {
  ctx.redirect(location);
  ctx.status = 303;
  ctx.set("Cache-Control", "no-store");
}
