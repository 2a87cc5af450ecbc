/**
 * Revocation of grants in MongoDB: what goes with one, inside the transaction of whatever revokes it, and
 * how grants are ended many at a time.
 */

import { createHash } from "node:crypto";
import type { ClientSession } from "mongodb";
import type { Instant } from "../../clock.ts";
import { type Ending, MOST_AT_ONCE, MOST_OF_FAMILY, tellsPortals } from "../../domain/endings.ts";
import {
  type AccountId,
  asClientId,
  asGrantId,
  asOrganizationId,
  asProfileId,
  asSecretHash,
} from "../../domain/ids.ts";
import {
  type ClientId,
  CONSOLE_CLIENT_ID,
  type GrantId,
  type SecretHash,
  type Selection,
} from "../../domain/records.ts";
import { oncePerSignIn, signInKey, TOKEN_MODELS } from "../../domain/selecting.ts";
import type { ArtifactModel, Revocation } from "../contract.ts";
import { createBackChannelLogoutQueue } from "./back-channel-logout-queue.ts";
import type { MongoDatabase } from "./database.ts";
import { at, type SelectionDocument, toSelection } from "./documents.ts";
import { type EndingWriter, standingStages, standsStages } from "./endings.ts";
import { succeed } from "./succession.ts";
import type { Pipeline, Where } from "./typed-collection.ts";

export interface Revoker {
  /**
   * Removes the grants' tokens, the grants themselves and their selections. What they had replaced goes on:
   * see succession.ts. Of very many tokens, which are no use without their grant, the rest goes in the
   * background.
   */
  grants(session: ClientSession, grantIds: readonly GrantId[]): Promise<void>;
  /** Revokes one grant; tells of it if it still held at `now`, and has its portal told. */
  one(session: ClientSession, grantId: GrantId, now: Instant): Promise<Revocation>;
  /**
   * Ends every grant that there is under a client, an organization, a profile or a session. Up to `most` go
   * at once, and are told of as far as they still held at `now`: their portals are told, once for each
   * session, and not of a grant that came to nothing while the portal is on another. Of more the rows go in
   * the background (removePart), portals told from there.
   */
  end(session: ClientSession, ending: Ending, now: Instant, most?: number): Promise<Revocation>;
  /**
   * Removes some rows of an ending behind a place: looks at `most` selections at the most. Returns the grants
   * that went and the place behind which it goes on; null when nothing is left. Of what held at `endedAt` the
   * portals are told, unless they have been given another grant in that session since.
   */
  removePart(
    session: ClientSession,
    ending: Ending,
    part: { after: string; most: number; endedAt: Instant; now: Instant },
  ): Promise<{ grants: GrantId[]; next: string | null }>;
}

type RevokedSelection = Selection & { isRedeemed: boolean };

/** The ids of artifacts that are tokens. */
const TOKEN_ID = new RegExp(`^(?:${TOKEN_MODELS.join("|")}):`);

/** Long ago. */
const DUE_AT_ONCE: Instant = 1;

export const artifactId = (model: ArtifactModel, idHash: SecretHash) => `${model}:${idHash}`;

/** A selection under an ending, and whether it stands. */
type Under = SelectionDocument & { stands: boolean };

/** The selections of each ending. Those to the administration's pages are few, wherever they are of. */
const UNDER: Record<Exclude<Ending["kind"], "grant">, (id: string) => Where<SelectionDocument>> = {
  client: (id) => ({ clientId: asClientId(id) }),
  organization: (id) => ({ organizationId: asOrganizationId(id) }),
  profile: (id) => ({ profileId: asProfileId(id) }),
  organization_console: (id) => ({ clientId: CONSOLE_CLIENT_ID, organizationId: asOrganizationId(id) }),
  profile_console: (id) => ({ clientId: CONSOLE_CLIENT_ID, profileId: asProfileId(id) }),
  session: (sessionUid) => ({ sessionUid }),
};

