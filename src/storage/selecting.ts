/**
 * What selecting a profile comes to, worked out from the selections that a session already has at the client: pure, and the
 * same for every back end, which reads before it and writes after it in one transaction.
 */

import type { Instant } from "../clock.ts";
import type { GrantId, Selection } from "./records.ts";

/** A selection and the grant that was made in its place, if one was. */
export interface HeldSelection {
  selection: Selection;
  replacedBy: GrantId | null;
}

export type SelectionPlan =
  /** The profile is selected already, under this grant. */
  | { kind: "kept"; grantId: GrantId }
  /** Nobody's hand chose it, and another profile is selected: nothing may be changed. */
  | { kind: "held" }
  /** It gets a grant of its own; `ended` go at once, `revoked` are those of them that still held, and the rest waits. */
  | { kind: "made"; ended: GrantId[]; revoked: GrantId[] };

/**
 * Plans the selection of a profile, where `held` are all selections of its session at its client. One of another account, or
 * one that has expired, ends at once. One of another profile goes on until the code of the new grant is redeemed, and is left
 * alone unless the person chose (`byHand`).
 */
export function planSelection(
  { accountId, profileId }: Selection,
  held: readonly HeldSelection[],
  now: Instant,
  { byHand }: { byHand: boolean },
): SelectionPlan {
  const live = held.filter(({ selection }) => selection.expiresAt > now);
  const own = live.filter(({ selection }) => selection.accountId === accountId);
  const current = currentOf(own);
  if (current?.profileId === profileId) return { kind: "kept", grantId: current.grantId };
  if (current !== undefined && !byHand) return { kind: "held" };
  const idsOf = (some: readonly HeldSelection[]) => some.map(({ selection }) => selection.grantId);
  return {
    kind: "made",
    ended: idsOf(held.filter((one) => !own.includes(one))),
    revoked: idsOf(live.filter((one) => !own.includes(one))),
  };
}

/**
 * The current one of an account's live selections: which no other replaced, or else the newest, because the one in its place
 * has been ended before it came to anything. Back ends read it in the same order.
 */
function currentOf(live: readonly HeldSelection[]): Selection | undefined {
  const [first] = live.toSorted(
    (one, other) =>
      Number(one.replacedBy !== null) - Number(other.replacedBy !== null) ||
      other.selection.expiresAt - one.selection.expiresAt,
  );
  return first?.selection;
}

/** One of the grants for each client of each session: while a selection is being switched there are several. */
export function oncePerSignIn<T extends Pick<Selection, "sessionUid" | "clientId">>(grants: readonly T[]): T[] {
  return [...new Map(grants.map((grant) => [JSON.stringify([grant.sessionUid, grant.clientId]), grant])).values()];
}
