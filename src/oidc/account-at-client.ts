/**
 * An account at a client, as a request needs to know it: read once a request, for the interaction policy, the
 * grant loader and the claims.
 */

import type { KoaContextWithOIDC } from "oidc-provider";
import type { Clock } from "../clock.ts";
import type { Standing } from "../domain/admission.ts";
import { type Admission, decideAdmission } from "../domain/admission.ts";
import { asAccountId, asClientId, asGrantId, asProfileId, type ProfileId } from "../domain/ids.ts";
import type { GrantStanding, StandingStore } from "../storage/contract.ts";
import { currentContext, portalSettings } from "./internals.ts";
import { readAuthorizationRequest } from "./request-parameters.ts";
import { withStoreErrors } from "./store-errors.ts";

export interface AccountsAtClient {
  /** The standing of the session's account at the request's client. One read a request, whoever asks. */
  ofAccount(ctx: KoaContextWithOIDC, accountId: string): Promise<Standing | undefined>;
  /** Who this authorization request is admitted as, or undefined while nobody is signed in. */
  admission(ctx: KoaContextWithOIDC): Promise<Admission | undefined>;
  /** Forgets what was read of accounts in this request, because it turned out to be so no longer. */
  forgetAccounts(ctx: KoaContextWithOIDC): void;
  /**
   * What a grant speaks for. One read a request; reading it early lets a code's winner go on when a loser
   * revokes.
   */
  ofGrant(grantId: string): Promise<GrantStanding | undefined>;
}

/** Makes the per-request memory over the store. */
export function createAccountsAtClient(standings: StandingStore, clock: Clock): AccountsAtClient {
  const byAccount = new WeakMap<object, Map<string, Promise<Standing | undefined>>>();
  const byGrant = new WeakMap<object, Map<string, Promise<GrantStanding | undefined>>>();

  const ofAccount: AccountsAtClient["ofAccount"] = (ctx, accountId) => {
    const clientId = ctx.oidc.client?.clientId;
    if (clientId === undefined) return Promise.resolve(undefined);
    return remember(byAccount, ctx, accountId, () =>
      withStoreErrors(
        standings.forClient(
          asAccountId(accountId),
          asClientId(clientId),
          ctx.oidc.session?.uid ?? null,
          clock.now(),
        ),
      ),
    );
  };

  return {
    ofAccount,
    forgetAccounts: (ctx) => {
      byAccount.delete(ctx);
    },
    ofGrant: (grantId) => {
      const read = () => withStoreErrors(standings.forGrant(asGrantId(grantId), clock.now()));
      const ctx = currentContext();
      return ctx === undefined ? read() : remember(byGrant, ctx, grantId, read);
    },
    admission: async (ctx) => {
      const { account, client, params, result } = ctx.oidc;
      if (account === undefined || client === undefined) return undefined;
      const standing = await ofAccount(ctx, account.accountId);
      if (standing === undefined) return undefined;
      return decideAdmission({
        standing,
        policy: portalSettings(client).policy,
        chosen: chosenProfile(result),
        hint: readAuthorizationRequest(params ?? {}).profileHint,
        now: clock.now(),
      });
    },
  };
}

function remember<T>(
  memory: WeakMap<object, Map<string, Promise<T>>>,
  ctx: object,
  key: string,
  read: () => Promise<T>,
) {
  const ofRequest = memory.get(ctx) ?? new Map<string, Promise<T>>();
  memory.set(ctx, ofRequest);
  const known = ofRequest.get(key);
  if (known !== undefined) return known;
  const fresh = read();
  ofRequest.set(key, fresh);
  return fresh;
}

/** The profile that the chooser put into the interaction's result. */
export function chosenProfile(result: unknown): ProfileId | undefined {
  const choice = (result as { select_account?: { profile_id?: unknown } } | undefined)?.select_account;
  const chosen = asString(choice?.profile_id);
  return chosen === undefined ? undefined : asProfileId(chosen);
}

function asString(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