export function createRevoker({ collections }: MongoDatabase, endings: EndingWriter): Revoker {
  const { artifacts, selections, rememberedChoices } = collections;
  const queueLogouts = createBackChannelLogoutQueue(collections);

  /** Removes some tokens of grants. Returns how many, and of which grants. */
  const deleteTokens = async (session: ClientSession, grantIds: readonly GrantId[], most: number) => {
    const filter = { grantId: { $in: [...grantIds] } };
    const found = await artifacts
      .find(filter, { session, projection: { grantId: 1 } })
      .limit(most)
      .toArray();
    if (found.length > 0)
      await artifacts.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } }, { session });
    return found.length;
  };

  const grants = async (session: ClientSession, grantIds: readonly GrantId[]) => {
    if (grantIds.length === 0) return;
    const most = MOST_OF_FAMILY * grantIds.length;
    // Which of them has so many isn't worth a look: of one that has none left there is nothing to be done.
    if ((await deleteTokens(session, grantIds, most)) === most) {
      for (const id of grantIds) await endings.begin(session, { kind: "grant", id }, DUE_AT_ONCE);
    }
    const hashes = grantIds.map((grantId) => createHash("sha256").update(grantId).digest("base64url"));
    await artifacts.deleteMany(
      { _id: { $in: hashes.map((hash) => artifactId("Grant", asSecretHash(hash))) } },
      { session },
    );
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

  /** Of the sign-ins that grants ended in, those whose portal has to know: see Revoker.end. */
  const signInsToTell = async (
    session: ClientSession,
    live: readonly RevokedSelection[],
    { now, isLater }: { now: Instant; isLater: boolean },
  ) => {
    const signIns = oncePerSignIn(live);
    const mayGoOn = signIns.filter(({ isRedeemed }) => isLater || !isRedeemed);
    if (mayGoOn.length === 0) return signIns;
    const sessionUids = mayGoOn.map(({ sessionUid }) => sessionUid);
    const match = { $match: { sessionUid: { $in: sessionUids }, expiresAt: { $gt: at(now) } } };
    const left = await selections
      .aggregate<SelectionDocument>([match, ...standingStages], { session })
      .toArray();
    const ids = left.map(({ _id }) => _id);
    const redeemed = await redeemedOf(session, ids);
    const goOn = new Set(left.filter(({ _id }) => redeemed.has(_id)).map(signInKey));
    return signIns.filter((one) => !mayGoOn.includes(one) || !goOn.has(signInKey(one)));
  };

  /** Removes grants; returns those of them that still held then. */
  const remove = async (session: ClientSession, gone: readonly Selection[], liveAt: Instant) => {
    const ids = gone.map(({ grantId }) => grantId);
    const redeemed = await redeemedOf(session, ids);
    await grants(session, ids);
    return gone
      .filter(({ expiresAt }) => expiresAt > liveAt)
      .map((one) => ({ ...one, isRedeemed: redeemed.has(one.grantId) }));
  };

  const revokeAll = async (
    session: ClientSession,
    found: readonly Selection[],
    now: Instant,
    { tells }: { tells: boolean },
  ): Promise<Revocation> => {
    const live = await remove(session, found, now);
    if (tells) await queueLogouts(session, await signInsToTell(session, live, { now, isLater: false }), now);
    return {
      revokedGrants: live.map(({ grantId, clientId, accountId, sessionUid }) => {
        return { grantId, clientId, accountId, sessionUid };
      }),
    };
  };

  /** Selections under an ending, behind a place, in order. */
  const under = async (
    session: ClientSession,
    { kind, id }: { kind: Exclude<Ending["kind"], "grant">; id: string },
    { after, most }: { after: string; most: number },
  ) => {
    const match = { $match: { ...UNDER[kind](id), _id: { $gt: after } } };
    const stages: Pipeline<SelectionDocument> = [
      match,
      { $sort: { _id: 1 } },
      { $limit: most },
      ...standsStages,
    ];
    return await selections.aggregate<Under>(stages, { session }).toArray();
  };
  const toOwn = ({ stands: _stands, ...document }: Under) => toSelection(document);

  /** With what else has ended of the same sign-ins, so that each is decided about and told of once. */
  const withSignIns = async (session: ClientSession, ended: readonly Selection[]): Promise<Selection[]> => {
    if (ended.length === 0) return [];
    const signIns = new Set(ended.map(signInKey));
    const match = {
      $match: { sessionUid: { $in: [...new Set(ended.map(({ sessionUid }) => sessionUid))] } },
    };
    const found = await selections.aggregate<Under>([match, ...standsStages], { session }).toArray();
    const others = found.filter(({ stands }) => !stands).map(toOwn);
    const all = [...ended, ...others.filter((one) => signIns.has(signInKey(one)))];
    return [...new Map(all.map((one) => [one.grantId, one])).values()];
  };

  /** Forgets some of the choices that were remembered of a client. Returns how many. */
  const forgetChoices = async (session: ClientSession, clientId: ClientId, most: number) => {
    const found = await rememberedChoices
      .find({ clientId }, { session, projection: { _id: 1 } })
      .limit(most)
      .toArray();
    if (found.length > 0)
      await rememberedChoices.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } }, { session });
    return found.length;
  };

  /** Once for each client of a session, by what the session holds for it, which is about to go. */
  const tellOfSession = async (session: ClientSession, sessionUid: string, now: Instant) => {
    const match = { $match: { sessionUid, expiresAt: { $gt: at(now) } } };
    const group = { $group: { _id: { clientId: "$clientId", accountId: "$accountId" } } };
    const found = await selections
      .aggregate<{ _id: { clientId: ClientId; accountId: AccountId } }>([match, group], { session })
      .toArray();
    const signIns = found.map(({ _id }) => ({ ..._id, sessionUid }));
    await queueLogouts(session, signIns, now);
  };

  return {
    grants,
    async one(session, grantId, now) {
      const found = await selections.find({ _id: grantId }, { session }).toArray();
      return await revokeAll(session, found.map(toSelection), now, { tells: true });
    },

    async end(session, ending, now, most = MOST_AT_ONCE) {
      const { kind, id } = ending;
      if (kind === "grant") throw new TypeError("a grant is revoked, not ended");
      const found = await under(session, { kind, id }, { after: "", most: most + 1 });
      const forgotten = kind === "client" ? await forgetChoices(session, asClientId(id), MOST_AT_ONCE) : 0;
      if (found.length > most || forgotten === MOST_AT_ONCE) {
        if (kind === "session") await tellOfSession(session, id, now);
        await endings.begin(session, ending, now);
        return { revokedGrants: [], goesOn: true };
      }
      // Whoever selects meanwhile, not seen here, writes the profile; of a client and an organization nothing
      // that this writes.
      if (kind === "client" || kind === "organization") await endings.count(session, ending, now);
      const standing = found.filter(({ stands }) => stands).map(toOwn);
      return await revokeAll(session, standing, now, { tells: kind !== "client" });
    },

    async removePart(session, ending, { after, most, endedAt, now }) {
      const { kind, id } = ending;
      if (kind === "grant") {
        const removed = await deleteTokens(session, [asGrantId(id)], most);
        return { grants: [], next: removed < most ? null : after };
      }
      const found = await under(session, { kind, id }, { after, most });
      const ended = await withSignIns(session, found.filter(({ stands }) => !stands).map(toOwn));
      const live = await remove(session, ended, endedAt);
      if (tellsPortals(ending)) {
        await queueLogouts(session, await signInsToTell(session, live, { now, isLater: true }), now);
      }
      const gone = ended.map(({ grantId }) => grantId);
      const place = found.at(-1)?._id ?? after;
      if (found.length === most) return { grants: gone, next: place };
      const isForgotten = kind !== "client" || (await forgetChoices(session, asClientId(id), most)) < most;
      return { grants: gone, next: isForgotten ? null : place };
    },
  };
}
