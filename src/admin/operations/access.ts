/** Who is signed in where: sign-ins that portals hold, sessions, API keys, signing keys. */

import { setImmediate } from "node:timers/promises";
import { z } from "zod";
import type { Instant } from "../../clock.ts";
import { type AccountId, asAccountId, asClientId, asGrantId, asProfileId } from "../../domain/ids.ts";
import type { ApiKey, Selection } from "../../domain/records.ts";
import { hashSecret, randomId, randomSecret } from "../../domain/secrets.ts";
import { readSeen } from "../../domain/seen-session.ts";
import { LiaisonError } from "../../errors.ts";
import type { Page } from "../../storage/contract.ts";
import { anyId, fromTime, instant, listed, listOf, name, pageOf, paging, time, timeOrNull } from "../fields.ts";
import { type AnyOperation, answered, InputError, operation } from "../operation.ts";
import type { OperationParts } from "../parts.ts";
import { ALL_SCOPES } from "../scopes.ts";

const dayMs = 24 * 3_600_000;
const longestKeyDays = 366;
/** What keys of ours begin with, so that they are known where they leak. */
export const KEY_PREFIX = "liaison_";

const usedSession = z.strictObject({
  browser: z.string().nullable().meta({ description: "What it calls itself: its name, and what it runs on." }),
  network: z.string().nullable().meta({ description: "An address in IPv4, a /64 in IPv6." }),
  begun_at: instant.nullable(),
  last_used_at: instant.nullable().meta({ description: "When the browser last came with it." }),
});

const grant = z.strictObject({
  id: anyId,
  session_id: z.string(),
  client_id: anyId,
  account_id: anyId,
  profile_id: anyId,
  expires_at: instant,
  session: usedSession.nullable().meta({
    description: "Where the session is used; null where it has ended, and a refresh token of it is still good.",
  }),
});

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

/** How many sessions are read before others have their turn: on SQLite no read lets anybody in. */
const sessionsAtOnce = 20;

