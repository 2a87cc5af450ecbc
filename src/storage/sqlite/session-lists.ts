/**
 * Lists of an account's sessions in SQLite: those that browsers are signed in with, and those that grants
 * alone are left of.
 */

import type { Instant } from "../../clock.ts";
import { asAccountId, asClientId } from "../../domain/ids.ts";
import type { AccountId } from "../../domain/records.ts";
import { as, text } from "../../sql-columns.ts";
import type { AccountSession, AdminStore } from "../contract.ts";
import { readPage } from "../paging.ts";
import type { Database } from "./database.ts";
import { STANDS } from "./endings.ts";
import { arrayOf, value } from "./json.ts";

/**
 * Of so many grants of a session it is asked at the most whether they stand: of one that is being ended there
 * may be any number.
 */
const MOST_GRANTS = 50;

export function createSessionLists(database: Database): Pick<AdminStore, "sessions" | "session"> {
  // Each half is read from its own index in its order; what is listed already of one id comes once.
  const ids = database.prepare(
    `
    SELECT * FROM (
      SELECT DISTINCT a.session_uid AS uid FROM artifacts a
      WHERE a.account_id = :accountId AND a.session_uid > :after ORDER BY a.session_uid LIMIT :limit)
    UNION
    SELECT * FROM (
      SELECT DISTINCT s.session_uid AS uid FROM selections s
      WHERE s.account_id = :accountId AND s.session_uid > :after ORDER BY s.session_uid LIMIT :limit)
    ORDER BY uid LIMIT :limit`,
    { uid: text },
  );
  const isSignedIn = database.prepare(`
    SELECT 1 FROM artifacts a
    WHERE a.session_uid = :uid AND a.account_id = :accountId AND a.expires_at > :now LIMIT 1`);
  const clientIds = arrayOf(value("DISTINCT s.client_id", as(text, asClientId)), "s.client_id");
  const clientsOf = database.prepare(
    `
    SELECT ${clientIds} AS clients FROM (
      SELECT * FROM selections
      WHERE session_uid = :uid AND account_id = :accountId AND expires_at > :now LIMIT ${MOST_GRANTS}) s
    WHERE ${STANDS}`,
    { clients: clientIds },
  );
  const whose = database.prepare(
    `
    SELECT account_id FROM artifacts
    WHERE session_uid = :uid AND account_id IS NOT NULL AND expires_at > :now
    UNION ALL
    SELECT s.account_id FROM (SELECT * FROM selections WHERE session_uid = :uid AND expires_at > :now LIMIT
      ${MOST_GRANTS}) s
    WHERE ${STANDS} LIMIT 1`,
    { account_id: as(text, asAccountId) },
  );

  const find = (uid: string, accountId: AccountId, now: Instant): AccountSession | undefined => {
    const of = { uid, accountId, now };
    const clients = clientsOf.get(of)?.clients ?? [];
    if (clients.length === 0 && !isSignedIn.isAny(of)) return undefined;
    return { sessionUid: uid, accountId, clientIds: clients };
  };

  return {
    sessions: (accountId, page, now) =>
      database.run(() =>
        readPage<string, AccountSession>({
          page,
          begin: [""],
          placeOf: (uid) => [uid],
          item: (uid) => find(uid, accountId, now),
          fetch: ([after = ""], limit) => ids.all({ accountId, after, limit }).map(({ uid }) => uid),
        }),
      ),
    session: (uid, now) =>
      database.run(() => {
        const row = whose.get({ uid, now });
        return row && find(uid, row.account_id, now);
      }),
  };
}
