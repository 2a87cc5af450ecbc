/**
 * Revoking grants: what goes with one, in the transaction of whatever revokes it, and how grants are ended
 * many at a time.
 */

import { randomUUID } from "node:crypto";
import type { Instant } from "../../clock.ts";
import { type Ending, MOST_AT_ONCE, MOST_OF_FAMILY, tellsPortals } from "../../domain/endings.ts";
import { asClientId, asGrantId, asOrganizationId, asProfileId } from "../../domain/ids.ts";
import { CONSOLE_CLIENT_ID, type GrantId, type Selection } from "../../domain/records.ts";
import { oncePerSignIn, signInKey } from "../../domain/selecting.ts";
import type { Revocation } from "../contract.ts";
import {
  call,
  get,
  inserted,
  type Listing,
  list,
  remove,
  type Steps,
  updated,
  type Where,
  write,
} from "../steps.ts";
import { rememberedChoices, type SelectionRow, selections, signOuts } from "../tables.ts";
import { beginEnding, countEnding, type Stood, standing, withStanding } from "./endings.ts";

/** Long ago. */
const DUE_AT_ONCE: Instant = 1;

/** The selections of each ending. Those to the administration's pages are few, wherever they are of. */
const UNDER: Record<
  Exclude<Ending["kind"], "grant">,
  (id: string) => { where: Where<SelectionRow>; by?: string }
> = {
  client: (id) => ({ where: { clientId: asClientId(id) } }),
  organization: (id) => ({ where: { organizationId: asOrganizationId(id) } }),
  profile: (id) => ({ where: { profileId: asProfileId(id) } }),
  organization_console: (id) => {
    return { where: { clientId: CONSOLE_CLIENT_ID, organizationId: asOrganizationId(id) }, by: "ofClient" };
  },
  profile_console: (id) => {
    return { where: { clientId: CONSOLE_CLIENT_ID, profileId: asProfileId(id) }, by: "ofClient" };
  },
  session: (sessionUid) => ({ where: { sessionUid } }),
};

/**
 * Removes the grants' tokens, the grants themselves and their selections; what they had replaced goes on. Of
 * very many tokens, which are no use without their grant, the rest goes in the background.
 */
export function* revokeGrants(grantIds: readonly GrantId[]): Steps<void> {
  if (grantIds.length === 0) return;
  const most = MOST_OF_FAMILY * grantIds.length;
  // Which of them has so many isn't worth a look: of one that has none left there is nothing to be done.
  if ((yield* call("removeTokens", grantIds, most)) === most) {
    for (const id of grantIds) yield* beginEnding({ kind: "grant", id }, DUE_AT_ONCE);
  }
  yield* call("removeGrants", grantIds);
  yield* remove(selections, { grantId: { in: grantIds } });
  yield* succeed(grantIds);
}

/**
 * Points what removed selections had replaced at the current one of its sign-in; where none is left, the
 * newest becomes that. All that goes must be gone before: each of the others is then written once, however
 * many go.
 */
export function* succeed(gone: readonly GrantId[]): Steps<void> {
  const newestFirst = { order: ["expiresAt", "grantId"], isDescending: true } as const;
  const left = yield* list(selections, { replacedBy: { in: gone } }, newestFirst);
  if (left.length === 0) return;
  const sessionUids = [...new Set(left.map(({ sessionUid }) => sessionUid))];
  const current = yield* list(selections, { sessionUid: { in: sessionUids }, replacedBy: null });
  const heirs = new Map(current.map((one) => [signInKey(one), one.grantId]));
  const promoted: GrantId[] = [];
  const followers = new Map<GrantId, GrantId[]>();
  for (const one of left) {
    const heir = heirs.get(signInKey(one));
    if (heir === undefined) {
      heirs.set(signInKey(one), one.grantId);
      promoted.push(one.grantId);
    } else followers.set(heir, [...(followers.get(heir) ?? []), one.grantId]);
  }
  yield* write([
    ...(promoted.length > 0
      ? [updated(selections, { grantId: { in: promoted } }, { replacedBy: null })]
      : []),
    ...[...followers].map(([replacedBy, ids]) =>
      updated(selections, { grantId: { in: ids } }, { replacedBy }),
    ),
  ]);
}

