/**
 * Succession of selections in SQLite: what becomes of those that a grant replaced once that grant is gone,
 * inside the transaction that removes it.
 */

import { asClientId, asGrantId } from "../../domain/ids.ts";
import type { GrantId, SignIn } from "../../domain/records.ts";
import { as, type RowOf, text } from "../../sql-columns.ts";
import type { Database } from "./database.ts";

/** A selection that was removed. */
type Gone = SignIn & { grantId: GrantId };

/**
 * Points what removed selections had replaced at the current one of its sign-in; where none is left, the
 * newest becomes that. All that goes must be gone before: each of the others is then written once, however
 * many go.
 */
export type Succession = (gone: readonly Gone[]) => void;

export function createSuccession(database: Database): Succession {
  const repoint = database.prepare(`
    UPDATE selections SET replaced_by = nullif(coalesce(
      (SELECT c.grant_id FROM selections c
       WHERE c.session_uid = :sessionUid AND c.client_id = :clientId AND c.replaced_by IS NULL),
      (SELECT r.grant_id FROM selections r
       WHERE r.replaced_by = :grantId ORDER BY r.expires_at DESC, r.grant_id DESC LIMIT 1)), grant_id)
    WHERE replaced_by = :grantId`);
  return (gone) => {
    for (const { grantId, sessionUid, clientId } of gone) repoint.run({ grantId, sessionUid, clientId });
  };
}

/** What a statement that deletes selections returns of them. */
export const GONE_COLUMNS = {
  grant_id: as(text, asGrantId),
  session_uid: text,
  client_id: as(text, asClientId),
};

export function toGone(row: RowOf<typeof GONE_COLUMNS>): Gone {
  return { grantId: row.grant_id, sessionUid: row.session_uid, clientId: row.client_id };
}
