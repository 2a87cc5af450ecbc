/** The pages that oidc-provider asks for: its errors and signing out. */

import type { Context, Middleware } from "koa";
import { errors, type KoaContextWithOIDC } from "oidc-provider";
import { ForeignBrowser } from "../oidc/foreign-browser.ts";
import { isGone, portalSettings, redirectUriOf, selfSubmittingSignOut } from "../oidc/internals.ts";
import type { ProviderPages } from "../oidc/provider.ts";
import { readPostLogoutRedirectUri } from "../oidc/request-parameters.ts";
import type { Pages } from "../ui/pages.ts";
import type { PortalView, Site } from "../ui/views.ts";
import { showError } from "./errors.ts";
import { sendPage } from "./kit.ts";
import { allowFormTargets } from "./security-headers.ts";
import { portalView } from "./site.ts";

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
  /** Puts our page in the place of the forms that oidc-provider sends without asking, and lets its others lead on. */
  ownForms: Middleware;
}

export function createProviderPages(deps: {
  pages: Pages;
  site(): Promise<Site>;
  issuer: string;
}): ProviderPages & OwnForms {
  const { pages, site, issuer } = deps;
  const action = `${issuer}/logout/confirm`;
  return {
    ownForms: async (ctx, next) => {
      await next();
      if (ctx.type !== "text/html") return;
      const form = selfSubmittingSignOut(ctx, ctx.body);
      const leadsTo = form === undefined ? redirectUriOf(ctx) : form.leadsTo;
      if (leadsTo !== undefined) allowFormTargets(ctx, [leadsTo]);
      if (form === undefined) return;
      const portal = portalOf(ctx as unknown as KoaContextWithOIDC);
      const view = { purpose: form.because, portal, form: { action, xsrf: form.xsrf }, automatic: true };
      sendPage(ctx, pages.signOut(await site(), view));
    },

    renderError: async (ctx, out, error) => {
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
    },

    signOut: async (ctx, { xsrf }) => {
      const { entities, params, session } = ctx.oidc;
      const context = ctx as unknown as Context;
      const target = readPostLogoutRedirectUri(params ?? {});
      if (target !== undefined) allowFormTargets(context, [target]);
      const view = {
        purpose: "sign_out" as const,
        portal: portalOf(ctx),
        form: { action, xsrf },
        automatic: entities.IdTokenHint?.payload["sub"] === session?.accountId,
      };
      sendPage(context, pages.signOut(await site(), view));
    },

    signedOut: async (ctx) => {
      sendPage(ctx as unknown as Context, pages.signedOut(await site(), { portal: portalOf(ctx) }));
    },
  };

  function portalOf(ctx: KoaContextWithOIDC): PortalView | null {
    const { client } = ctx.oidc;
    return client === undefined ? null : portalView(portalSettings(client));
  }
}