/** Revokes one grant; tells of it if it still held at `now`, and has its portal told. */
export function* revokeOne(grantId: GrantId, now: Instant): Steps<Revocation> {
  const found = yield* get(selections, grantId);
  return yield* revokeAll(found === undefined ? [] : [found], now, { tells: true });
}

/**
 * Ends every grant that there is under a client, an organization, a profile or a session. Up to `most` go at
 * once, and are told of as far as they still held at `now`: their portals are told, once for each session,
 * and not of a grant that came to nothing while the portal is on another. Of more the rows go in the
 * background (removeEndedPart), portals told from there.
 */
export function* endGrants(ending: Ending, now: Instant, most = MOST_AT_ONCE): Steps<Revocation> {
  const { kind, id } = ending;
  if (kind === "grant") throw new TypeError("a grant is revoked, not ended");
  const found = yield* under({ kind, id }, "", most + 1);
  const forgotten = kind === "client" ? yield* forgetChoices(id, MOST_AT_ONCE) : 0;
  if (found.length > most || forgotten === MOST_AT_ONCE) {
    // Its portals are told by what it holds for each, which goes now.
    if (kind === "session") yield* tellOfSession(id, now);
    yield* beginEnding(ending, now);
    return { revokedGrants: [], goesOn: true };
  }
  // Whoever selects meanwhile, not seen here, writes the profile; of a client and an organization nothing
  // that this writes.
  if (kind === "client" || kind === "organization") yield* countEnding(ending, now);
  const stood = found.filter(({ stands }) => stands);
  return yield* revokeAll(stood, now, { tells: kind !== "client" });
}

/**
 * Removes some rows of an ending behind a place: looks at `most` selections at the most. Returns the grants
 * that went and the place behind which it goes on; null when nothing is left. Of what held at `endedAt` the
 * portals are told, unless they have been given another grant in that session since.
 */
export function* removeEndedPart(
  ending: Ending,
  { after, most, endedAt, now }: { after: string; most: number; endedAt: Instant; now: Instant },
): Steps<{ grants: GrantId[]; next: string | null }> {
  const { kind, id } = ending;
  if (kind === "grant") {
    const gone = yield* call("removeTokens", [asGrantId(id)], most);
    return { grants: [], next: gone < most ? null : after };
  }
  const found = yield* under({ kind, id }, after, most);
  const ended = yield* withSignIns(found.filter(({ stands }) => !stands));
  const live = yield* removeAll(ended, endedAt);
  if (tellsPortals(ending)) yield* tell(yield* signInsToTell(live, now, { isLater: true }), now);
  const grants = ended.map(({ grantId }) => grantId);
  const place = found.at(-1)?.grantId ?? after;
  if (found.length === most) return { grants, next: place };
  const isForgotten = kind !== "client" || (yield* forgetChoices(id, most)) < most;
  return { grants, next: isForgotten ? null : place };
}

type Revoked = Selection & { isRedeemed: boolean };

/** Selections under an ending, behind a place, in order. */
function* under(
  { kind, id }: { kind: Exclude<Ending["kind"], "grant">; id: string },
  after: string,
  limit: number,
): Steps<Stood[]> {
  const { where, by } = UNDER[kind](id);
  const listing: Listing<SelectionRow> = { order: ["grantId"], behind: [after], limit };
  return yield* withStanding(yield* list(selections, where, by === undefined ? listing : { ...listing, by }));
}

