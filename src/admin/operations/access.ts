/** Who is signed in where: sign-ins that portals hold, sessions, API keys, signing keys. */

import { setImmediate } from "node:timers/promises";
import { z } from "zod";
import type { Instant } from "../../clock.ts";
import { asAccountId, asClientId, asGrantId, asProfileId } from "../../domain/ids.ts";
import type { ApiKey, Selection } from "../../domain/records.ts";
import { hashSecret, randomId, randomSecret } from "../../domain/secrets.ts";
import { readSeen } from "../../domain/seen-session.ts";
import { LiaisonError } from "../../errors.ts";
import type { AccountSession, Page } from "../../storage/contract.ts";
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

const session = z.strictObject({
  id: z.string(),
  account_id: anyId,
  client_ids: z.array(anyId).meta({ description: "The client apps that have a sign-in in it; none is needed." }),
  session: grant.shape.session,
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

function writeSession(
  { sessionUid, accountId, clientIds }: AccountSession,
  used: ReadonlyMap<string, UsedSession>,
): z.input<typeof session> {
  return { id: sessionUid, account_id: accountId, client_ids: clientIds, session: used.get(sessionUid) ?? null };
}

/** How many sessions are read before others have their turn: on SQLite no read lets anybody in. */
const sessionsAtOnce = 20;

/** Where sessions are used, by their ids. */
async function usedSessions(
  { artifacts }: Pick<OperationParts["store"], "artifacts">,
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

  /** @throws LiaisonError `not_found` */
  async function assertAccount(id: string): Promise<void> {
    if ((await administration.account(asAccountId(id))) === undefined) {
      throw new LiaisonError("not_found", "There is no such account.");
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
        name: "listSessions",
        summary: "List the sessions of an account: in which browsers it is signed in, and at which portals.",
        ...{ scope: "admin:read", method: "GET", path: "/accounts/{id}/sessions" },
        input: z.strictObject({ id: anyId, ...paging }),
        output: listOf(session),
        command: { name: "accounts sessions", operand: "id", examples: ["liaison accounts sessions 1c9e…"] },
      },
      async ({ id, ...page }, { now }) => {
        await assertAccount(id);
        const found = await administration.sessions(asAccountId(id), pageOf(page), now);
        const used = await usedSessions(store, found.items, now);
        return { output: listed(found, (one) => writeSession(one, used)) };
      },
    ),
    operation(
      {
        name: "getSession",
        summary: "Show a session: whose it is, where it is used, and at which portals.",
        ...{ scope: "admin:read", method: "GET", path: "/sessions/{id}" },
        input: z.strictObject({ id: anyId }),
        output: session,
        command: { name: "sessions show", operand: "id", examples: ["liaison sessions show mY0pH2uSvQ3bYc5tX1k9Z"] },
      },
      async ({ id }, { now }) => {
        const found = await administration.session(id, now);
        if (found === undefined) throw new LiaisonError("not_found", "There is no session of this id.");
        return { output: writeSession(found, await usedSessions(store, [found], now)) };
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
        summary: "End all sessions of an account, with their sign-ins at portals.",
        ...{ scope: "sessions:write", method: "DELETE", path: "/accounts/{id}/sessions" },
        input: z.strictObject({ id: anyId }),
        output: z.strictObject({ ended: z.int().meta({ description: "How many sessions it ended." }) }),
        command: { name: "sessions end-all", operand: "id", examples: ["liaison sessions end-all 1c9e…"] },
      },
      async ({ id }, { principal, now }) => {
        await assertAccount(id);
        let ended = 0;
        let after: string | null = null;
        do {
          const page: Page<AccountSession> = await administration.sessions(asAccountId(id), { after, limit: 100 }, now);
          for (const { sessionUid } of page.items) {
            const by = { actor: principal.actor, now };
            const { result } = await administration.carryOut({ kind: "end_session", sessionUid }, by);
            // Somebody else may have ended it meanwhile.
            if (result === "done") ended += 1;
            await setImmediate();
          }
          after = page.next;
        } while (after !== null);
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
