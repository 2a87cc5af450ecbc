/** Accounts and their identities in SQLite. */

import { randomUUID } from "node:crypto";
import { accountCreated } from "../../domain/audit-entries.ts";
import { asAccountId } from "../../domain/ids.ts";
import type { Account } from "../../domain/records.ts";
import { accountTexts } from "../../domain/search.ts";
import { nullable, text } from "../../sql-columns.ts";
import type { AccountStore } from "../contract.ts";
import { assertComparable } from "../encrypted-fields.ts";
import type { AuditWriter } from "./audit.ts";
import type { Database } from "./database.ts";
import { ACCOUNT_JSON, IDENTITY_JSON } from "./rows.ts";
import type { SearchWriter } from "./search-writer.ts";

export function createAccountStore(
  database: Database,
  { audit, search }: { audit: AuditWriter; search: SearchWriter },
): AccountStore {
  const shown = database.prepare(
    "SELECT email, display_name FROM identities WHERE issuer = :issuer AND subject = :subject",
    { email: nullable(text), display_name: nullable(text) },
  );
  const recognize = database.prepare(
    `
    UPDATE identities SET upstream_id = :upstreamId, email = :email, email_verified = :emailVerified,
      display_name = :displayName, last_sign_in_at = :now
    WHERE issuer = :issuer AND subject = :subject
    RETURNING account_id`,
    { account_id: text },
  );
  const insertAccount = database.prepare("INSERT INTO accounts (id, created_at) VALUES (:id, :now)");
  const insertIdentity = database.prepare(`
    INSERT INTO identities (
      issuer, subject, upstream_id, account_id, email, email_verified, display_name, created_at,
        last_sign_in_at)
    VALUES (:issuer, :subject, :upstreamId, :accountId, :email, :emailVerified, :displayName, :now, :now)`);
  const selectAccount = database.prepare(`SELECT ${ACCOUNT_JSON} AS record FROM accounts WHERE id = :id`, {
    record: ACCOUNT_JSON,
  });
  const selectIdentities = database.prepare(
    `
    SELECT ${IDENTITY_JSON} AS record FROM identities i
    WHERE i.account_id = :accountId ORDER BY i.last_sign_in_at DESC, i.rowid DESC`,
    { record: IDENTITY_JSON },
  );

  const findAccount = (id: string): Account | undefined => selectAccount.get({ id })?.record;

  const identitiesOf = (accountId: string) => selectIdentities.all({ accountId }).map(({ record }) => record);

  return {
    signIn: ({ issuer, subject, upstreamId, email, emailVerified = false, displayName }, now) =>
      database.transaction(() => {
        assertComparable({ issuer, subject });
        const verified = emailVerified ? 1 : 0;
        const identity = { issuer, subject, upstreamId, email, emailVerified: verified, displayName, now };
        const before = shown.get({ issuer, subject });
        const known = recognize.get(identity);
        const account = known && findAccount(known.account_id);
        if (account !== undefined) {
          const isShownAnew = before?.email !== email || before?.display_name !== displayName;
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
  };
}
