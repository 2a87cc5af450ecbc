/**
 * What selecting a profile comes to, worked out from the selections that a session already has at the client:
 * pure, and the same for every back end, which reads before it and writes after it in one transaction.
 */

import type { Instant } from "../clock.ts";
import type { GrantId, Selection, SignIn } from "./records.ts";

/** A selection and the grant that was made in its place, if one was. */
export interface SessionSelection {
  selection: Selection;
  replacedBy: GrantId | null;
}

export type SelectionPlan =
  /** The profile is selected already, under this grant. */
  | { kind: "unchanged"; grantId: GrantId }
  /** Nobody's hand chose it, and another profile is selected: nothing may be changed. */
  | { kind: "other_selected" }
  /**
   * It gets a grant of its own; `ended` go at once, `revoked` are those of them that still held, and the rest
   * waits.
   */
  | { kind: "made"; ended: GrantId[]; revoked: GrantId[] };

/**
 * Plans the selection of a profile, where `existing` are all selections of its session at its client. One of
 * another account, or one that has expired, ends at once. One of another profile goes on until the code of
 * the new grant is redeemed, and is left alone unless the person chose (`byHand`).
 */
export function planSelection(
  { accountId, profileId }: Selection,
  existing: readonly SessionSelection[],
  now: Instant,
  { byHand }: { byHand: boolean },
): SelectionPlan {
  const live = existing.filter(({ selection }) => selection.expiresAt > now);
  const own = live.filter(({ selection }) => selection.accountId === accountId);
  const current = currentOf(own);
  if (current?.profileId === profileId) return { kind: "unchanged", grantId: current.grantId };
  if (current !== undefined && !byHand) return { kind: "other_selected" };
  const idsOf = (some: readonly SessionSelection[]) => some.map(({ selection }) => selection.grantId);
  return {
    kind: "made",
    ended: idsOf(existing.filter((one) => !own.includes(one))),
    revoked: idsOf(live.filter((one) => !own.includes(one))),
  };
}

/**
 * The current one of an account's live selections: which no other replaced, or else the newest, because the
 * one in its place has been ended before it came to anything. Back ends read it in the same order.
 */
export function currentOf(live: readonly SessionSelection[]): Selection | undefined {
  const [first] = live.toSorted(
    (one, other) =>
      Number(one.replacedBy !== null) - Number(other.replacedBy !== null) ||
      other.selection.expiresAt - one.selection.expiresAt ||
      (other.selection.grantId > one.selection.grantId ? 1 : -1),
  );
  return first?.selection;
}

/** The same text for the grants of one sign-in alone. */
export const signInKey = ({ sessionUid, clientId }: SignIn): string => JSON.stringify([sessionUid, clientId]);

/**
 * Models of what is made of a grant once its code is redeemed. That a portal has been given any, or that a
 * code is consumed, shows that it may be signed in by that grant.
 */
export const TOKEN_MODELS = ["AccessToken", "RefreshToken"] as const;

/** One of the grants of each sign-in, and one that was redeemed if any of them was. */
export function oncePerSignIn<T extends SignIn & { isRedeemed: boolean }>(grants: readonly T[]): T[] {
  const redeemedLast = grants.toSorted((one, other) => Number(one.isRedeemed) - Number(other.isRedeemed));
  return [...new Map(redeemedLast.map((grant) => [signInKey(grant), grant])).values()];
}
