/** oidc-provider's artifacts in memory, its sessions among them. */

import type { Instant } from "../../../src/clock.ts";
import { endingKey } from "../../../src/domain/endings.ts";
import { asClientId, type ClientId } from "../../../src/domain/ids.ts";
import { LEAST_EXTENSION_MS } from "../../../src/storage/artifact-extension.ts";
import type { ArtifactExtension, ArtifactStore } from "../../../src/storage/contract.ts";
import { revokeGrants, tell } from "../../../src/storage/intentions/revoking.ts";
import type { Engine, Steps } from "../../../src/storage/steps.ts";
import { call, first, get, list, put, remove, update } from "../../../src/storage/steps.ts";
import { endings, type Row, selections } from "../../../src/storage/tables.ts";
import { artifacts, keyOf, shares } from "./tables.ts";

/** What an artifact has that nothing is said of. */
const BARE = { payload: {}, grantId: null, accountId: null, clientId: null, sessionUid: null };

/** See ArtifactStore.extend. */
export function* extendArtifact({ model, idHash, until }: ArtifactExtension, now: Instant): Steps<boolean> {
  const isShorter = { gt: now, lt: until - LEAST_EXTENSION_MS };
  const one = { id: keyOf(model, idHash), expiresAt: isShorter };
  return (yield* update(artifacts, one, { expiresAt: until })) === 1;
}

/** How many endings a client's own tokens are under. */
function* endingsOfClient(id: ClientId | null): Steps<number> {
  if (id === null) return 0;
  return (yield* get(endings, endingKey({ kind: "client", id })))?.count ?? 0;
}

function* read({ payload, consumed, sessionUid }: Row<typeof artifacts>): Steps<Record<string, unknown>> {
  const held = sessionUid === null ? [] : yield* list(shares, { sessionUid });
  const authorizations = Object.fromEntries(held.map((one) => [one.clientId, one.held]));
  return {
    ...payload,
    ...(consumed === null ? {} : { consumed }),
    ...(held.length === 0 ? {} : { authorizations }),
  };
}

export function createArtifactStore(engine: Engine): ArtifactStore {
  return {
    upsert: (model, idHash, payload, { grantId = null, accountId = null, clientId = null }, expiresAt) =>
      engine.run(function* () {
        const id = keyOf(model, idHash);
        const consumed = (yield* get(artifacts, id))?.consumed ?? null;
        const of = { ...BARE, grantId, accountId, clientId, endings: yield* endingsOfClient(clientId) };
        yield* put(artifacts, { ...of, id, model, payload, consumed, expiresAt });
      }),

    insertOnce: (model, idHash, expiresAt, now) =>
      engine.run(function* () {
        const id = keyOf(model, idHash);
        if (((yield* get(artifacts, id))?.expiresAt ?? now) > now) return false;
        yield* put(artifacts, { ...BARE, id, model, endings: 0, consumed: null, expiresAt });
        return true;
      }),

    find: (model, idHash, now, { includeExpired = false } = {}) =>
      engine.run(function* () {
        const row = yield* get(artifacts, keyOf(model, idHash));
        if (row === undefined || (row.expiresAt <= now && !includeExpired)) return undefined;
        return row.endings === (yield* endingsOfClient(row.clientId)) ? yield* read(row) : undefined;
      }),

    findSessionByUid: (sessionUid, now) =>
      engine.run(function* () {
        const newest = { order: ["seq"], isDescending: true } as const;
        const row = yield* first(artifacts, { sessionUid, expiresAt: { gt: now } }, newest);
        return row && (yield* read(row));
      }),

    consume: (model, idHash, now, { ends = [] } = {}) =>
      engine.run(function* () {
        const one = { id: keyOf(model, idHash), consumed: null, expiresAt: { gt: now } };
        if ((yield* update(artifacts, one, { consumed: Math.floor(now / 1000) })) === 0) return false;
        yield* revokeGrants(ends);
        return true;
      }),

    destroy: (model, idHash) =>
      engine.run(function* () {
        yield* remove(artifacts, { id: keyOf(model, idHash) });
      }),

    extend: (extension, now) => engine.run(() => extendArtifact(extension, now)),

    upsertSession: (idHash, payload, session, expiresAt) =>
      engine.run(function* () {
        const { uid: sessionUid, accountId = null, authorizations, removed } = session;
        const { replaces, found = false } = session;
        if (found && (yield* first(artifacts, { sessionUid })) === undefined) return "ended";
        const id = keyOf("Session", idHash);
        const before = yield* get(artifacts, id);
        // Under its old id a found session is only ever updated: a row that a racer rotated away must not
        // come back.
        const isRotated = found && replaces === undefined && before === undefined;
        // Whether there are authorizations is the payload's to say; which ones is the clients' rows'.
        const stored = "authorizations" in payload ? { ...payload, authorizations: {} } : payload;
        const own = { ...BARE, id, model: "Session", payload: stored, accountId, sessionUid };
        const consumed = before?.consumed ?? null;
        if (!isRotated) yield* put(artifacts, { ...own, endings: 0, consumed, expiresAt });
        yield* remove(shares, { id: { in: removed.map((clientId) => keyOf(sessionUid, clientId)) } });
        for (const [client, held] of Object.entries(authorizations)) {
          const of = { id: keyOf(sessionUid, client), sessionUid, clientId: asClientId(client) };
          yield* put(shares, { ...of, held });
        }
        if (replaces !== undefined && replaces !== idHash)
          yield* remove(artifacts, { id: keyOf("Session", replaces) });
        return isRotated ? "rotated" : "saved";
      }),

    destroySession: (idHash, tells) =>
      engine.run(function* () {
        const sessionUid = (yield* get(artifacts, keyOf("Session", idHash)))?.sessionUid ?? null;
        if (sessionUid === null) return;
        if (tells !== undefined) {
          const { accountId, clientIds, now } = tells;
          const told = clientIds.map((clientId) => ({ sessionUid, clientId, accountId }));
          yield* tell(told, now);
        }
        yield* call("removeSession", sessionUid);
      }),

    revokeGrant: (grantId, { signIn } = {}) =>
      engine.run(function* () {
        const others = signIn === undefined ? [] : yield* list(selections, { ...signIn });
        yield* revokeGrants([grantId, ...others.map((one) => one.grantId)]);
      }),
  };
}
