/** Owns accounts and their identities. */

import { randomUUID } from "node:crypto";
import { accountCreated } from "../../domain/audit-entries.ts";
import { asAccountId } from "../../domain/ids.ts";
import type { Account, Identity } from "../../domain/records.ts";
import { accountTexts } from "../../domain/search.ts";
import type { AccountStore } from "../contract.ts";
import { assertComparable } from "../sealed-fields.ts";
import type { AuditWriter } from "./audit.ts";
import type { Database } from "./database.ts";
import { IDENTITY_JSON, integer, parse, text } from "./rows.ts";
import type { SearchWriter } from "./search-writer.ts";

export function createAccountStore(
  database: Database,
  { audit, search }: { audit: AuditWriter; search: SearchWriter },
): AccountStore {
  const shown = database.prepare(
    "SELECT email, display_name FROM identities WHERE issuer = :issuer AND subject = :subject",
  );
  const recognize = database.prepare(`
    UPDATE identities SET upstream_id = :upstreamId, email = :email, email_verified = :emailVerified,
      display_name = :displayName, last_sign_in_at = :now
    WHERE issuer = :issuer AND subject = :subject
    RETURNING account_id`);
  const insertAccount = database.prepare("INSERT INTO accounts (id, created_at) VALUES (:id, :now)");
  const insertIdentity = database.prepare(`
    INSERT INTO identities (
      issuer, subject, upstream_id, account_id, email, email_verified, display_name, created_at,
        last_sign_in_at)
    VALUES (:issuer, :subject, :upstreamId, :accountId, :email, :emailVerified, :displayName, :now, :now)`);
  const selectAccount = database.prepare("SELECT id, created_at FROM accounts WHERE id = :id");
  const selectIdentities = database.prepare(`
    SELECT ${IDENTITY_JSON} AS record FROM identities i
    WHERE i.account_id = :accountId ORDER BY i.last_sign_in_at DESC, i.rowid DESC`);

  const findAccount = (id: string): Account | undefined => {
    const row = selectAccount.get({ id });
    return row && { id: asAccountId(text(row["id"])), createdAt: integer(row["created_at"]) };
  };

  const identitiesOf = (accountId: string) =>
    selectIdentities.all({ accountId }).map((row) => parse<Identity>(row["record"]));

  return {
    signIn: ({ issuer, subject, upstreamId, email, emailVerified = false, displayName }, now) =>
      database.transaction(() => {
        assertComparable({ issuer, subject });
        const verified = emailVerified ? 1 : 0;
        const identity = { issuer, subject, upstreamId, email, emailVerified: verified, displayName, now };
        const before = shown.get({ issuer, subject });
        const known = recognize.get(identity);
        const account = known && findAccount(text(known["account_id"]));
        if (account !== undefined) {
          const isShownAnew = before?.["email"] !== email || before?.["display_name"] !== displayName;
          if (isShownAnew) search.put("account", account.id, accountTexts(identitiesOf(account.id)));
          return account;
        }

        const id = asAccountId(randomUUID());
        insertAccount.run({ id, now });
        insertIdentity.run({ ...identity, accountId: id });
        search.put("account", id, accountTexts([identity]));
        audit(accountCreated(id, upstreamId, now));
        return { id, createdAt: now };
      }),

    find: (accountId) => database.run(() => findAccount(accountId)),

    identities: (accountId) => database.run(() => identitiesOf(accountId)),
  };
}
