/**
 * Revocation of grants in SQLite: what goes with one, inside the transaction of whatever revokes it, and how
 * grants are ended many at a time.
 */

import { createHash } from "node:crypto";
import type { Instant } from "../../clock.ts";
import { type Ending, MOST_AT_ONCE, MOST_OF_FAMILY, tellsPortals } from "../../domain/endings.ts";
import { asAccountId, asClientId } from "../../domain/ids.ts";
import { CONSOLE_CLIENT_ID, type GrantId } from "../../domain/records.ts";
import { oncePerSignIn, signInKey, TOKEN_MODELS } from "../../domain/selecting.ts";
import { as, flag, type RowOf, text } from "../../sql-columns.ts";
import type { Revocation } from "../contract.ts";
import { createBackChannelLogoutQueue } from "./back-channel-logout-queue.ts";
import type { Database } from "./database.ts";
import { type EndingWriter, STANDS } from "./endings.ts";
import { SELECTION_JSON } from "./rows.ts";
import { createSuccession, GONE_COLUMNS, toGone } from "./succession.ts";

export interface Revoker {
  /**
   * Removes the grants' tokens, the grants themselves and their selections. What they had replaced goes on:
   * see succession.ts. Of very many tokens of one grant, which are no use without it, the rest goes in the
   * background.
   */
  grants(grantIds: readonly GrantId[]): void;
  /** Revokes one grant; tells of it if it still held at `now`, and has its portal told. */
  one(grantId: GrantId, now: Instant): Revocation;
  /**
   * Ends every grant that there is under a client, an organization, a profile or a session. Up to `most` go
   * at once, and are told of as far as they still held at `now`: their portals are told, once for each
   * session, and not of a grant that came to nothing while the portal is on another. Of more the rows go in
   * the background (removePart), portals told from there.
   */
  end(ending: Ending, now: Instant, most?: number): Revocation;
  /**
   * Removes some rows of an ending behind a place: looks at `most` selections at the most. Returns the grants
   * that went and the place behind which it goes on; null when nothing is left. Of what held at `endedAt` the
   * portals are told, unless they have been given another grant in that session since.
   */
  removePart(
    ending: Ending,
    part: { after: string; most: number; endedAt: Instant; now: Instant },
  ): { grants: GrantId[]; next: string | null };
}

type RevokedGrant = Revocation["revokedGrants"][number];

/** Whether the portal was given anything for the code of the selection `s`. */
const IS_REDEEMED = `EXISTS (
  SELECT 1 FROM artifacts a
  WHERE a.grant_id = s.grant_id
    AND (a.model IN (${TOKEN_MODELS.map((model) => `'${model}'`).join(", ")}) OR a.consumed_at IS NOT NULL))`;
const REVOKED = `
  SELECT ${SELECTION_JSON} AS record, ${IS_REDEEMED} AS is_redeemed, ${STANDS} AS stands FROM selections s`;
const REVOKED_COLUMNS = { record: SELECTION_JSON, is_redeemed: flag, stands: flag };
type Row = RowOf<typeof REVOKED_COLUMNS>;

/** The selections of each ending. Those to the administration's pages are few, wherever they are of. */
const UNDER: Record<Exclude<Ending["kind"], "grant">, string> = {
  client: "s.client_id = :id",
  organization: "s.organization_id = :id",
  profile: "s.profile_id = :id",
  organization_console: `s.client_id = '${CONSOLE_CLIENT_ID}' AND +s.organization_id = :id`,
  profile_console: `s.client_id = '${CONSOLE_CLIENT_ID}' AND +s.profile_id = :id`,
  session: "s.session_uid = :id",
};

