/** Owns what revoking a grant removes, inside the transaction of whatever revokes it. */

import { createHash } from "node:crypto";
import type { ClientSession, Filter } from "mongodb";
import type { Instant } from "../../clock.ts";
import type { ArtifactModel, Revocation } from "../contract.ts";
import type { GrantId, OrganizationId, ProfileId, SecretHash } from "../records.ts";
import type { MongoDatabase } from "./database.ts";
import { type SelectionDocument, toSelection } from "./documents.ts";

export interface Revoker {
  /** Removes the grants' tokens, the grants themselves and their selections. */
  grants(session: ClientSession, grantIds: readonly GrantId[]): Promise<void>;
  /** Revokes every grant that speaks for the profile; tells of those that still held at `now`. */
  profile(session: ClientSession, profileId: ProfileId, now: Instant): Promise<Revocation>;
  /** The same for every profile of an organization. */
  organization(session: ClientSession, organizationId: OrganizationId, now: Instant): Promise<Revocation>;
}

export const artifactId = (model: ArtifactModel, idHash: SecretHash) => `${model}:${idHash}`;

export function createRevoker({ collections }: MongoDatabase): Revoker {
  const { artifacts, selections } = collections;

  const grants = async (session: ClientSession, grantIds: readonly GrantId[]) => {
    if (grantIds.length === 0) return;
    await artifacts.deleteMany({ grantId: { $in: [...grantIds] } }, { session });
    const hashes = grantIds.map((grantId) => createHash("sha256").update(grantId).digest("base64url"));
    await artifacts.deleteMany({ _id: { $in: hashes.map((hash) => artifactId("Grant", hash)) } }, { session });
    await selections.deleteMany({ _id: { $in: [...grantIds] } }, { session });
  };

  const revokeAll = async (session: ClientSession, filter: Filter<SelectionDocument>, now: Instant) => {
    const found = (await selections.find(filter, { session }).sort({ _id: 1 }).toArray()).map(toSelection);
    await grants(
      session,
      found.map(({ grantId }) => grantId),
    );
    const live = found.filter(({ expiresAt }) => expiresAt > now);
    return {
      revokedGrants: live.map(({ grantId, clientId, accountId, sessionUid }) => {
        return { grantId, clientId, accountId, sessionUid };
      }),
    };
  };

  return {
    grants,
    profile: (session, profileId, now) => revokeAll(session, { profileId }, now),
    organization: (session, organizationId, now) => revokeAll(session, { organizationId }, now),
  };
}
