/**
 * Profiles together with their organizations, as MongoDB reads them: one set of aggregation stages, wherever
 * a profile stands.
 */

import type { Document } from "mongodb";
import type { Membership } from "../../domain/records.ts";
import { type OrganizationDocument, type ProfileDocument, toOrganization, toProfile } from "./documents.ts";

export interface MembershipDocument {
  profile: ProfileDocument;
  organization: OrganizationDocument;
}

/** Stages that turn profiles into memberships. */
export const toMembershipStages: readonly Document[] = [
  { $replaceRoot: { newRoot: { profile: "$$ROOT" } } },
  {
    $lookup: {
      from: "organizations",
      localField: "profile.organizationId",
      foreignField: "_id",
      as: "organization",
    },
  },
  { $unwind: "$organization" },
];

/** Stages that add `profile` and `organization` to documents which name a `profileId`. */
export const withMembershipStages: readonly Document[] = [
  { $lookup: { from: "profiles", localField: "profileId", foreignField: "_id", as: "profile" } },
  { $unwind: "$profile" },
  {
    $lookup: {
      from: "organizations",
      localField: "profile.organizationId",
      foreignField: "_id",
      as: "organization",
    },
  },
  { $unwind: "$organization" },
];

export function toMembership({ profile, organization }: MembershipDocument): Membership {
  return { profile: toProfile(profile), organization: toOrganization(organization) };
}