export function createRevoker(database: Database, endings: EndingWriter): Revoker {
  const deleteTokens = database.prepare(`
    DELETE FROM artifacts
    WHERE rowid IN (SELECT rowid FROM artifacts WHERE grant_id = :grantId LIMIT :most)`);
  const deleteGrant = database.prepare("DELETE FROM artifacts WHERE model = 'Grant' AND id_hash = :hash");
  const deleteSelection = database.prepare(
    "DELETE FROM selections WHERE grant_id = :grantId RETURNING grant_id, session_uid, client_id",
    GONE_COLUMNS,
  );
  const forgetChoices = database.prepare(`
    DELETE FROM remembered_choices WHERE client_id = :clientId AND account_id IN (
      SELECT account_id FROM remembered_choices WHERE client_id = :clientId LIMIT :most)`);
  const succeed = createSuccession(database);
  const under = (condition: string) =>
    database.prepare(
      `${REVOKED} WHERE ${condition} AND s.grant_id > :after ORDER BY s.grant_id LIMIT :most`,
      REVOKED_COLUMNS,
    );
  const selections = {
    client: under(UNDER.client),
    organization: under(UNDER.organization),
    profile: under(UNDER.profile),
    organization_console: under(UNDER.organization_console),
    profile_console: under(UNDER.profile_console),
    session: under(UNDER.session),
  };
  const ofGrant = database.prepare(`${REVOKED} WHERE s.grant_id = :id`, REVOKED_COLUMNS);
  const ofSignIn = database.prepare(
    `${REVOKED} WHERE s.session_uid = :sessionUid AND s.client_id = :clientId`,
    REVOKED_COLUMNS,
  );
  const signInsOfSession = database.prepare(
    `SELECT DISTINCT client_id, account_id FROM selections
    WHERE session_uid = :sessionUid AND expires_at > :now`,
    { client_id: as(text, asClientId), account_id: as(text, asAccountId) },
  );
  const queue = createBackChannelLogoutQueue(database);
  const isOnAnother = database.prepare(`
    SELECT 1 FROM selections s
    WHERE s.session_uid = :sessionUid AND s.client_id = :clientId AND s.expires_at > :now AND ${IS_REDEEMED}
      AND ${STANDS}
    LIMIT 1`);

  const revokeGrants = (grantIds: readonly GrantId[]) => {
    const gone = grantIds.flatMap((grantId) => {
      const tokens = deleteTokens.run({ grantId, most: MOST_OF_FAMILY });
      if (tokens === MOST_OF_FAMILY) endings.begin({ kind: "grant", id: grantId }, 0);
      deleteGrant.run({ hash: createHash("sha256").update(grantId).digest("base64url") });
      return deleteSelection.all({ grantId }).map(toGone);
    });
    succeed(gone);
  };
  const idsOf = (rows: readonly Row[]) => rows.map(({ record }) => record.grantId);

  /** `isLater`: the portal may have been given something since. */
  const tell = (
    live: readonly (RevokedGrant & { isRedeemed: boolean })[],
    now: Instant,
    { isLater }: { isLater: boolean },
  ) => {
    for (const one of oncePerSignIn(live)) {
      const { clientId, sessionUid, isRedeemed } = one;
      const mayGoOn = isLater || !isRedeemed;
      if (mayGoOn && isOnAnother.isAny({ sessionUid, clientId, now })) continue;
      queue(one, now);
    }
  };
  const liveAt = (rows: readonly Row[], instant: Instant) =>
    rows
      .filter(({ record }) => record.expiresAt > instant)
      .map(({ record, is_redeemed: isRedeemed }) => ({ ...record, isRedeemed }));

  const revokeAll = (rows: readonly Row[], now: Instant, { tells }: { tells: boolean }): Revocation => {
    revokeGrants(idsOf(rows));
    const live = liveAt(rows, now);
    if (tells) tell(live, now, { isLater: false });
    return {
      revokedGrants: live.map(({ grantId, clientId, accountId, sessionUid }) => {
        return { grantId, clientId, accountId, sessionUid };
      }),
    };
  };

  /** With what else has ended of the same sign-ins, so that each is decided about and told of once. */
  const withSignIns = (rows: readonly Row[]): Row[] => {
    const all = new Map(rows.map((row) => [row.record.grantId, row]));
    const signIns = new Map(rows.map(({ record }) => [signInKey(record), record]));
    for (const { sessionUid, clientId } of signIns.values()) {
      for (const row of ofSignIn.all({ sessionUid, clientId })) {
        if (!row.stands) all.set(row.record.grantId, row);
      }
    }
    return [...all.values()];
  };

  return {
    grants: revokeGrants,
    one: (id, now) => revokeAll(ofGrant.all({ id }), now, { tells: true }),

    end(ending, now, most = MOST_AT_ONCE) {
      const { kind, id } = ending;
      if (kind === "grant") throw new TypeError("a grant is revoked, not ended");
      const rows = selections[kind].all({ id, after: "", most: most + 1 });
      const forgotten = kind === "client" ? forgetChoices.run({ clientId: id, most: MOST_AT_ONCE }) : 0;
      if (rows.length > most || forgotten === MOST_AT_ONCE) {
        // Its portals are told by what it holds for each, which goes now.
        if (kind === "session") {
          for (const row of signInsOfSession.all({ sessionUid: id, now })) {
            queue({ clientId: row.client_id, accountId: row.account_id, sessionUid: id }, now);
          }
        }
        endings.begin(ending, now);
        return { revokedGrants: [], goesOn: true };
      }
      // Nobody selects meanwhile, so that there is nothing to be counted but what no selection shows: a
      // client's own tokens.
      if (kind === "client") endings.count(ending, now);
      const standing = rows.filter(({ stands }) => stands);
      return revokeAll(standing, now, { tells: kind !== "client" });
    },

    removePart(ending, { after, most, endedAt, now }) {
      const { kind, id } = ending;
      if (kind === "grant") {
        return { grants: [], next: deleteTokens.run({ grantId: id, most }) < most ? null : after };
      }
      const rows = selections[kind].all({ id, after, most });
      const ended = withSignIns(rows.filter(({ stands }) => !stands));
      const grants = idsOf(ended);
      revokeGrants(grants);
      if (tellsPortals(ending)) tell(liveAt(ended, endedAt), now, { isLater: true });
      const last = rows.at(-1);
      const place = last === undefined ? after : last.record.grantId;
      if (rows.length === most) return { grants, next: place };
      const isForgotten = kind !== "client" || forgetChoices.run({ clientId: id, most }) < most;
      return { grants, next: isForgotten ? null : place };
    },
  };
}
