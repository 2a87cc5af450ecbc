/** The claims that portals get, and the account loader that refuses whom the access policy no longer admits. */

import type { Account, FindAccount } from "oidc-provider";
import type { Clock } from "../clock.ts";
import { planHolds, refusals } from "../domain/access.ts";
import type { Membership } from "../domain/records.ts";
import { portalSettings } from "./internals.ts";
import type { RequestStandings } from "./standings.ts";

/** Which claims each scope brings. */
export const claimsByScope = {
  openid: ["sub"],
  profile: ["name"],
  email: ["email", "email_verified"],
  organization: ["profile_id", "organization", "roles", "service_plan"],
};

/**
 * The claims of a chosen profile. `email_verified` holds only for the very address that its link proved. Times are seconds since
 * the epoch, as a JWT's own are (NumericDate, RFC 7519, section 2).
 */
export function profileClaims({ profile, organization }: Membership, now: number): Record<string, unknown> {
  const { plan } = organization;
  return {
    name: profile.name,
    email: profile.email,
    email_verified: profile.provenEmailVersion === profile.emailVersion,
    profile_id: profile.id,
    organization: {
      id: organization.id,
      name: organization.name,
      account_number: organization.accountNumber,
      kind: organization.kind,
    },
    roles: profile.roles,
    service_plan: {
      status: planHolds(plan, now) || plan.status !== "active" ? plan.status : "expired",
      expires_at: plan.expiresAt === null ? null : Math.floor(plan.expiresAt / 1000),
    },
  };
}

/**
 * During authorization it finds the session's account. For a code or token it finds what the grant speaks for and evaluates
 * the access policy anew: undefined refuses (`invalid_grant`, 401 at userinfo).
 */
export function createFindAccount(standings: RequestStandings, clock: Clock): FindAccount {
  return async (ctx, sub, token) => {
    if (token === undefined) {
      const standing = await standings.ofAccount(ctx, sub);
      return standing === undefined ? undefined : { accountId: sub, claims: () => ({ sub }) };
    }
    const { client } = ctx.oidc;
    const grant = token.grantId === undefined ? undefined : await standings.ofGrant(token.grantId);
    if (client === undefined || grant === undefined || grant.selection.accountId !== sub) return undefined;
    const settings = portalSettings(client);
    if (refusals(settings.policy, grant.membership, clock.now()).length > 0) return undefined;
    return account(sub, profileClaims(grant.membership, clock.now()), settings.claimsInIdToken);
  };
}

function account(sub: string, claims: Record<string, unknown>, claimsInIdToken: boolean): Account {
  return {
    accountId: sub,
    claims: (use) => (use === "id_token" && !claimsInIdToken ? { sub } : { sub, ...claims }),
  };
}
