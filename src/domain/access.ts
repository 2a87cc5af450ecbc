/**
 * The access policy: whom a portal admits, and why not. Pure; evaluated at first sign-in, on every SSO reuse
 * and on every refresh, always by this one function.
 */

import type { Instant } from "../clock.ts";
import type { AccessPolicy, Membership } from "./records.ts";

export type RefusalReason =
  | "profile_disabled"
  | "organization_disabled"
  | "kind_not_admitted"
  | "plan_missing"
  | "plan_suspended"
  | "plan_expired"
  | "role_missing";

export type Rule = "profile_enabled" | "organization_enabled" | "kind" | "plan" | "role";

/** What one rule of a policy says about a membership. */
export interface Judgement {
  rule: Rule;
  /**
   * not_needed: the policy doesn't ask for it · not_reached: says nothing to whose organization isn't of an
   * admitted kind.
   */
  verdict: "passed" | "failed" | "not_needed" | "not_reached";
  /** Why it failed; null unless it did. */
  reason: RefusalReason | null;
}

/** Every rule of the policy and what it says about a membership at `now`. It is admitted if none failed. */
export function judge(
  policy: AccessPolicy,
  { profile, organization }: Membership,
  now: Instant,
): Judgement[] {
  const isOfKind = policy.kinds.includes(organization.kind);
  const hasRole = policy.roles.some((role) => profile.roles.includes(role));
  // What follows from a plan or a role says nothing to someone whose organization isn't of the kind at all.
  const further = (rule: Rule, isNeeded: boolean, reason: RefusalReason | undefined): Judgement => {
    if (!isOfKind) return { rule, verdict: "not_reached", reason: null };
    return isNeeded ? verdict(rule, reason) : { rule, verdict: "not_needed", reason: null };
  };
  return [
    verdict("profile_enabled", profile.enabled ? undefined : "profile_disabled"),
    verdict("organization_enabled", organization.enabled ? undefined : "organization_disabled"),
    verdict("kind", isOfKind ? undefined : "kind_not_admitted"),
    further("plan", policy.planRequired, planRefusal(organization.plan, now)),
    further("role", policy.roles.length > 0, hasRole ? undefined : "role_missing"),
  ];
}

function verdict(rule: Rule, reason: RefusalReason | undefined): Judgement {
  return reason === undefined
    ? { rule, verdict: "passed", reason: null }
    : { rule, verdict: "failed", reason };
}

/** All reasons why the policy refuses a membership at `now`; empty means it is admitted. */
export function refusals(policy: AccessPolicy, membership: Membership, now: Instant): RefusalReason[] {
  return judge(policy, membership, now).flatMap(({ reason }) => reason ?? []);
}

function planRefusal(plan: Membership["organization"]["plan"], now: Instant): RefusalReason | undefined {
  if (plan.status === "none") return "plan_missing";
  if (plan.status === "suspended") return "plan_suspended";
  return planHolds(plan, now) ? undefined : "plan_expired";
}

/** Whether a service plan is active and unexpired at `now`. */
export function planHolds(plan: Membership["organization"]["plan"], now: Instant): boolean {
  return plan.status === "active" && (plan.expiresAt === null || now < plan.expiresAt);
}
