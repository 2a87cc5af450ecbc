/**
 * An account at a client, as a request needs to know it: read once a request, for the interaction policy, the
 * grant loader and the claims.
 */

import type { KoaContextWithOIDC } from "oidc-provider";
import type { Clock } from "../clock.ts";
import type { AccountAtClient } from "../domain/admission.ts";
import { type Admission, decideAdmission } from "../domain/admission.ts";
import { asAccountId, asClientId, asGrantId, asProfileId, type ProfileId } from "../domain/ids.ts";
import type { AccountAtClientStore, AccountOfGrant } from "../storage/contract.ts";
import { currentContext, portalSettings } from "./internals.ts";
import { readAuthorizationRequest } from "./request-parameters.ts";
import { withStoreErrors } from "./store-errors.ts";

export interface AccountsAtClient {
  /** What the session's account is at the client of the request. One read a request, whoever asks. */
  ofAccount(ctx: KoaContextWithOIDC, accountId: string): Promise<AccountAtClient | undefined>;
  /** Who this authorization request is admitted as, or undefined while nobody is signed in. */
  admission(ctx: KoaContextWithOIDC): Promise<Admission | undefined>;
  /** Forgets what was read of accounts in this request, because it turned out to be so no longer. */
  forgetAccounts(ctx: KoaContextWithOIDC): void;
  /**
   * What a grant speaks for. One read a request; reading it early lets a code's winner go on when a loser
   * revokes.
   */
  ofGrant(grantId: string): Promise<AccountOfGrant | undefined>;
}

/** Makes the per-request memory over the store. */
export function createAccountsAtClient(
  accountsAtClients: AccountAtClientStore,
  clock: Clock,
): AccountsAtClient {
  const byAccount = new WeakMap<object, Map<string, Promise<AccountAtClient | undefined>>>();
  const byGrant = new WeakMap<object, Map<string, Promise<AccountOfGrant | undefined>>>();

  const ofAccount: AccountsAtClient["ofAccount"] = (ctx, accountId) => {
    const clientId = ctx.oidc.client?.clientId;
    if (clientId === undefined) return Promise.resolve(undefined);
    return remember(byAccount, ctx, accountId, () =>
      withStoreErrors(
        accountsAtClients.forClient(
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
      const read = () => withStoreErrors(accountsAtClients.forGrant(asGrantId(grantId), clock.now()));
      const ctx = currentContext();
      return ctx === undefined ? read() : remember(byGrant, ctx, grantId, read);
    },
    admission: async (ctx) => {
      const { account, client, params, result } = ctx.oidc;
      if (account === undefined || client === undefined) return undefined;
      const accountAtClient = await ofAccount(ctx, account.accountId);
      if (accountAtClient === undefined) return undefined;
      return decideAdmission({
        accountAtClient,
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
  const reading = read();
  ofRequest.set(key, reading);
  return reading;
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
