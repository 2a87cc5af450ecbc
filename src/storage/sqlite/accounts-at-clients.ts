/**
 * The two reads that every decision about an account or a grant rests on, in SQLite. Each is one statement:
 * operations on the store are what this service costs.
 */

import type { AccountAtClient } from "../../domain/admission.ts";
import { asGrantId, asProfileId } from "../../domain/ids.ts";
import { as, nullable, text } from "../../sql-columns.ts";
import type { AccountAtClientStore, AccountOfGrant } from "../contract.ts";
import type { Database } from "./database.ts";
import { STANDS } from "./endings.ts";
import { arrayOf, value } from "./json.ts";
import { IDENTITY_JSON, MEMBERSHIP_JSON, SELECTION_JSON } from "./rows.ts";

export function createAccountAtClientStore(database: Database): Omit<AccountAtClientStore, "select"> {
  const memberships = arrayOf(MEMBERSHIP_JSON, "p.id");
  const forClient = database.prepare(
    `
    SELECT
      (SELECT ${memberships}
       FROM profiles p JOIN organizations o ON o.id = p.organization_id WHERE p.account_id = a.id) AS
         memberships,
      (SELECT ${SELECTION_JSON} FROM selections s
       WHERE s.session_uid = :sessionUid AND s.client_id = :clientId AND s.account_id = a.id
         AND s.expires_at > :now AND ${STANDS}
       ORDER BY s.replaced_by IS NOT NULL, s.expires_at DESC, s.grant_id DESC LIMIT 1) AS current,
      (SELECT profile_id FROM remembered_choices
       WHERE account_id = a.id AND client_id = :clientId) AS remembered,
      (SELECT ${IDENTITY_JSON} FROM identities i
       WHERE i.account_id = a.id ORDER BY i.last_sign_in_at DESC, i.rowid DESC LIMIT 1) AS identity
    FROM accounts a WHERE a.id = :accountId`,
    {
      memberships,
      current: nullable(SELECTION_JSON),
      remembered: nullable(as(text, asProfileId)),
      identity: nullable(IDENTITY_JSON),
    },
  );
  const replaces = arrayOf(value("r.grant_id", as(text, asGrantId)));
  const forGrant = database.prepare(
    `
    SELECT ${SELECTION_JSON} AS selection, ${MEMBERSHIP_JSON} AS membership,
      (SELECT ${replaces} FROM selections r WHERE r.replaced_by = s.grant_id) AS replaces
    FROM selections s
    JOIN profiles p ON p.id = s.profile_id AND p.account_id = s.account_id
    JOIN organizations o ON o.id = p.organization_id
    WHERE s.grant_id = :grantId AND s.expires_at > :now AND ${STANDS}`,
    { selection: SELECTION_JSON, membership: MEMBERSHIP_JSON, replaces },
  );

  return {
    forClient: (accountId, clientId, sessionUid, now) =>
      database.run(() => {
        const row = forClient.get({ accountId, clientId, sessionUid, now });
        if (row === undefined) return undefined;
        const { remembered: rememberedProfileId, ...rest } = row;
        return { accountId, ...rest, rememberedProfileId } satisfies AccountAtClient;
      }),

    forGrant: (grantId, now) =>
      database.run((): AccountOfGrant | undefined => forGrant.get({ grantId, now })),
  };
}
