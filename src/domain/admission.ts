/**
 * Which profile an account speaks for at a portal. One pure function serves the interaction policy's checks, the
 * dispatcher, and the waiting tab, so that they can't disagree.
 */

import type { Instant } from "../clock.ts";
import type { Standing } from "../storage/contract.ts";
import type { AccessPolicy, Membership, ProfileId } from "../storage/records.ts";
import { type RefusalReason, refusals } from "./access.ts";

export interface Refusal {
  membership: Membership;
  reasons: RefusalReason[];
}

export type Admission =
  /** No profile is bound to the account. */
  | { kind: "unlinked" }
  /** Some are bound, none opens this portal. */
  | { kind: "not_admitted"; refusals: Refusal[] }
  /** Several open it and nothing says which. */
  | { kind: "choose"; choices: Membership[] }
  | { kind: "admitted"; membership: Membership; choices: Membership[] };

export interface AdmissionQuestion {
  standing: Standing;
  policy: AccessPolicy;
  /** The profile that the person has just chosen in this authorization request. */
  chosen?: ProfileId | undefined;
  /** The portal's `profile_hint`. */
  hint?: ProfileId | undefined;
  now: Instant;
}

/**
 * Decides by what is stored: the choice just made, then the portal's hint, the session's current selection, the last
 * choice remembered, and the only admissible profile; each counts only if the profile is admissible now.
 */
export function decideAdmission({ standing, policy, chosen, hint, now }: AdmissionQuestion): Admission {
  if (standing.memberships.length === 0) return { kind: "unlinked" };
  const judged = standing.memberships.map((membership) => ({ membership, reasons: refusals(policy, membership, now) }));
  const choices = judged.filter(({ reasons }) => reasons.length === 0).map(({ membership }) => membership);
  const [only, ...others] = choices;
  if (only === undefined) return { kind: "not_admitted", refusals: judged };
  for (const wish of [chosen, hint, standing.current?.profileId, standing.rememberedProfileId]) {
    const membership = choices.find(({ profile }) => profile.id === wish);
    if (membership !== undefined) return { kind: "admitted", membership, choices };
  }
  return others.length === 0 ? { kind: "admitted", membership: only, choices } : { kind: "choose", choices };
}
