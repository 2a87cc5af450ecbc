/** Profiles with their organizations, and link requests, as they are read: rows as records and back. */

import type { ProfileId } from "../../domain/ids.ts";
import type { LinkRequest, Membership, Organization, Profile } from "../../domain/records.ts";
import { get, getAll, type New, type Steps } from "../steps.ts";
import { type LinkRequestRow, type OrganizationRow, organizations, profiles } from "../tables.ts";

export function toOrganization({ planStatus, planExpiresAt, ...row }: OrganizationRow): Organization {
  return { ...row, plan: { status: planStatus, expiresAt: planExpiresAt } };
}

export function organizationRow({ plan, ...organization }: Organization): OrganizationRow {
  return { ...organization, planStatus: plan.status, planExpiresAt: plan.expiresAt };
}

export function toLinkRequest(row: LinkRequestRow): LinkRequest {
  const { issuer, subject, upstreamId, accountId, requesterEmail, requesterName, ...rest } = row;
  const { organizationId: _organization, seq: _place, ...request } = rest;
  const requester = { issuer, subject, upstreamId, accountId };
  return { ...request, requester: { ...requester, email: requesterEmail, displayName: requesterName } };
}

export function linkRequestRow(
  { requester, ...request }: LinkRequest,
  organizationId: Organization["id"],
): New<LinkRequestRow> {
  const { issuer, subject, upstreamId, accountId, email, displayName } = requester;
  const by = { issuer, subject, upstreamId, accountId, requesterEmail: email, requesterName: displayName };
  return { ...request, ...by, organizationId };
}

export function* organizationOf(id: Organization["id"]): Steps<Organization | undefined> {
  const row = yield* get(organizations, id);
  return row && toOrganization(row);
}

export function* membershipOf(profileId: ProfileId): Steps<Membership | undefined> {
  const profile = yield* get(profiles, profileId);
  const [membership] = yield* withOrganizations(profile === undefined ? [] : [profile]);
  return membership;
}

/** Profiles with their organizations, in the same order. */
export function* withOrganizations(found: readonly Profile[]): Steps<Membership[]> {
  const rows = yield* getAll(
    organizations,
    found.map(({ organizationId }) => organizationId),
  );
  const byId = new Map(rows.map((row) => [row.id, toOrganization(row)]));
  return found.flatMap((profile) => {
    const organization = byId.get(profile.organizationId);
    return organization === undefined ? [] : [{ profile, organization }];
  });
}
