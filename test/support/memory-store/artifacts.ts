/** oidc-provider's artifacts in memory, its sessions among them. */

import { createHash } from "node:crypto";
import { endingKey } from "../../../src/domain/endings.ts";
import type { ClientId } from "../../../src/domain/ids.ts";
import { TOKEN_MODELS } from "../../../src/domain/selecting.ts";
import { LEAST_EXTENSION_MS } from "../../../src/storage/artifact-extension.ts";
import type { ArtifactSteps, SessionSteps, StoredSession } from "../../../src/storage/native-steps.ts";
import type { Steps } from "../../../src/storage/steps.ts";
import { first, get, list, put, remove, update } from "../../../src/storage/steps.ts";
import { endings, type Row, selections } from "../../../src/storage/tables.ts";
import type { InMemory } from "./engine.ts";
import { artifacts, keyOf, shares } from "./tables.ts";

/** What an artifact has that nothing is said of. */
const BARE = { encrypted: null, grantId: null, accountId: null, clientId: null, sessionUid: null };

const tokenModels: readonly string[] = TOKEN_MODELS;

/** How many endings a client's own tokens are under. */
function* endingsOfClient(id: ClientId | null): Steps<number> {
  if (id === null) return 0;
  return (yield* get(endings, endingKey({ kind: "client", id })))?.count ?? 0;
}

export const artifactSteps: InMemory<ArtifactSteps> = {
  *putArtifact(model, idHash, encrypted, { grantId = null, accountId = null, clientId = null }, expiresAt) {
    const id = keyOf(model, idHash);
    const consumed = (yield* get(artifacts, id))?.consumed ?? null;
    const of = { ...BARE, grantId, accountId, clientId, endings: yield* endingsOfClient(clientId) };
    yield* put(artifacts, { ...of, id, model, idHash, encrypted, consumed, expiresAt });
  },
  *insertOnce(model, idHash, expiresAt, now) {
    const id = keyOf(model, idHash);
    if (((yield* get(artifacts, id))?.expiresAt ?? now) > now) return false;
    yield* put(artifacts, { ...BARE, id, model, idHash, endings: 0, consumed: null, expiresAt });
    return true;
  },
  *artifact(model, idHash, now, includeExpired) {
    const row = yield* get(artifacts, keyOf(model, idHash));
    if (row === undefined || (row.expiresAt <= now && !includeExpired)) return undefined;
    if (row.endings !== (yield* endingsOfClient(row.clientId))) return undefined;
    return { idHash, encrypted: row.encrypted, consumed: row.consumed };
  },
  *consumeArtifact(model, idHash, now) {
    const one = { id: keyOf(model, idHash), consumed: null, expiresAt: { gt: now } };
    return (yield* update(artifacts, one, { consumed: Math.floor(now / 1000) })) === 1;
  },
  *removeArtifact(model, idHash) {
    yield* remove(artifacts, { id: keyOf(model, idHash) });
  },
  *extendArtifact({ model, idHash, until }, now) {
    const isShorter = { gt: now, lt: until - LEAST_EXTENSION_MS };
    const one = { id: keyOf(model, idHash), expiresAt: isShorter };
    return (yield* update(artifacts, one, { expiresAt: until })) === 1;
  },
  // A session's clients end with the last of its rows.
  *removeExpiredArtifacts(now, limit) {
    const over = yield* list(artifacts, { expiresAt: { lte: now } }, { limit });
    yield* remove(artifacts, { id: { in: over.map(({ id }) => id) } });
    for (const sessionUid of new Set(over.flatMap((row) => row.sessionUid ?? []))) {
      if ((yield* first(artifacts, { sessionUid })) === undefined) yield* remove(shares, { sessionUid });
    }
    return over.length;
  },
  removeTokens: (grantIds, most) => remove(artifacts, { grantId: { in: grantIds } }, most),
  *removeGrants(grantIds) {
    const hashes = grantIds.map((grantId) => createHash("sha256").update(grantId).digest("base64url"));
    yield* remove(artifacts, { id: { in: hashes.map((hash) => keyOf("Grant", hash)) } });
  },
  *redeemedAmong(grantIds) {
    const made = yield* list(artifacts, { grantId: { in: grantIds } });
    const given = made.filter(({ model, consumed }) => tokenModels.includes(model) || consumed !== null);
    const redeemed = new Set(given.map(({ grantId }) => grantId));
    return grantIds.filter((grantId) => redeemed.has(grantId));
  },
};

