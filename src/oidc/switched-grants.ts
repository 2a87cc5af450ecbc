/**
 * Keeps both grants good while a person switches profiles: the one that is in use, and the one in its place
 * until its code is redeemed. oidc-provider knows one grant for each client of a session; what a session's
 * grants are, the selections say.
 */

import type { AdapterPayload } from "oidc-provider";
import { asGrantId } from "../domain/ids.ts";
import type { GrantId } from "../domain/records.ts";
import type { AccountOfGrant, SessionAuthorization } from "../storage/contract.ts";
import { currentContext, type SessionBinding, sessionBinding } from "./internals.ts";

export interface SwitchedGrants {
  /**
   * Notes a code or token that was found: its grant's selection is read before anything is decided about it.
   */
  found(model: string, id: string, payload: AdapterPayload): Promise<void>;
  /** The grants that redeeming a code ends. Undefined if the code wasn't found in this request. */
  endedBy(code: string): readonly GrantId[] | undefined;
  /**
   * A session as the token found last in this request is held against it: naming the token's own grant, if
   * that is one of the session's, though the session itself names the newest.
   */
  asComparedWith(uid: string, session: AdapterPayload): Promise<AdapterPayload>;
}

/** `ofGrant` reads what a grant speaks for, once a request. */
export function createSwitchedGrants(
  ofGrant: (grantId: GrantId) => Promise<AccountOfGrant | undefined>,
): SwitchedGrants {
  const ends = new WeakMap<object, Map<string, readonly GrantId[]>>();
  const bindings = new WeakMap<object, SessionBinding>();

  return {
    found: async (model, id, payload) => {
      const context = currentContext();
      const binding = sessionBinding(payload);
      if (context !== undefined && binding !== undefined) bindings.set(context, binding);
      const isGrantSource = model === "AuthorizationCode" || model === "RefreshToken";
      if (!isGrantSource || payload.grantId === undefined) return;
      const accountAtClient = await ofGrant(asGrantId(payload.grantId));
      if (context === undefined || model !== "AuthorizationCode") return;
      const ofRequest = ends.get(context) ?? new Map<string, readonly GrantId[]>();
      ends.set(context, ofRequest.set(id, accountAtClient?.replaces ?? []));
    },

    endedBy: (code) => {
      const context = currentContext();
      return context && ends.get(context)?.get(code);
    },

    asComparedWith: async (uid, session) => {
      const context = currentContext();
      const binding = context && bindings.get(context);
      if (binding === undefined || binding.uid !== uid) return session;
      const { clientId, grantId } = binding;
      const authorizations = (session.authorizations ?? {}) as Record<string, SessionAuthorization>;
      const share = Object.hasOwn(authorizations, clientId) ? authorizations[clientId] : undefined;
      if (share?.grantId === undefined || share.grantId === grantId) return session;
      const selection = (await ofGrant(asGrantId(grantId)))?.selection;
      if (selection?.sessionUid !== uid || selection.clientId !== clientId) return session;
      const named = Object.entries({ ...authorizations, [clientId]: { ...share, grantId } });
      return { ...session, authorizations: Object.fromEntries(named) } as AdapterPayload;
    },
  };
}