/** With what else has ended of the same sign-ins, so that each is decided about and told of once. */
function* withSignIns(ended: readonly SelectionRow[]): Steps<SelectionRow[]> {
  if (ended.length === 0) return [];
  const signIns = new Set(ended.map(signInKey));
  const sessionUids = [...new Set(ended.map(({ sessionUid }) => sessionUid))];
  const found = yield* withStanding(yield* list(selections, { sessionUid: { in: sessionUids } }));
  const others = found.filter((one) => !one.stands && signIns.has(signInKey(one)));
  return [...new Map([...ended, ...others].map((one) => [one.grantId, one])).values()];
}

/** Removes grants; returns those of them that still held then. */
function* removeAll(gone: readonly SelectionRow[], liveAt: Instant): Steps<Revoked[]> {
  const ids = gone.map(({ grantId }) => grantId);
  const redeemed = new Set(ids.length === 0 ? [] : yield* call("redeemedAmong", ids));
  yield* revokeGrants(ids);
  return gone
    .filter(({ expiresAt }) => expiresAt > liveAt)
    .map((one) => ({ ...one, isRedeemed: redeemed.has(one.grantId) }));
}

function* revokeAll(
  found: readonly SelectionRow[],
  now: Instant,
  { tells }: { tells: boolean },
): Steps<Revocation> {
  const live = yield* removeAll(found, now);
  if (tells) yield* tell(yield* signInsToTell(live, now, { isLater: false }), now);
  return {
    revokedGrants: live.map(({ grantId, clientId, accountId, sessionUid }) => {
      return { grantId, clientId, accountId, sessionUid };
    }),
  };
}

/**
 * Of the sign-ins that grants ended in, those whose portal has to know. `isLater`: the portal may have been
 * given something since.
 */
function* signInsToTell(
  live: readonly Revoked[],
  now: Instant,
  { isLater }: { isLater: boolean },
): Steps<Revoked[]> {
  const signIns = oncePerSignIn(live);
  const mayGoOn = signIns.filter(({ isRedeemed }) => isLater || !isRedeemed);
  if (mayGoOn.length === 0) return signIns;
  const sessionUids = [...new Set(mayGoOn.map(({ sessionUid }) => sessionUid))];
  const unexpired = { sessionUid: { in: sessionUids }, expiresAt: { gt: now } };
  const left = yield* standing(yield* list(selections, unexpired));
  const ids = left.map(({ grantId }) => grantId);
  const redeemed = new Set(ids.length === 0 ? [] : yield* call("redeemedAmong", ids));
  const goOn = new Set(left.filter(({ grantId }) => redeemed.has(grantId)).map(signInKey));
  return signIns.filter((one) => !mayGoOn.includes(one) || !goOn.has(signInKey(one)));
}

type Told = Pick<Selection, "sessionUid" | "clientId" | "accountId">;

/**
 * Queues back-channel logouts (OpenID Connect Back-Channel Logout 1.0), under the ids that the clients know
 * the sessions by: to be called while those are there.
 */
export function* tell(signIns: readonly Told[], now: Instant): Steps<void> {
  if (signIns.length === 0) return;
  const sids = yield* call("sidsOf", signIns);
  yield* write(
    signIns.map(({ clientId, accountId }, index) =>
      inserted(signOuts, {
        id: randomUUID(),
        clientId,
        accountId,
        sid: sids[index] ?? null,
        createdAt: now,
        dueAt: now,
        attempts: 0,
        leaseWorker: null,
      }),
    ),
  );
}

/** Once for each client of a session, by what the session holds for it, which is about to go. */
function* tellOfSession(sessionUid: string, now: Instant): Steps<void> {
  const found = yield* list(selections, { sessionUid, expiresAt: { gt: now } });
  const signIns = new Map(found.map((one) => [`${one.clientId} ${one.accountId}`, one]));
  yield* tell([...signIns.values()], now);
}

/** Forgets some of the choices that were remembered of a client. Returns how many. */
const forgetChoices = (clientId: string, most: number) =>
  remove(rememberedChoices, { clientId: asClientId(clientId) }, most);
