/**
 * The account loader, which refuses whom the access policy no longer admits, and the scopes that bring
 * claims.
 */

import type { Account, FindAccount } from "oidc-provider";
import type { Clock } from "../clock.ts";
import { refusals } from "../domain/access.ts";
import type { AccountsAtClient } from "./account-at-client.ts";
import { portalSettings } from "./internals.ts";
import { profileClaims } from "./profile-claims.ts";

/** Which claims each scope brings. */
export const claimsByScope = {
  openid: ["sub"],
  profile: ["name"],
  email: ["email", "email_verified"],
  organization: ["profile_id", "organization", "roles", "service_plan"],
};

/**
 * During authorization it finds the session's account. For a code or token it finds what the grant speaks for
 * and evaluates the access policy anew: undefined refuses (`invalid_grant`, 401 at userinfo).
 */
export function createFindAccount(accounts: AccountsAtClient, clock: Clock): FindAccount {
  return async (ctx, sub, token) => {
    if (token === undefined) {
      const accountAtClient = await accounts.ofAccount(ctx, sub);
      return accountAtClient === undefined ? undefined : { accountId: sub, claims: () => ({ sub }) };
    }
    const { client } = ctx.oidc;
    const grant = token.grantId === undefined ? undefined : await accounts.ofGrant(token.grantId);
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
