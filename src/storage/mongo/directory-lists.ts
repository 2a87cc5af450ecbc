/** Lists of organizations and profiles in MongoDB: by name, or by what somebody typed. */

import type { Membership, Organization } from "../../domain/records.ts";
import { organizationTexts, profileTexts } from "../../domain/search.ts";
import type { AdminStore } from "../contract.ts";
import { type Place, readPage } from "../paging.ts";
import type { MongoDatabase } from "./database.ts";
import {
  at,
  type OrganizationDocument,
  type ProfileDocument,
  toOrganization,
  toProfile,
} from "./documents.ts";
import { readBehind } from "./ranges.ts";
import type { SearchReader } from "./search-writer.ts";
import { readFound } from "./searching.ts";

type DirectoryLists = Pick<AdminStore, "organizations" | "memberships" | "expiringPlans">;

const BY_NAME = { order: ["name", "_id"], direction: 1 } as const;
const NAMED: Place = ["", ""];
const named = ({ name, id }: { name: string; id: string }): Place => [name, id];

export function createDirectoryLists(database: MongoDatabase, search: SearchReader): DirectoryLists {
  const { organizations } = database.collections;
  return {
    organizations: organizationList(database, search),
    memberships: membershipList(database, search),
    expiringPlans: (from, to, limit) =>
      database.run(async () => {
        const found = await organizations
          .find({ "plan.status": "active", "plan.expiresAt": { $gte: at(from), $lt: at(to) } })
          .sort({ "plan.expiresAt": 1 })
          .limit(limit)
          .toArray();
        return found.map(toOrganization);
      }),
  };
}

function organizationList(database: MongoDatabase, search: SearchReader): AdminStore["organizations"] {
  const { organizations } = database.collections;
  const find = async (ids: readonly string[]) =>
    (await organizations.find({ _id: { $in: [...ids] } }).toArray()).map(toOrganization);

  return ({ search: typed, kind, enabled }, page) =>
    database.run(() => {
      const fits = (one: Organization) =>
        (kind === undefined || one.kind === kind) && (enabled === undefined || one.enabled === enabled);
      if (typed !== undefined) {
        return readFound<Organization>(search, {
          kind: "organization",
          typed,
          page,
          find,
          idOf: ({ id }) => id,
          textsOf: organizationTexts,
          fits,
        });
      }
      const match: Partial<OrganizationDocument> =
        kind !== undefined ? { kind } : enabled === false ? { enabled } : {};
      return readPage<Organization, Organization>({
        page,
        begin: NAMED,
        placeOf: named,
        item: (one) => (fits(one) ? one : undefined),
        fetch: async ([name, id], limit) =>
          (await readBehind(organizations, { ...BY_NAME, match }, [name, id], limit)).map(toOrganization),
      });
    });
}

function membershipList(database: MongoDatabase, search: SearchReader): AdminStore["memberships"] {
  const { organizations, profiles } = database.collections;
  /** Keeps the order. */
  const withOrganizations = async (found: readonly ProfileDocument[]): Promise<Membership[]> => {
    const ids = [...new Set(found.map(({ organizationId }) => organizationId))];
    const documents = await organizations.find({ _id: { $in: ids } }).toArray();
    const byId = new Map(documents.map((document) => [document._id, toOrganization(document)]));
    return found.flatMap((document) => {
      const organization = byId.get(document.organizationId);
      return organization === undefined ? [] : [{ profile: toProfile(document), organization }];
    });
  };
  const find = async (ids: readonly string[]) =>
    withOrganizations(await profiles.find({ _id: { $in: [...ids] } }).toArray());

  return ({ search: typed, organizationId, accountId, enabled, isAdministrator }, page) =>
    database.run(() => {
      const fits = ({ profile }: Membership) =>
        (organizationId === undefined || profile.organizationId === organizationId) &&
        (accountId === undefined || profile.accountId === accountId) &&
        (enabled === undefined || profile.enabled === enabled) &&
        (isAdministrator === undefined || profile.adminRole !== null);
      if (typed !== undefined) {
        return readFound<Membership>(search, {
          kind: "profile",
          typed,
          page,
          find,
          fits,
          idOf: ({ profile }) => profile.id,
          textsOf: ({ profile }) => profileTexts(profile),
        });
      }
      // An account has few: they are sorted.
      const match =
        accountId !== undefined
          ? { accountId }
          : organizationId !== undefined
            ? { organizationId }
            : isAdministrator
              ? ({ adminRole: { $gt: "" } } as const)
              : enabled === false
                ? { enabled }
                : {};
      return readPage<Membership, Membership>({
        page,
        begin: NAMED,
        placeOf: ({ profile }) => named(profile),
        item: (one) => (fits(one) ? one : undefined),
        fetch: async ([name, id], limit) =>
          withOrganizations(await readBehind(profiles, { ...BY_NAME, match }, [name, id], limit)),
      });
    });
}
