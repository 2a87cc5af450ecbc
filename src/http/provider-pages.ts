/** The pages that oidc-provider asks for: its errors and signing out. */

import type { Context, Middleware } from "koa";
import { errors, type KoaContextWithOIDC } from "oidc-provider";
import { asClientId } from "../domain/ids.ts";
import { methodOf } from "../oidc/authentication.ts";
import type { ClientDirectory } from "../oidc/clients.ts";
import { ForeignBrowser } from "../oidc/foreign-browser.ts";
import { isGone, portalSettings, redirectUriOf, selfSubmittingSignOut } from "../oidc/internals.ts";
import type { ProviderPages } from "../oidc/provider.ts";
import { readPostLogoutRedirectUri } from "../oidc/request-parameters.ts";
import { withStoreErrors } from "../oidc/store-errors.ts";
import type { Pages } from "../ui/pages.ts";
import type { PortalView, Site, StaysKnown } from "../ui/views.ts";
import type { CookieContext, Cookies } from "./cookies.ts";
import { showError } from "./errors.ts";
import { sendPage } from "./responses.ts";
import { allowFormTargets } from "./security-headers.ts";
import { portalView, staysKnownView } from "./site.ts";
import { upstreamCookie } from "./upstream-cookie.ts";

const redirects = ({ status }: Context) => status >= 300 && status < 400;

/** Endpoints that programs call: their errors are JSON, whatever the request says it accepts. */
const programEndpoints = new Set([
  "token",
  "userinfo",
  "introspection",
  "revocation",
  "pushed_authorization_request",
  "jwks",
  "discovery",
]);

export interface OwnForms {
  /**
   * Puts our page in the place of the forms that oidc-provider sends without asking, and lets its others lead
   * on.
   */
  ownForms: Middleware;
}

interface ProviderPagesDeps {
  pages: Pages;
  site(): Promise<Site>;
  issuer: string;
  cookies: Cookies;
  clients: Pick<ClientDirectory, "find" | "isOwn">;
}

/** Makes the pages. */
export function createProviderPages(deps: ProviderPagesDeps): ProviderPages & OwnForms {
  return {
    ownForms: async (ctx, next) => {
      await next();
      await replaceForm(deps, ctx);
    },
    renderError: async (ctx, out, error) => await showProviderError(deps, ctx, out, error),
    signOut: async (ctx, { xsrf }) => await showSignOut(deps, ctx, xsrf),
    signedOut: async (ctx) => {
      const context = ctx as unknown as Context;
      const shown = await deps.site();
      const staysKnown = staysKnownView(shown, rememberedUpstream(deps, context), null);
      sendPage(context, deps.pages.signedOut(shown, { portal: portalOf(ctx), staysKnown }));
    },
  };
}

/** Looks at what oidc-provider has answered: lets it lead on, and sends our page where it is a form. */
async function replaceForm(deps: ProviderPagesDeps, ctx: Context): Promise<void> {
  // What redirects is no page, though it has a type: its policy holds nothing.
  if (ctx.type !== "text/html" || redirects(ctx)) return;
  const form = selfSubmittingSignOut(ctx, ctx.body);
  const leadsTo = form === undefined ? redirectUriOf(ctx) : form.leadsTo;
  if (leadsTo !== undefined) allowFormTargets(ctx, [leadsTo]);
  if (form === undefined) return;
  const shown = await deps.site();
  const view = {
    purpose: form.because,
    portal: portalOf(ctx as unknown as KoaContextWithOIDC),
    staysKnown: staysKnownView(shown, rememberedUpstream(deps, ctx), null),
    form: { action: confirmUrl(deps), xsrf: form.xsrf },
    automatic: true,
  };
  sendPage(ctx, deps.pages.signOut(shown, view));
}

async function showProviderError(
  { pages, site }: ProviderPagesDeps,
  ...[ctx, out, error]: Parameters<ProviderPages["renderError"]>
): Promise<void> {
  const context = ctx as unknown as Context;
  const status = context.status;
  if (programEndpoints.has(ctx.oidc.route)) {
    context.type = "json";
    context.body = out;
    return;
  }
  if (error instanceof errors.SessionNotFound) {
    const reason =
      error instanceof ForeignBrowser ? "other_browser" : isGone(error) ? "already_finished" : "expired";
    return sendPage(context, pages.signInLost(await site(), { reason, portal: portalOf(ctx) }), status);
  }
  await showError(context, { pages, site }, { status, code: out.error, portal: portalOf(ctx) });
}

async function showSignOut(deps: ProviderPagesDeps, ctx: KoaContextWithOIDC, xsrf: string): Promise<void> {
  const { entities, params, session } = ctx.oidc;
  const context = ctx as unknown as Context;
  const target = readPostLogoutRedirectUri(params ?? {});
  if (target !== undefined) allowFormTargets(context, [target]);
  const shown = await deps.site();
  const view = {
    purpose: "sign_out" as const,
    portal: portalOf(ctx),
    staysKnown: await staysKnownAfter(deps, ctx, shown),
    form: { action: confirmUrl(deps), xsrf },
    automatic: entities.IdTokenHint?.payload["sub"] === session?.accountId,
  };
  sendPage(context, deps.pages.signOut(shown, view));
}

function confirmUrl({ issuer }: ProviderPagesDeps): string {
  return `${issuer}/logout/confirm`;
}

function rememberedUpstream({ cookies }: ProviderPagesDeps, ctx: CookieContext): string | undefined {
  return cookies.get(ctx, cookies.ofService(upstreamCookie));
}

/**
 * The session's upstream, and its portals that have no address to be told at; the one that asks knows by
 * itself.
 */
async function staysKnownAfter(
  deps: ProviderPagesDeps,
  ctx: KoaContextWithOIDC,
  shown: Site,
): Promise<StaysKnown> {
  const { clients } = deps;
  const { session, client: asking } = ctx.oidc;
  const method = session && methodOf(session);
  const portals: string[] = [];
  for (const clientId of Object.keys(session?.authorizations ?? {})) {
    const client = await withStoreErrors(clients.find(asClientId(clientId)));
    if (client === undefined || clientId === asking?.clientId || clients.isOwn(client)) continue;
    if (client.metadata["backchannel_logout_uri"] === undefined) portals.push(client.name);
  }
  const upstreamId = method?.upstreamId ?? rememberedUpstream(deps, ctx as unknown as Context);
  return staysKnownView(shown, upstreamId, portals);
}

function portalOf(ctx: KoaContextWithOIDC): PortalView | null {
  const { client } = ctx.oidc;
  return client === undefined ? null : portalView(portalSettings(client));
}
