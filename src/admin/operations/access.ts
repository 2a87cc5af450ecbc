/** Who is signed in where: sign-ins that portals hold, sessions, API keys, signing keys. */

import { setImmediate } from "node:timers/promises";
import type { z } from "zod";
import type { Instant, Milliseconds } from "../../clock.ts";
import { asAccountId, asClientId, asGrantId, asProfileId } from "../../domain/ids.ts";
import type { ApiKey, Selection } from "../../domain/records.ts";
import { hashSecret, randomId, randomSecret } from "../../domain/secrets.ts";
import { readSeen } from "../../domain/seen-session.ts";
import { LiaisonError } from "../../errors.ts";
import type { AccountSession, Page } from "../../storage/contract.ts";
import type { apiKey, apiKeys, signingKeys as signingKeysDefined } from "../definitions/keys.ts";
import type { grant, grants, session, sessions, usedSession } from "../definitions/sessions.ts";
import type { OperationDependencies } from "../dependencies.ts";
import { fromTime, listed, pageOf, time, timeOrNull } from "../fields.ts";
import { answered, type HandlersOf, InputError } from "../operation.ts";

const dayMs: Milliseconds = 24 * 3_600_000;
const longestKeyDays = 366;
/** What keys of ours begin with, so that they are known where they leak. */
export const KEY_PREFIX = "liaison_";

type UsedSession = z.input<typeof usedSession>;

function writeGrant(
  { grantId, sessionUid, clientId, accountId, profileId, expiresAt }: Selection,
  session: UsedSession | null,
): z.input<typeof grant> {
  return {
    id: grantId,
    session_id: sessionUid,
    client_id: clientId,
    account_id: accountId,
    profile_id: profileId,
    expires_at: time(expiresAt),
    session,
  };
}

function writeSession(
  { sessionUid, accountId, clientIds }: AccountSession,
  used: ReadonlyMap<string, UsedSession>,
): z.input<typeof session> {
  return {
    id: sessionUid,
    account_id: accountId,
    client_ids: clientIds,
    session: used.get(sessionUid) ?? null,
  };
}

/** How many sessions are read before others have their turn: on SQLite no read lets anybody in. */
const sessionsAtOnce = 20;

/** Where sessions are used, by their ids. */
async function usedSessions(
  { artifacts }: Pick<OperationDependencies["store"], "artifacts">,
  of: readonly { sessionUid: string }[],
  now: Instant,
): Promise<ReadonlyMap<string, UsedSession>> {
  const used = new Map<string, UsedSession>();
  const uids = [...new Set(of.map(({ sessionUid }) => sessionUid))];
  for (const [place, uid] of uids.entries()) {
    if (place % sessionsAtOnce === sessionsAtOnce - 1) await setImmediate();
    const payload = await artifacts.findSessionByUid(uid, now);
    if (payload === undefined) continue;
    const seen = readSeen(payload);
    used.set(uid, {
      browser: seen?.browser ?? null,
      network: seen?.network ?? null,
      begun_at: timeOrNull(seen?.begunAt ?? null),
      last_used_at: timeOrNull(seen?.usedAt ?? null),
    });
  }
  return used;
}

const writeKey = ({
  id,
  name: called,
  scopes: given,
  createdBy,
  createdAt,
  expiresAt,
  lastUsedAt,
}: ApiKey) => ({
  id,
  name: called,
  scopes: given as z.output<typeof apiKey>["scopes"],
  created_by: createdBy,
  created_at: time(createdAt),
  expires_at: time(expiresAt),
  last_used_at: timeOrNull(lastUsedAt),
});

export function grantHandlers({ store }: OperationDependencies): HandlersOf<typeof grants> {
  const { administration } = store;
  return {
    list: async ({ account_id, profile_id, client_id, ...page }, { now }) => {
      const filter = {
        ...(account_id === undefined ? {} : { accountId: asAccountId(account_id) }),
        ...(profile_id === undefined ? {} : { profileId: asProfileId(profile_id) }),
        ...(client_id === undefined ? {} : { clientId: asClientId(client_id) }),
      };
      const grants = await administration.grants(filter, pageOf(page), now);
      const sessions = await usedSessions(store, grants.items, now);
      return { output: listed(grants, (one) => writeGrant(one, sessions.get(one.sessionUid) ?? null)) };
    },
    revoke: async ({ id }, { principal, now }) => {
      const by = { actor: principal.actor, now };
      const outcome = await administration.apply({ kind: "revoke_grant", grantId: asGrantId(id) }, by);
      return { output: answered(outcome, "sign-in of this id", undefined, {}) };
    },
  };
}

