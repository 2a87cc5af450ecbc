/**
 * Which profile an account speaks for at a portal. One pure function serves the interaction policy's checks,
 * the dispatcher, and the waiting tab, so that they can't disagree.
 */

import type { Instant } from "../clock.ts";
import { type RefusalReason, refusals } from "./access.ts";
import type { AccessPolicy, AccountId, Identity, Membership, ProfileId, Selection } from "./records.ts";

/** All that a decision about an account at a portal needs, in one read. */
export interface AccountAtClient {
  accountId: AccountId;
  /** The account's bound profiles with their organizations, disabled ones too, in a stable order. */
  memberships: Membership[];
  /**
   * The selection that this session holds for this client, or null. Of several it is the one that no other
   * replaced, or the newest where what replaced it has been ended.
   */
  current: Selection | null;
  /** The profile chosen last by this account at this client, or null. */
  rememberedProfileId: ProfileId | null;
  /** The most recently used identity, for *signed in as X at Y*. */
  identity: Identity | null;
}

export interface Refusal {
  membership: Membership;
  reasons: RefusalReason[];
}

export type Admission =
  /** No profile is bound to the account. */
  | { kind: "unlinked" }
  /** Some are bound, none opens this portal. */
  | { kind: "not_admitted"; refusals: Refusal[] }
  /** Several open it and nothing says which, or what says it would switch what the person uses. */
  | Choice
  | { kind: "admitted"; membership: Membership; choices: Membership[] };

/** A choice that only the person may make. */
export interface Choice {
  kind: "choose";
  choices: Membership[];
  /** The profile that this session uses at the portal, also where it is none of the choices any more. */
  current: ProfileId | null;
  /** The one of the choices that the portal's `profile_hint` asks for instead. */
  hinted: ProfileId | null;
}

export interface AdmissionQuestion {
  accountAtClient: AccountAtClient;
  policy: AccessPolicy;
  /** The profile that the person has just chosen in this authorization request. */
  chosen?: ProfileId | undefined;
  /** The portal's `profile_hint`. */
  hint?: string | undefined;
  now: Instant;
}

/**
 * Decides by what is stored; a wish counts only if its profile is admissible now. First comes what the person
 * has just chosen. What the session uses at the portal goes on by itself and is switched by the person alone:
 * where the portal's hint names another profile, and where the one in use is no longer admissible, the person
 * is asked. A session that uses none yet takes the hint, the last choice remembered, or the only admissible
 * profile.
 */
export function decideAdmission({
  accountAtClient,
  policy,
  chosen,
  hint,
  now,
}: AdmissionQuestion): Admission {
  if (accountAtClient.memberships.length === 0) return { kind: "unlinked" };
  const judged = accountAtClient.memberships.map((membership) => ({
    membership,
    reasons: refusals(policy, membership, now),
  }));
  const choices = judged.filter(({ reasons }) => reasons.length === 0).map(({ membership }) => membership);
  const [only, ...others] = choices;
  if (only === undefined) return { kind: "not_admitted", refusals: judged };
  const find = (wish: string | null | undefined) => choices.find(({ profile }) => profile.id === wish);
  const [byHand, hinted] = [find(chosen), find(hint)];
  if (byHand !== undefined) return { kind: "admitted", membership: byHand, choices };

  const current = accountAtClient.current?.profileId ?? null;
  if (current !== null) {
    const selected = find(current);
    const isAskedFor = hinted === undefined || hinted === selected;
    if (selected !== undefined && isAskedFor) return { kind: "admitted", membership: selected, choices };
    return { kind: "choose", choices, current, hinted: hinted?.profile.id ?? null };
  }
  const wished =
    hinted ?? find(accountAtClient.rememberedProfileId) ?? (others.length === 0 ? only : undefined);
  if (wished !== undefined) return { kind: "admitted", membership: wished, choices };
  return { kind: "choose", choices, current, hinted: null };
}