/** Where the sessions of these grants are used, by their ids. */
async function usedSessions(
  { artifacts }: Pick<OperationParts["store"], "artifacts">,
  grants: readonly Selection[],
  now: Instant,
): Promise<ReadonlyMap<string, UsedSession>> {
  const used = new Map<string, UsedSession>();
  const uids = [...new Set(grants.map(({ sessionUid }) => sessionUid))];
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

const scopes = z.array(z.enum(ALL_SCOPES)).min(1, "name at least one scope").max(20);
const apiKey = z.strictObject({
  id: anyId,
  name: z.string(),
  scopes,
  created_by: z.string(),
  created_at: instant,
  expires_at: instant,
  last_used_at: instant.nullable(),
});

const writeKey = ({ id, name: called, scopes: given, createdBy, createdAt, expiresAt, lastUsedAt }: ApiKey) => ({
  ...{ id, name: called, scopes: given as z.output<typeof scopes>, created_by: createdBy, created_at: time(createdAt) },
  ...{ expires_at: time(expiresAt), last_used_at: timeOrNull(lastUsedAt) },
});

const nothing = z.strictObject({});

export function accessOperations(parts: OperationParts): AnyOperation[] {
  return [...grantOperations(parts), ...keyOperations(parts)];
}

function grantOperations({ store }: OperationParts): AnyOperation[] {
  const { administration } = store;

  /** The sessions of an account in which it has a sign-in at a portal. */
  async function sessionsOf(accountId: AccountId, now: Instant): Promise<Set<string>> {
    const sessions = new Set<string>();
    for (let after: string | null = null; ; ) {
      const { items, next }: Page<Selection> = await administration.grants({ accountId }, { after, limit: 200 }, now);
      for (const { sessionUid } of items) sessions.add(sessionUid);
      if (next === null) return sessions;
      after = next;
      await setImmediate();
    }
  }

  return [
    operation(
      {
        name: "listGrants",
        summary: "List the sign-ins that portals hold now: of an account, a profile or a client app, or all.",
        ...{ scope: "admin:read", method: "GET", path: "/grants" },
        input: z.strictObject({
          account_id: anyId.optional(),
          profile_id: anyId.optional(),
          client_id: anyId.optional(),
          ...paging,
        }),
        output: listOf(grant),
        command: {
          name: "sessions list",
          examples: ["liaison sessions list --profile-id p-ann", "liaison sessions list --json"],
        },
      },
      async ({ account_id, profile_id, client_id, ...page }, { now }) => {
        const filter = {
          ...(account_id === undefined ? {} : { accountId: asAccountId(account_id) }),
          ...(profile_id === undefined ? {} : { profileId: asProfileId(profile_id) }),
          ...(client_id === undefined ? {} : { clientId: asClientId(client_id) }),
        };
        const grants = await administration.grants(filter, pageOf(page), now);
        const sessions = await usedSessions(store, grants.items, now);
        return { output: listed(grants, (one) => writeGrant(one, sessions.get(one.sessionUid) ?? null)) };
      },
    ),
    operation(
      {
        name: "revokeGrant",
        summary: "End one sign-in at a portal; its tokens stop working, and the portal is told.",
        ...{ scope: "sessions:write", method: "DELETE", path: "/grants/{id}" },
        input: z.strictObject({ id: anyId }),
        output: nothing,
        command: {
          name: "sessions revoke",
          operand: "id",
          examples: ["liaison sessions revoke 4QrTzk0wJm9x3vYb2nLc7A"],
        },
      },
      async ({ id }, { principal, now }) => {
        const by = { actor: principal.actor, now };
        const outcome = await administration.carryOut({ kind: "revoke_grant", grantId: asGrantId(id) }, by);
        return { output: answered(outcome, "sign-in of this id", undefined, {}) };
      },
    ),
    operation(
      {
        name: "endSession",
        summary: "End a session in a browser, and every sign-in at portals that was made in it.",
        ...{ scope: "sessions:write", method: "DELETE", path: "/sessions/{id}" },
        input: z.strictObject({ id: anyId }),
        output: nothing,
        command: { name: "sessions end", operand: "id", examples: ["liaison sessions end mY0pH2uSvQ3bYc5tX1k9Z"] },
      },
      async ({ id }, { principal, now }) => {
        const by = { actor: principal.actor, now };
        const outcome = await administration.carryOut({ kind: "end_session", sessionUid: id }, by);
        return { output: answered(outcome, "session of this id", undefined, {}) };
      },
    ),
    operation(
      {
        name: "endSessions",
        summary: "End all sessions of an account that have sign-ins at portals, and those sign-ins.",
        ...{ scope: "sessions:write", method: "DELETE", path: "/accounts/{id}/sessions" },
        input: z.strictObject({ id: anyId }),
        output: z.strictObject({ ended: z.int().meta({ description: "How many sessions it ended." }) }),
        command: { name: "sessions end-all", operand: "id", examples: ["liaison sessions end-all 1c9e…"] },
      },
      async ({ id }, { principal, now }) => {
        if ((await administration.account(asAccountId(id))) === undefined) {
          throw new LiaisonError("not_found", "There is no such account.");
        }
        let ended = 0;
        for (const sessionUid of await sessionsOf(asAccountId(id), now)) {
          const by = { actor: principal.actor, now };
          const { result } = await administration.carryOut({ kind: "end_session", sessionUid }, by);
          // Somebody else may have ended it meanwhile.
          if (result === "done") ended += 1;
          await setImmediate();
        }
        return { output: { ended } };
      },
    ),
  ];
}

function keyOperations({ store: { administration }, signingKeys }: OperationParts): AnyOperation[] {
  return [
    operation(
      {
        name: "listApiKeys",
        summary: "List API keys, newest first, with when each was used last.",
        ...{ scope: "admin:read", method: "GET", path: "/api-keys" },
        input: z.strictObject({}),
        output: listOf(apiKey),
        command: { name: "keys list", examples: ["liaison keys list"] },
      },
      async () => ({ output: listed({ items: await administration.apiKeys(), next: null }, writeKey) }),
    ),
    operation(
      {
        name: "createApiKey",
        summary: "Make an API key. It is shown this once.",
        ...{ scope: "admins:write", method: "POST", path: "/api-keys", kind: "creates" },
        input: z.strictObject({
          name,
          scopes,
          expires_at: instant.optional().meta({ description: "In 90 days if left out; in a year at the latest." }),
        }),
        output: apiKey.extend({ key: z.string() }),
        command: {
          name: "keys create",
          examples: ["liaison keys create --name crm-sync --scopes directory:write,admin:read"],
        },
      },
      async ({ name: called, scopes: given, expires_at }, { principal, now, once, need }) => {
        // Nobody gives away more than they have.
        for (const scope of given) need(scope);
        const expiresAt = expires_at === undefined ? now + 90 * dayMs : fromTime(expires_at);
        if (expiresAt <= now || expiresAt > now + longestKeyDays * dayMs) {
          throw new InputError([{ field: "expires_at", problem: "write an instant within the next year" }]);
        }
        const secret = KEY_PREFIX + randomSecret();
        const key: ApiKey = {
          ...{ id: randomId(), name: called, scopes: [...new Set(given)], secretHash: hashSecret(secret) },
          ...{ createdBy: principal.actor, createdAt: now, expiresAt, lastUsedAt: null },
        };
        const output = { ...writeKey(key), key: secret };
        const claim = once(output);
        const outcome = await administration.carryOut(
          { kind: "create_api_key", key },
          { actor: principal.actor, now, ...(claim && { once: claim }) },
        );
        return { output: answered(outcome, "a key of this id", claim, output) };
      },
    ),
    operation(
      {
        name: "deleteApiKey",
        summary: "Remove an API key; it stops working at once.",
        ...{ scope: "admins:write", method: "DELETE", path: "/api-keys/{id}" },
        input: z.strictObject({ id: anyId }),
        output: nothing,
        command: { name: "keys remove", operand: "id", examples: ["liaison keys remove 4QrTzk0wJm9x3vYb2nLc7A"] },
      },
      async ({ id }, { principal, now }) => {
        const outcome = await administration.carryOut({ kind: "remove_api_key", id }, { actor: principal.actor, now });
        return { output: answered(outcome, "API key of this id", undefined, {}) };
      },
    ),
    operation(
      {
        name: "listSigningKeys",
        summary: "List the keys that tokens are signed with.",
        ...{ scope: "admin:read", method: "GET", path: "/signing-keys" },
        input: z.strictObject({}),
        output: listOf(z.strictObject({ kid: z.string(), alg: z.string() })),
        command: { name: "keys signing", examples: ["liaison keys signing"] },
      },
      async () => ({ output: { items: [...signingKeys], next_cursor: null } }),
    ),
  ];
}
