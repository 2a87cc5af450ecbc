/**
 * The access policy: whom a portal admits, and why not. Pure; evaluated at first sign-in, on every SSO reuse and on every
 * refresh, always by this one function.
 */

import type { Instant } from "../clock.ts";
import type { AccessPolicy, Membership } from "../storage/records.ts";

export type RefusalReason =
  | "profile_disabled"
  | "organization_disabled"
  | "kind_not_admitted"
  | "plan_missing"
  | "plan_suspended"
  | "plan_expired"
  | "role_missing";

/** All reasons why the policy refuses a membership at `now`; empty means it is admitted. */
export function refusals(policy: AccessPolicy, { profile, organization }: Membership, now: Instant): RefusalReason[] {
  const reasons: RefusalReason[] = [];
  if (!profile.enabled) reasons.push("profile_disabled");
  if (!organization.enabled) reasons.push("organization_disabled");
  if (!policy.kinds.includes(organization.kind)) {
    // What follows from a plan or a role says nothing to someone whose organization isn't of the kind at all.
    reasons.push("kind_not_admitted");
    return reasons;
  }
  const planReason = policy.planRequired ? planRefusal(organization.plan, now) : undefined;
  if (planReason !== undefined) reasons.push(planReason);
  if (policy.roles.length > 0 && !policy.roles.some((role) => profile.roles.includes(role))) {
    reasons.push("role_missing");
  }
  return reasons;
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
