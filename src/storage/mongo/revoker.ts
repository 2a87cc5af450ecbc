/** Owns what revoking a grant removes, inside the transaction of whatever revokes it. */

import { createHash, randomUUID } from "node:crypto";
import { type ClientSession, type Filter, ObjectId } from "mongodb";
import type { Instant } from "../../clock.ts";
import type { ArtifactModel, Revocation } from "../contract.ts";
import type { ClientId, GrantId, OrganizationId, ProfileId, SecretHash, Selection } from "../records.ts";
import { oncePerSignIn, signInKey, TOKEN_MODELS } from "../selecting.ts";
import type { MongoDatabase } from "./database.ts";
import { at, type SelectionDocument, toSelection } from "./documents.ts";
import { succeed } from "./succession.ts";

export interface Revoker {
  /**
   * Removes the grants' tokens, the grants themselves and their selections. What they had replaced goes on: see succession.ts.
   */
  grants(session: ClientSession, grantIds: readonly GrantId[]): Promise<void>;
  /**
   * Revokes every grant that speaks for the profile (at one client, when given); tells of those that still held at `now`, and
   * has their portals told: once for each session, and not of a grant that came to nothing while the portal is on another.
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

type RevokedSelection = Selection & { isRedeemed: boolean };

/** The ids of artifacts that are tokens. */
const TOKEN_ID = new RegExp(`^(?:${TOKEN_MODELS.join("|")}):`);

export const artifactId = (model: ArtifactModel, idHash: SecretHash) => `${model}:${idHash}`;

export function createRevoker({ collections }: MongoDatabase): Revoker {
  const { artifacts, selections, sessions, signOuts } = collections;

  const grants = async (session: ClientSession, grantIds: readonly GrantId[]) => {
    if (grantIds.length === 0) return;
    await artifacts.deleteMany({ grantId: { $in: [...grantIds] } }, { session });
    const hashes = grantIds.map((grantId) => createHash("sha256").update(grantId).digest("base64url"));
    await artifacts.deleteMany({ _id: { $in: hashes.map((hash) => artifactId("Grant", hash)) } }, { session });
    await selections.deleteMany({ _id: { $in: [...grantIds] } }, { session });
    await succeed(collections, session, grantIds);
  };

  /** Those for whose code the portal was given anything. */
  const redeemedOf = async (session: ClientSession, grantIds: readonly GrantId[]): Promise<Set<GrantId>> => {
    if (grantIds.length === 0) return new Set();
    const given = artifacts.aggregate<{ _id: GrantId }>(
      [
        { $match: { grantId: { $in: grantIds }, $or: [{ _id: TOKEN_ID }, { consumed: { $exists: true } }] } },
        { $group: { _id: "$grantId" } },
      ],
      { session },
    );
    return new Set((await given.toArray()).map(({ _id }) => _id));
  };

  /** Of the sign-ins that grants ended in, those whose portal has to know: see Revoker.profile. */
  const signInsToTell = async (session: ClientSession, live: readonly RevokedSelection[], now: Instant) => {
    const signIns = oncePerSignIn(live);
    const sessionUids = signIns.filter(({ isRedeemed }) => !isRedeemed).map(({ sessionUid }) => sessionUid);
    if (sessionUids.length === 0) return signIns;
    const filter = { sessionUid: { $in: sessionUids }, expiresAt: { $gt: at(now) } };
    const left = await selections.find(filter, { session }).toArray();
    const ids = left.map(({ _id }) => _id);
    const redeemed = await redeemedOf(session, ids);
    const goOn = new Set(left.filter(({ _id }) => redeemed.has(_id)).map(signInKey));
    return signIns.filter((one) => one.isRedeemed || !goOn.has(signInKey(one)));
  };

  /** Queues what tells the portals of grants, under the ids that they know the sessions by. */
  const queueSignOuts = async (session: ClientSession, live: readonly RevokedSelection[], now: Instant) => {
    const told = await signInsToTell(session, live, now);
    if (told.length === 0) return;
    const uids = [...new Set(told.map(({ sessionUid }) => sessionUid))];
    const found = await sessions.find({ _id: { $in: uids } }, { session, projection: { clients: 1 } }).toArray();
    const clientsOf = new Map(found.map(({ _id, clients }) => [_id, clients]));
    await signOuts.insertMany(
      told.map(({ sessionUid, clientId, accountId }) => {
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
    const ids = found.map(({ grantId }) => grantId);
    const redeemed = await redeemedOf(session, ids);
    await grants(session, ids);
    const live = found
      .filter(({ expiresAt }) => expiresAt > now)
      .map((one) => ({ ...one, isRedeemed: redeemed.has(one.grantId) }));
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
