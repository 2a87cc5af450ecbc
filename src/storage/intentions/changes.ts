/**
 * How one thing that an administrator does is carried out: everything it comes to, in one transaction, or
 * nothing.
 */

import type { Instant } from "../../clock.ts";
import { apiKeyWritten, grantRevoked, sessionEnded } from "../../domain/audit-entries.ts";
import type { AdminChange, AdminStore, ChangeOutcome, Once, Revocation } from "../contract.ts";
import { contextOf } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { call, type Engine, first, get, insert, put, remove, type Steps } from "../steps.ts";
import { apiKeys, idempotencyKeys, selections } from "../tables.ts";
import { type Appliers, type By, Refused, refuse } from "./applying.ts";
import { audit } from "./audit.ts";
import { clientChanges } from "./client-changes.ts";
import { directoryChanges } from "./directory-changes.ts";
import type { QueueMail } from "./mail.ts";
import { endGrants, revokeOne } from "./revoking.ts";
import { ofGrants } from "./session-lists.ts";

export function createChanges(
  engine: Engine,
  { encryption, queueMail }: { encryption: FieldEncryption; queueMail: QueueMail },
): Pick<AdminStore, "apply"> {
  const appliers: Appliers = {
    ...directoryChanges(queueMail),
    ...clientChanges(encryption),
    ...accessChanges,
  };

  return {
    async apply(change, { once, ...by }) {
      const applier = appliers[change.kind] as (change: AdminChange, by: By) => Steps<Revocation | undefined>;
      try {
        return await engine.transaction(function* (): Steps<ChangeOutcome> {
          const repeated = once && (yield* claim(once, by.now, encryption));
          if (repeated !== undefined) return repeated;
          const done = yield* applier(change, by);
          return { result: "done", revokedGrants: done?.revokedGrants ?? [] };
        });
      } catch (error) {
        if (error instanceof Refused) return error.outcome;
        throw error;
      }
    },
  };
}

/**
 * Of creations under a key of their caller's: what the first was answered, or undefined for the first itself,
 * whose answer is kept.
 */
function* claim(once: Once, now: Instant, encryption: FieldEncryption): Steps<ChangeOutcome | undefined> {
  const { keyHash, fingerprint, answer, expiresAt } = once;
  const context = contextOf.answer(keyHash);
  const known = yield* first(idempotencyKeys, { keyHash, expiresAt: { gt: now } });
  if (known !== undefined) {
    const repeated = {
      fingerprint: known.fingerprint,
      answer: encryption.decrypt(known.sealedAnswer, context),
    };
    return { result: "repeated", ...repeated };
  }
  const sealedAnswer = encryption.encrypt(answer, context);
  yield* put(idempotencyKeys, { keyHash, fingerprint, sealedAnswer, expiresAt });
  return undefined;
}

const accessChanges: Pick<Appliers, "create_api_key" | "remove_api_key" | "revoke_grant" | "end_session"> = {
  *create_api_key({ key }, { actor, now }) {
    const { id, secretHash } = key;
    const taken = (yield* get(apiKeys, id)) ?? (yield* first(apiKeys, { secretHash }));
    if (taken !== undefined) refuse("exists");
    yield* insert(apiKeys, { ...key, lastUsedAt: null });
    yield* audit(apiKeyWritten("api_key.created", key, { actor, at: now }));
    return undefined;
  },
  *remove_api_key({ id }, { actor, now }) {
    const key = (yield* get(apiKeys, id)) ?? refuse("missing");
    if ((yield* remove(apiKeys, { id })) === 0) refuse("missing");
    yield* audit(apiKeyWritten("api_key.removed", key, { actor, at: now }));
    return undefined;
  },
  *revoke_grant({ grantId }, { actor, now }) {
    const grant = (yield* first(selections, { grantId, expiresAt: { gt: now } })) ?? refuse("missing");
    yield* audit(grantRevoked(grant, { actor, at: now }));
    return yield* revokeOne(grantId, now);
  },
  *end_session({ sessionUid }, { actor, now }) {
    const session = yield* call("accountOfSession", sessionUid, now);
    const whose =
      session === undefined ? ((yield* ofGrants(sessionUid, now)) ?? refuse("missing")) : session.accountId;
    // Before the session goes: it says what its portals know it by.
    const ended = yield* endGrants({ kind: "session", id: sessionUid }, now);
    yield* call("removeSession", sessionUid);
    yield* audit(sessionEnded(sessionUid, whose, { actor, at: now }));
    return ended;
  },
};
