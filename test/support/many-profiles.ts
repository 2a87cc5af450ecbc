/**
 * Fills a database of the MongoDB back end with so many profiles, in organizations of twenty, past the store:
 * for size alone.
 */

import type { Db } from "mongodb";
import { asAccountId, asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import type { OrganizationDocument, ProfileDocument } from "../../src/storage/mongo/documents.ts";

const BATCH = 10_000;
const PER_ORGANIZATION = 20;

export async function insertProfiles(db: Db, count: number): Promise<void> {
  const organizations = db.collection<OrganizationDocument>("organizations");
  const profiles = db.collection<ProfileDocument>("profiles");
  const quick = { ordered: false, writeConcern: { w: 1 } } as const;
  for (let first = 0; first < count; first += BATCH) {
    const indexes = Array.from({ length: Math.min(BATCH, count - first) }, (_, offset) => first + offset);
    const heads = indexes.filter((index) => index % PER_ORGANIZATION === 0);
    await organizations.insertMany(heads.map(organization), quick);
    await profiles.insertMany(indexes.map(profile), quick);
  }
  // Everything is where a majority has it before anybody measures.
  await organizations.insertOne(organization(-PER_ORGANIZATION), { writeConcern: { w: "majority" } });
}

function organization(index: number): OrganizationDocument {
  return {
    _id: asOrganizationId(`many-${index / PER_ORGANIZATION}`),
    name: `Organization ${index}`,
    accountNumber: `M-${index}`,
    enabled: true,
    kind: "customer",
    plan: { status: "active", expiresAt: null },
  };
}

function profile(index: number): ProfileDocument {
  const email = `many-${index}@registered.example`;
  return {
    _id: asProfileId(`many-${index}`),
    organizationId: asOrganizationId(`many-${Math.floor(index / PER_ORGANIZATION)}`),
    email,
    emailKey: email,
    emailVersion: 1,
    name: `Person ${index}`,
    roles: ["user"],
    enabled: true,
    adminRole: null,
    invitedAt: null,
    accountId: index % 2 === 0 ? null : asAccountId(`account-${index}`),
    boundAt: null,
    provenEmailVersion: null,
  };
}
