/** The pages that oidc-provider asks for: its errors and signing out. */

import type { Context } from "koa";
import { errors, type KoaContextWithOIDC } from "oidc-provider";
import { portalSettings } from "../oidc/internals.ts";
import type { ProviderPages } from "../oidc/provider.ts";
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

export function createProviderPages(deps: { pages: Pages; site(): Promise<Site>; issuer: string }): ProviderPages {
  const { pages, site, issuer } = deps;
  return {
    renderError: async (ctx, out, error) => {
      const context = ctx as unknown as Context;
      const status = context.status;
      if (programEndpoints.has(ctx.oidc.route)) {
        context.type = "json";
        context.body = out;
        return;
      }
      if (error instanceof errors.SessionNotFound) {
        const view = { reason: "expired" as const, portal: portalOf(ctx) };
        return sendPage(context, pages.signInLost(await site(), view), status);
      }
      await showError(context, { pages, site }, status, out.error);
    },

    signOut: async (ctx, { xsrf }) => {
      const { entities, params, session } = ctx.oidc;
      const context = ctx as unknown as Context;
      const target = params?.["post_logout_redirect_uri"];
      if (typeof target === "string") allowFormTargets(context, [target], { leadsUpstream: false });
      const view = {
        portal: portalOf(ctx),
        form: { action: `${issuer}/logout/confirm`, xsrf },
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
