/**
 * The grant of an authorization request: one for each session, client and profile. The selection row is
 * written first and names the grant, so that every token can be traced to the profile it speaks for. A grant
 * id is never reused.
 */

import type { Grant, KoaContextWithOIDC } from "oidc-provider";
import type { Clock, Seconds } from "../clock.ts";
import { asAccountId, asClientId, asGrantId } from "../domain/ids.ts";
import type { GrantId, Selection } from "../domain/records.ts";
import { randomId } from "../domain/secrets.ts";
import type { AccountAtClientStore } from "../storage/contract.ts";
import { type AccountsAtClient, chosenProfile } from "./account-at-client.ts";
import { newGrant } from "./internals.ts";
import { withStoreErrors } from "./store-errors.ts";

export interface GrantDeps {
  accounts: AccountsAtClient;
  store: AccountAtClientStore;
  clock: Clock;
  /** Seconds: as long as the longest session and then the longest refresh token. */
  grantLifetimeSeconds: Seconds;
}

/**
 * How often a racer may change what a request is deciding about, before the request goes on without a grant:
 * refused.
 */
const maxAttempts = 3;

/**
 * oidc-provider's `loadExistingGrant`: undefined while a step is still needed, so that the policy asks for
 * it.
 */
export function createGrantLoader(deps: GrantDeps) {
  return async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
    const { client, account, session } = ctx.oidc;
    if (client === undefined || account === undefined || session === undefined) return undefined;
    if (ctx.oidc.promptPending("login") || ctx.oidc.promptPending("select_account")) return undefined;
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const admission = await deps.accounts.admission(ctx);
      if (admission?.kind !== "admitted") return undefined;
      const profileId = admission.membership.profile.id;
      const wanted = {
        sessionUid: session.uid,
        clientId: asClientId(client.clientId),
        accountId: asAccountId(account.accountId),
        profileId,
      };
      const grantId = await selectedGrant(ctx, wanted, deps);
      if (grantId !== undefined)
        return await grantWithScopes(ctx, grantId, account.accountId, client.clientId);
      // Unbound, or another one was selected in another tab: the person may have to be asked.
      deps.accounts.forgetAccounts(ctx);
    }
    return undefined;
  };
}

/**
 * The grant of the selection that is wanted: the current one's, or a new one's. Undefined if a racer was
 * faster.
 */
async function selectedGrant(
  ctx: KoaContextWithOIDC,
  wanted: Omit<Selection, "grantId" | "expiresAt">,
  { accounts, store, clock, grantLifetimeSeconds }: GrantDeps,
): Promise<GrantId | undefined> {
  const known = await accounts.ofAccount(ctx, wanted.accountId);
  const byHand = chosenProfile(ctx.oidc.result) === wanted.profileId;
  // Only what somebody chose is remembered: who comes to have a second profile is asked then.
  const remember = byHand && known?.rememberedProfileId !== wanted.profileId;
  if (known?.current?.profileId === wanted.profileId && !remember) return known.current.grantId;
  // A little before the grant itself, so that a live selection never names an expired grant.
  const expiresAt = clock.now() + (grantLifetimeSeconds - 60) * 1000;
  const selection = { ...wanted, grantId: asGrantId(randomId()), expiresAt };
  const selected = await withStoreErrors(store.select(selection, clock.now(), { remember, byHand }));
  return selected?.grantId;
}

async function grantWithScopes(
  ctx: KoaContextWithOIDC,
  grantId: string,
  accountId: string,
  clientId: string,
) {
  const { provider } = ctx.oidc;
  // A selection whose grant isn't there is one that was never saved: revoking a grant removes its selection
  // with it.
  const grant =
    (await provider.Grant.find(grantId)) ?? newGrant(provider, { jti: grantId, accountId, clientId });
  const granted = new Set(grant.getOIDCScopeEncountered().split(" "));
  const missing = [...ctx.oidc.requestParamOIDCScopes].filter((scope) => !granted.has(scope));
  if (missing.length > 0) {
    grant.addOIDCScope(missing);
    await grant.save();
  }
  return grant;
}
