/**
 * The rule that an owner remains, in MongoDB: somebody is left who may do everything, whoever takes that
 * from others at once.
 */

import { type ClientSession, ObjectId } from "mongodb";
import { isOwner } from "../../domain/edits.ts";
import type { Membership, OrganizationId, ProfileId } from "../../domain/records.ts";
import type { MongoDatabase } from "./database.ts";
import { type MembershipDocument, toMembership, toMembershipStages } from "./memberships.ts";

export interface OwnerGuard {
  /**
   * Makes this transaction and every other that changes who is an owner exclude each other. Each of them sees
   * what the one before has left, which the documents that they write don't see to: two owners may demote
   * each other.
   */
  exclude(session: ClientSession): Promise<void>;
  /** Whether there is an owner, as this transaction has it; one besides, when given. */
  isLeft(session: ClientSession, besides?: ProfileId): Promise<boolean>;
  /** Those who may do everything, as this transaction has them. */
  all(session: ClientSession): Promise<Membership[]>;
  /** Whether an owner is of the organization. */
  isIn(session: ClientSession, organizationId: OrganizationId): Promise<boolean>;
}

export function createOwnerGuard({ collections }: MongoDatabase): OwnerGuard {
  const { meta, profiles } = collections;

  const owners = async (
    session: ClientSession,
    match: { organizationId?: OrganizationId },
  ): Promise<Membership[]> => {
    // Every name is at least the empty text: this walks the index of administrators, who are few.
    const candidates = { adminRole: "owner", enabled: true, name: { $gte: "" }, ...match } as const;
    const found = await profiles
      .aggregate<MembershipDocument>([{ $match: candidates }, ...toMembershipStages], { session })
      .toArray();
    return found.map(toMembership).filter(({ profile, organization }) => isOwner(profile, organization));
  };

  return {
    async exclude(session) {
      const value = new ObjectId().toHexString();
      await meta.updateOne({ _id: "owners" }, { $set: { value } }, { session, upsert: true });
    },
    isLeft: async (session, besides) =>
      (await owners(session, {})).some(({ profile }) => profile.id !== besides),
    all: (session) => owners(session, {}),
    isIn: async (session, organizationId) => (await owners(session, { organizationId })).length > 0,
  };
}
