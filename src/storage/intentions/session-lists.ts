/**
 * Lists of an account's sessions: those that browsers are signed in with, and those that grants alone are
 * left of.
 */

import type { Instant } from "../../clock.ts";
import type { AccountId } from "../../domain/records.ts";
import type { AccountSession, AdminStore } from "../contract.ts";
import { readPage } from "../paging.ts";
import { call, type Engine, list, type Steps } from "../steps.ts";
import { type SelectionRow, selections } from "../tables.ts";
import { standing } from "./endings.ts";

/**
 * Of so many grants it is asked at the most whether they stand, of several sessions together, or else of
 * each: of one that is being ended there may be any number.
 */
const MOST_TOGETHER = 200;
const MOST_GRANTS = 50;

export function createSessionLists(engine: Engine): Pick<AdminStore, "sessions" | "session"> {
  return {
    sessions: (accountId, page, now) =>
      readPage<{ uid: string; session: AccountSession | undefined }, AccountSession>({
        page,
        begin: [""],
        placeOf: ({ uid }) => [uid],
        item: ({ session }) => session,
        fetch: ([after], limit) =>
          engine.run(function* () {
            const uids = yield* call("sessionsOfAccount", accountId, String(after), limit);
            const found = yield* sessionsAmong(uids, accountId, now);
            return uids.map((uid) => ({ uid, session: found.get(uid) }));
          }),
      }),

    session: (uid, now) =>
      engine.run(function* () {
        const whose = (yield* call("accountOfSession", uid, now))?.accountId ?? (yield* ofGrants(uid, now));
        return whose === undefined ? undefined : (yield* sessionsAmong([uid], whose, now)).get(uid);
      }),
  };
}

/** Whose the grants are that go on without their session. */
export function* ofGrants(sessionUid: string, now: Instant): Steps<AccountId | undefined> {
  const unexpired = { sessionUid, expiresAt: { gt: now } };
  const found = yield* standing(yield* list(selections, unexpired, { limit: MOST_GRANTS }));
  return found[0]?.accountId;
}

/** Those of these sessions that go on as the account's, by their ids. */
function* sessionsAmong(
  uids: readonly string[],
  accountId: AccountId,
  now: Instant,
): Steps<Map<string, AccountSession>> {
  const sessions = new Map<string, AccountSession>();
  if (uids.length === 0) return sessions;
  for (const sessionUid of yield* call("signedInAmong", uids, accountId, now))
    sessions.set(sessionUid, { sessionUid, accountId, clientIds: [] });
  for (const { sessionUid, clientId } of yield* standing(yield* grantsIn(uids, accountId, now))) {
    const clientIds = new Set([...(sessions.get(sessionUid)?.clientIds ?? []), clientId]);
    sessions.set(sessionUid, { sessionUid, accountId, clientIds: [...clientIds].toSorted() });
  }
  return sessions;
}

function* grantsIn(uids: readonly string[], accountId: AccountId, now: Instant): Steps<SelectionRow[]> {
  const unexpired = { accountId, expiresAt: { gt: now } };
  const together = { ...unexpired, sessionUid: { in: uids } };
  const most = Math.min(MOST_TOGETHER, MOST_GRANTS * uids.length);
  const found = yield* list(selections, together, { limit: most });
  if (found.length < most) return found;
  const all: SelectionRow[] = [];
  for (const sessionUid of uids)
    all.push(...(yield* list(selections, { ...unexpired, sessionUid }, { limit: MOST_GRANTS })));
  return all;
}