function* withShares({ idHash, encrypted, sessionUid }: Row<typeof artifacts>): Steps<StoredSession> {
  const held = sessionUid === null ? [] : yield* list(shares, { sessionUid });
  return { idHash, encrypted, shares: held.map(({ id: _id, sessionUid: _uid, ...share }) => share) };
}

export const sessionSteps: InMemory<SessionSteps> = {
  *session(idHash, now, includeExpired) {
    const row = yield* get(artifacts, keyOf("Session", idHash));
    if (row === undefined || (row.expiresAt <= now && !includeExpired)) return undefined;
    return yield* withShares(row);
  },
  *sessionByUid(sessionUid, now) {
    const newest = { order: ["seq"], isDescending: true } as const;
    const row = yield* first(artifacts, { sessionUid, expiresAt: { gt: now } }, newest);
    return row && (yield* withShares(row));
  },
  *saveSession({ uid: sessionUid, idHash, encrypted, accountId, expiresAt, ...save }) {
    if (save.isFound && (yield* first(artifacts, { sessionUid })) === undefined) return "ended";
    const id = keyOf("Session", idHash);
    const before = yield* get(artifacts, id);
    const isWritten = save.appends || before !== undefined;
    const own = { ...BARE, id, model: "Session", idHash, encrypted, accountId, sessionUid };
    const consumed = before?.consumed ?? null;
    if (isWritten) yield* put(artifacts, { ...own, endings: 0, consumed, expiresAt });
    yield* remove(shares, { id: { in: save.removed.map((clientId) => keyOf(sessionUid, clientId)) } });
    for (const share of save.shares)
      yield* put(shares, { id: keyOf(sessionUid, share.clientId), sessionUid, ...share });
    if (save.replaces !== undefined) yield* remove(artifacts, { id: keyOf("Session", save.replaces) });
    return isWritten ? "saved" : "rotated";
  },
  *uidOfSession(idHash) {
    return (yield* get(artifacts, keyOf("Session", idHash)))?.sessionUid ?? undefined;
  },
  *sidsOf(signIns) {
    const sids: (string | null)[] = [];
    for (const { sessionUid, clientId } of signIns)
      sids.push((yield* get(shares, keyOf(sessionUid, clientId)))?.sid ?? null);
    return sids;
  },
  *accountOfSession(sessionUid, now) {
    const live = yield* list(artifacts, { sessionUid, expiresAt: { gt: now } }, { order: ["seq"] });
    if (live.length === 0) return undefined;
    return { accountId: live.findLast(({ accountId }) => accountId !== null)?.accountId ?? null };
  },
  *sessionsOfAccount(accountId, after, limit) {
    const behind = { accountId, sessionUid: { gt: after } };
    const all = [yield* list(artifacts, behind), yield* list(selections, behind)].flat();
    return [...new Set(all.flatMap(({ sessionUid }) => sessionUid ?? []))].toSorted().slice(0, limit);
  },
  *signedInAmong(sessionUids, accountId, now) {
    const live = { sessionUid: { in: sessionUids }, accountId, expiresAt: { gt: now } };
    return (yield* list(artifacts, live)).flatMap(({ sessionUid }) => sessionUid ?? []);
  },
  *removeSession(sessionUid) {
    yield* remove(shares, { sessionUid });
    yield* remove(artifacts, { sessionUid });
  },
};
