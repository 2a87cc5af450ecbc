/** Accounts and their identities in MongoDB. */

import { randomUUID } from "node:crypto";
import { type ClientSession, ObjectId } from "mongodb";
import type { Instant } from "../../clock.ts";
import { accountCreated } from "../../domain/audit-entries.ts";
import { asAccountId } from "../../domain/ids.ts";
import type { Account, SignedInIdentity } from "../../domain/records.ts";
import { accountTexts } from "../../domain/search.ts";
import type { AccountStore } from "../contract.ts";
import { assertComparable } from "../encrypted-fields.ts";
import type { AuditWriter } from "./audit.ts";
import { isDuplicate, type MongoDatabase } from "./database.ts";
import { at, toRecord } from "./documents.ts";
import type { SearchWriter } from "./search-writer.ts";

/** How often a sign-in begins anew because racers with other display data got in its way. */
const MOST_TURNS = 10;

export function createAccountStore(
  database: MongoDatabase,
  { audit, search }: { audit: AuditWriter; search: SearchWriter },
): AccountStore {
  const { accounts, identities } = database.collections;

  const find = async (id: string, session?: ClientSession): Promise<Account | undefined> => {
    const document = await accounts.findOne({ _id: id }, session === undefined ? {} : { session });
    return document === null ? undefined : toRecord<Account>(document);
  };

  /** The common case: an identity that is shown as it was. One update and one read, of no transaction. */
  const recognize = (identity: SignedInIdentity, now: Instant) =>
    database.run(async () => {
      const { issuer, subject, upstreamId, email, emailVerified, displayName } = identity;
      const set = { upstreamId, lastSignInAt: at(now) };
      const isVerified = emailVerified === true ? true : { $ne: true };
      const isShownAsBefore = { issuer, subject, email, displayName, emailVerified: isVerified };
      const known = await identities.findOneAndUpdate(isShownAsBefore, { $set: set });
      return known === null ? undefined : await find(known.accountId);
    });

  const create = async (
    session: ClientSession,
    identity: SignedInIdentity,
    now: Instant,
  ): Promise<Account> => {
    const { issuer, subject, upstreamId, email, emailVerified = false, displayName } = identity;
    const accountId = asAccountId(randomUUID());
    const times = { createdAt: at(now), lastSignInAt: at(now) };
    // The identity first: its unique index decides between racers.
    await identities.insertOne(
      {
        _id: new ObjectId(),
        issuer,
        subject,
        upstreamId,
        accountId,
        email,
        emailVerified,
        displayName,
        ...times,
      },
      { session },
    );
    await accounts.insertOne({ _id: accountId, createdAt: at(now) }, { session });
    await search.put(session, [{ kind: "account", id: accountId, texts: accountTexts([identity]) }]);
    await audit(session, accountCreated(accountId, upstreamId, now));
    return { id: accountId, createdAt: now };
  };

  /**
   * Creates the account, or writes what the identity is shown as and found by. Undefined if a racer did it
   * already.
   */
  const learn = (identity: SignedInIdentity, now: Instant): Promise<Account | undefined> =>
    database.transaction(async (session) => {
      const { issuer, subject, upstreamId, email, emailVerified = false, displayName } = identity;
      const before = await identities.findOne({ issuer, subject }, { session });
      if (before === null) return await create(session, identity, now);
      const { _id, accountId } = before;
      const account = await find(accountId, session);
      if (account === undefined) throw new Error("an identity has lost its account");
      const isVerified = before.emailVerified ?? false;
      if (before.email === email && isVerified === emailVerified && before.displayName === displayName) {
        return undefined;
      }
      const set = { upstreamId, email, emailVerified, displayName, lastSignInAt: at(now) };
      await identities.updateOne({ _id }, { $set: set }, { session });
      const all = await identities.find({ accountId }, { session }).toArray();
      await search.put(session, [{ kind: "account", id: accountId, texts: accountTexts(all) }]);
      return account;
    });

  return {
    async signIn(identity, now) {
      assertComparable(identity);
      for (let turn = 1; ; turn += 1) {
        const known = await recognize(identity, now);
        if (known !== undefined) return known;
        try {
          const learnt = await learn(identity, now);
          if (learnt !== undefined) return learnt;
          if (turn === MOST_TURNS) throw new Error("an identity is shown in another way again and again");
        } catch (error) {
          if (!isDuplicate(error) || turn === MOST_TURNS) throw error;
        }
      }
    },
  };
}
