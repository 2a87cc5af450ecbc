/** Pages beside the samples: a deployment that has next to nothing, and a page that submits itself. */

import { pages } from "../../src/ui/pages.ts";
import type { SignOutPage, Site } from "../../src/ui/views.ts";
import { flavours } from "./page-flavours.ts";

/**
 * The deployment with one upstream, no portal and no support beyond an address: what pages must do without.
 */
export function bareSite(): Site {
  const { site, upstream } = flavours.ordinary;
  return {
    ...site,
    support: { email: site.support.email, url: null, phone: null },
    portals: [],
    upstreams: [{ ...upstream, support: { email: null, url: null } }],
  };
}

export const signOutPurposes = ["sign_out", "nothing_left", "switch_account"] as const;

/** The sign-out page that submits itself: looked at in the markup only, for it leaves at once. */
export function automaticSignOut(purpose: SignOutPage["purpose"]): string {
  const { site, portal, token } = flavours.ordinary;
  const form = { action: "/session/end/confirm", xsrf: token };
  const staysKnown = { upstream: null, portals: null };
  return pages.signOut(site, { purpose, portal, staysKnown, form, automatic: true });
}
