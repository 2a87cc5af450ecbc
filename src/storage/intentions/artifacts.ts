/** oidc-provider's artifacts and sessions, encrypted, and what ends with them. */

import { asClientId } from "../../domain/ids.ts";
import type { ArtifactStore, SessionAuthorization } from "../contract.ts";
import { decryptPayload, encryptPayload, type Payload } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import type { SessionShare, StoredSession } from "../native-steps.ts";
import { call, type Engine, list } from "../steps.ts";
import { selections } from "../tables.ts";
import { revokeGrants, tell } from "./revoking.ts";

export interface ArtifactParts {
  /** For endings, which must not come undone. */
  engine: Engine;
  /** For what may be lost in a power cut, as long as a killed process loses nothing. */
  shortLived: Engine;
  encryption: FieldEncryption;
}

export function createArtifactStore({ engine, shortLived, encryption }: ArtifactParts): ArtifactStore {
  return {
    ...createSessionMethods({ engine, shortLived, encryption }),

    upsert: (model, idHash, payload, keys, expiresAt) =>
      shortLived.run(() => {
        const encrypted = encryptPayload(encryption, model, idHash, payload);
        return call("putArtifact", model, idHash, encrypted, keys, expiresAt);
      }),

    insertOnce: (model, idHash, expiresAt, now) =>
      shortLived.run(() => call("insertOnce", model, idHash, expiresAt, now)),

    find: (model, idHash, now, { includeExpired = false } = {}) =>
      shortLived.run(function* () {
        if (model === "Session")
          return composed(encryption, yield* call("session", idHash, now, includeExpired));
        const found = yield* call("artifact", model, idHash, now, includeExpired);
        return found && decryptPayload(encryption, model, found);
      }),

    consume(model, idHash, now, { ends = [] } = {}) {
      if (ends.length === 0) return shortLived.run(() => call("consumeArtifact", model, idHash, now));
      return engine.transaction(function* () {
        const isWon = yield* call("consumeArtifact", model, idHash, now);
        if (isWon) yield* revokeGrants(ends);
        return isWon;
      });
    },

    destroy: (model, idHash) => shortLived.run(() => call("removeArtifact", model, idHash)),

    extend: (artifact, now) => shortLived.run(() => call("extendArtifact", artifact, now)),

    revokeGrant: (grantId, { signIn } = {}) =>
      engine.transaction(function* () {
        const others = signIn === undefined ? [] : yield* list(selections, { ...signIn });
        yield* revokeGrants([grantId, ...others.map((other) => other.grantId)]);
      }),
  };
}

type SessionMethods = Pick<ArtifactStore, "findSessionByUid" | "upsertSession" | "destroySession">;

function createSessionMethods({ engine, shortLived, encryption }: ArtifactParts): SessionMethods {
  return {
    findSessionByUid: (uid, now) =>
      shortLived.run(function* () {
        return composed(encryption, yield* call("sessionByUid", uid, now));
      }),

    upsertSession: (idHash, payload, session, expiresAt) =>
      shortLived.run(() => {
        const { uid, accountId = null, authorizations, removed, replaces, found: isFound = false } = session;
        // Whether there are authorizations is the payload's to say; which ones is the clients' shares'.
        const stored = "authorizations" in payload ? { ...payload, authorizations: {} } : payload;
        return call("saveSession", {
          uid,
          idHash,
          encrypted: encryptPayload(encryption, "Session", idHash, stored),
          accountId,
          expiresAt,
          isFound,
          // Under its old id a found session is only ever updated: a row that a racer rotated away must not
          // come back.
          appends: !isFound || replaces !== undefined,
          replaces: replaces === idHash ? undefined : replaces,
          removed,
          shares: Object.entries(authorizations).map(toShare),
        });
      }),

    destroySession(idHash, tells) {
      function* end() {
        const sessionUid = yield* call("uidOfSession", idHash);
        if (sessionUid === undefined) return;
        if (tells !== undefined) {
          const { accountId, clientIds, now } = tells;
          const told = clientIds.map((clientId) => ({ sessionUid, clientId, accountId }));
          yield* tell(told, now);
        }
        yield* call("removeSession", sessionUid);
      }
      return tells === undefined ? engine.run(end) : engine.transaction(end);
    },
  };
}

/** A session with its clients' shares. */
function composed(encryption: FieldEncryption, found: StoredSession | undefined): Payload | undefined {
  if (found === undefined) return undefined;
  const { shares, ...artifact } = found;
  const payload = decryptPayload(encryption, "Session", { ...artifact, consumed: null });
  if (shares.length === 0) return payload;
  const authorizations = Object.fromEntries(shares.map((share) => [share.clientId, fromShare(share)]));
  return { ...payload, authorizations };
}

function toShare([clientId, { sid, grantId, persistsLogout }]: [string, SessionAuthorization]): SessionShare {
  return {
    clientId: asClientId(clientId),
    sid: sid ?? null,
    grantId: grantId ?? null,
    persistsLogout: persistsLogout ?? null,
  };
}

function fromShare({ sid, grantId, persistsLogout }: SessionShare): SessionAuthorization {
  return {
    ...(sid === null ? {} : { sid }),
    ...(grantId === null ? {} : { grantId }),
    ...(persistsLogout === null ? {} : { persistsLogout }),
  };
}
