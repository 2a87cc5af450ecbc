/**
 * The grant of an authorization request: one for each session, client and profile. The selection row is written first and
 * names the grant, so that every token can be traced to the profile it speaks for. A grant id is never reused.
 */

import type { Grant, KoaContextWithOIDC } from "oidc-provider";
import type { Clock } from "../clock.ts";
import { randomId } from "../domain/secrets.ts";
import type { StandingStore } from "../storage/contract.ts";
import { newGrant } from "./internals.ts";
import { whileReachable } from "./reachable.ts";
import { chosenProfile, type RequestStandings } from "./standings.ts";

export interface GrantDeps {
  standings: RequestStandings;
  store: StandingStore;
  clock: Clock;
  /** Seconds: as long as the longest session and then the longest refresh token. */
  grantLifetimeSeconds: number;
}

/** oidc-provider's `loadExistingGrant`: undefined while a step is still needed, so that the policy asks for it. */
export function createGrantLoader({ standings, store, clock, grantLifetimeSeconds }: GrantDeps) {
  return async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
    const { client, account, session } = ctx.oidc;
    if (client === undefined || account === undefined || session === undefined) return undefined;
    if (ctx.oidc.promptPending("login") || ctx.oidc.promptPending("select_account")) return undefined;
    const admission = await standings.admission(ctx);
    if (admission?.kind !== "admitted") return undefined;

    const profileId = admission.membership.profile.id;
    const known = await standings.ofAccount(ctx, account.accountId);
    // Only what somebody chose is remembered: who comes to have a second profile is asked then.
    const remember = chosenProfile(ctx.oidc.result) === profileId && known?.rememberedProfileId !== profileId;
    let grantId = known?.current?.profileId === profileId && !remember ? known.current.grantId : undefined;
    if (grantId === undefined) {
      const selecting = store.select(
        {
          grantId: randomId(),
          sessionUid: session.uid,
          clientId: client.clientId,
          accountId: account.accountId,
          profileId,
          // A little before the grant itself, so that a live selection never names an expired grant.
          expiresAt: clock.now() + (grantLifetimeSeconds - 60) * 1000,
        },
        clock.now(),
        { remember },
      );
      const selected = await whileReachable(selecting);
      if (selected === undefined) return undefined;
      grantId = selected.grantId;
    }
    return await grantWithScopes(ctx, grantId, account.accountId, client.clientId);
  };
}

async function grantWithScopes(ctx: KoaContextWithOIDC, grantId: string, accountId: string, clientId: string) {
  const { provider } = ctx.oidc;
  // A selection whose grant isn't there is one that was never saved: revoking a grant removes its selection with it.
  const grant = (await provider.Grant.find(grantId)) ?? newGrant(provider, { jti: grantId, accountId, clientId });
  const granted = new Set(grant.getOIDCScopeEncountered().split(" "));
  const missing = [...ctx.oidc.requestParamOIDCScopes].filter((scope) => !granted.has(scope));
  if (missing.length > 0) {
    grant.addOIDCScope(missing);
    await grant.save();
  }
  return grant;
}
