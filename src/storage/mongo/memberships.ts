/**
 * Profiles together with their organizations, as MongoDB reads them: one set of aggregation stages, wherever
 * a profile stands.
 */

import type { Document } from "mongodb";
import type { Membership } from "../../domain/records.ts";
import { toOrganization } from "../intentions/memberships.ts";
import { organizations, profiles } from "../tables.ts";
import type { Documents } from "./documents.ts";
import { toRow } from "./engine.ts";

export interface MembershipDocument {
  profile: Documents["profiles"];
  organization: Documents["organizations"];
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
  return {
    profile: toRow(profiles, profile),
    organization: toOrganization(toRow(organizations, organization)),
  };
}