export function sessionHandlers({ store }: OperationDependencies): HandlersOf<typeof sessions> {
  const { administration } = store;

  /** @throws LiaisonError `not_found` */
  async function assertAccount(id: string): Promise<void> {
    if ((await administration.account(asAccountId(id))) === undefined) {
      throw new LiaisonError("not_found", "There is no such account.");
    }
  }

  return {
    list: async ({ id, ...page }, { now }) => {
      const found = await administration.sessions(asAccountId(id), pageOf(page), now);
      if (found.items.length === 0) await assertAccount(id);
      const used = await usedSessions(store, found.items, now);
      return { output: listed(found, (one) => writeSession(one, used)) };
    },
    get: async ({ id }, { now }) => {
      const found = await administration.session(id, now);
      if (found === undefined) throw new LiaisonError("not_found", "There is no session of this id.");
      return { output: writeSession(found, await usedSessions(store, [found], now)) };
    },
    end: async ({ id }, { principal, now }) => {
      const by = { actor: principal.actor, now };
      const outcome = await administration.apply({ kind: "end_session", sessionUid: id }, by);
      return { output: answered(outcome, "session of this id", undefined, {}) };
    },
    endAll: async ({ id }, { principal, now }) => {
      await assertAccount(id);
      let ended = 0;
      let after: string | null = null;
      do {
        const page: Page<AccountSession> = await administration.sessions(
          asAccountId(id),
          { after, limit: 100 },
          now,
        );
        for (const { sessionUid } of page.items) {
          const by = { actor: principal.actor, now };
          const { result } = await administration.apply({ kind: "end_session", sessionUid }, by);
          // Somebody else may have ended it meanwhile.
          if (result === "done") ended += 1;
          await setImmediate();
        }
        after = page.next;
      } while (after !== null);
      return { output: { ended } };
    },
  };
}

export function apiKeyHandlers({
  store: { administration },
}: OperationDependencies): HandlersOf<typeof apiKeys> {
  return {
    list: async () => ({ output: listed({ items: await administration.apiKeys(), next: null }, writeKey) }),
    create: async ({ name: called, scopes: given, expires_at }, { principal, now, once, need }) => {
      // Nobody gives away more than they have.
      for (const scope of given) need(scope);
      const expiresAt = expires_at === undefined ? now + 90 * dayMs : fromTime(expires_at);
      if (expiresAt <= now || expiresAt > now + longestKeyDays * dayMs) {
        throw new InputError([{ field: "expires_at", problem: "write an instant within the next year" }]);
      }
      const secret = KEY_PREFIX + randomSecret();
      const key: ApiKey = {
        id: randomId(),
        name: called,
        scopes: [...new Set(given)],
        secretHash: hashSecret(secret),
        createdBy: principal.actor,
        createdAt: now,
        expiresAt,
        lastUsedAt: null,
      };
      const output = { ...writeKey(key), key: secret };
      const claim = once(output);
      const outcome = await administration.apply(
        { kind: "create_api_key", key },
        { actor: principal.actor, now, ...(claim && { once: claim }) },
      );
      return { output: answered(outcome, "a key of this id", claim, output) };
    },
    remove: async ({ id }, { principal, now }) => {
      const outcome = await administration.apply(
        { kind: "remove_api_key", id },
        { actor: principal.actor, now },
      );
      return { output: answered(outcome, "API key of this id", undefined, {}) };
    },
  };
}

export function signingKeyHandlers({
  signingKeys,
}: OperationDependencies): HandlersOf<typeof signingKeysDefined> {
  return {
    list: async () => ({ output: { items: [...(await signingKeys())], next_cursor: null } }),
  };
}
