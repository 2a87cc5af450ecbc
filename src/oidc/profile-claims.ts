/**
 * The claims that portals get about a profile. Free of the provider, which takes time to load: commands show
 * examples.
 */

import type { Instant } from "../clock.ts";
import { planHolds } from "../domain/access.ts";
import type { Membership } from "../domain/records.ts";

/**
 * The claims of a chosen profile. `email_verified` holds only for the very address that its link proved.
 * Times are seconds since the epoch, as a JWT's own are (NumericDate, RFC 7519, section 2).
 */
export function profileClaims({ profile, organization }: Membership, now: Instant): Record<string, unknown> {
  const { plan } = organization;
  return {
    name: profile.name,
    email: profile.email,
    email_verified: profile.provenEmailVersion === profile.emailVersion,
    profile_id: profile.id,
    organization: {
      id: organization.id,
      name: organization.name,
      account_number: organization.accountNumber,
      kind: organization.kind,
    },
    roles: profile.roles,
    service_plan: {
      status: planHolds(plan, now) || plan.status !== "active" ? plan.status : "expired",
      expires_at: plan.expiresAt === null ? null : Math.floor(plan.expiresAt / 1000),
    },
  };
}
