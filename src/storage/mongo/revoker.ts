/** Owns what revoking a grant removes, inside the transaction of whatever revokes it. */

import { createHash, randomUUID } from "node:crypto";
import { type ClientSession, type Filter, ObjectId } from "mongodb";
import type { Instant } from "../../clock.ts";
import type { ArtifactModel, Revocation } from "../contract.ts";
import type { ClientId, GrantId, OrganizationId, ProfileId, SecretHash, Selection } from "../records.ts";
import { oncePerSignIn } from "../selecting.ts";
import type { MongoDatabase } from "./database.ts";
import { at, type SelectionDocument, toSelection } from "./documents.ts";

export interface Revoker {
  /** Removes the grants' tokens, the grants themselves and their selections. */
  grants(session: ClientSession, grantIds: readonly GrantId[]): Promise<void>;
  /**
   * Revokes every grant that speaks for the profile (at one client, when given); tells of those that still held at `now`, and
   * has their portals told.
   */
  profile(session: ClientSession, profileId: ProfileId, now: Instant, clientId?: ClientId): Promise<Revocation>;
  /** The same for every profile of an organization. */
  organization(
    session: ClientSession,
    organizationId: OrganizationId,
    now: Instant,
    clientId?: ClientId,
  ): Promise<Revocation>;
  /** The same for one grant. */
  one(session: ClientSession, grantId: GrantId, now: Instant): Promise<Revocation>;
  /** The same for every grant made in a session. */
  session(session: ClientSession, sessionUid: string, now: Instant): Promise<Revocation>;
  /** Revokes every grant of a client; nobody is told, for the client is going. */
  client(session: ClientSession, clientId: ClientId): Promise<void>;
}

export const artifactId = (model: ArtifactModel, idHash: SecretHash) => `${model}:${idHash}`;

export function createRevoker({ collections }: MongoDatabase): Revoker {
  const { artifacts, selections, sessions, signOuts } = collections;

  const grants = async (session: ClientSession, grantIds: readonly GrantId[]) => {
    if (grantIds.length === 0) return;
    await artifacts.deleteMany({ grantId: { $in: [...grantIds] } }, { session });
    const hashes = grantIds.map((grantId) => createHash("sha256").update(grantId).digest("base64url"));
    await artifacts.deleteMany({ _id: { $in: hashes.map((hash) => artifactId("Grant", hash)) } }, { session });
    await selections.deleteMany({ _id: { $in: [...grantIds] } }, { session });
  };

  /** Queues what tells the portals of grants, under the ids that they know the sessions by. */
  const queueSignOuts = async (session: ClientSession, live: readonly Selection[], now: Instant) => {
    if (live.length === 0) return;
    const uids = [...new Set(live.map(({ sessionUid }) => sessionUid))];
    const found = await sessions.find({ _id: { $in: uids } }, { session, projection: { clients: 1 } }).toArray();
    const clientsOf = new Map(found.map(({ _id, clients }) => [_id, clients]));
    await signOuts.insertMany(
      oncePerSignIn(live).map(({ sessionUid, clientId, accountId }) => {
        const sid = clientsOf.get(sessionUid)?.find((client) => client.clientId === clientId)?.sid ?? null;
        const times = { createdAt: at(now), dueAt: at(now) };
        const id = { _id: randomUUID(), seq: new ObjectId() };
        return { ...id, clientId, accountId, sid, ...times, attempts: 0, leaseWorker: null };
      }),
      { session },
    );
  };

  const revokeAll = async (session: ClientSession, filter: Filter<SelectionDocument>, now: Instant) => {
    const found = (await selections.find(filter, { session }).sort({ _id: 1 }).toArray()).map(toSelection);
    await grants(
      session,
      found.map(({ grantId }) => grantId),
    );
    const live = found.filter(({ expiresAt }) => expiresAt > now);
    await queueSignOuts(session, live, now);
    return {
      revokedGrants: live.map(({ grantId, clientId, accountId, sessionUid }) => {
        return { grantId, clientId, accountId, sessionUid };
      }),
    };
  };

  return {
    grants,
    profile: (session, profileId, now, clientId) =>
      revokeAll(session, clientId === undefined ? { profileId } : { profileId, clientId }, now),
    organization: (session, organizationId, now, clientId) =>
      revokeAll(session, clientId === undefined ? { organizationId } : { organizationId, clientId }, now),
    one: (session, grantId, now) => revokeAll(session, { _id: grantId }, now),
    session: (session, sessionUid, now) => revokeAll(session, { sessionUid }, now),
    client: async (session, clientId) => {
      const found = await selections.find({ clientId }, { session, projection: { _id: 1 } }).toArray();
      await grants(
        session,
        found.map(({ _id }) => _id),
      );
    },
  };
}
