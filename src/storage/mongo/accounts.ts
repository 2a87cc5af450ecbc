/** Owns accounts and their identities. */

import { randomUUID } from "node:crypto";
import { ObjectId } from "mongodb";
import { accountCreated } from "../audit-entries.ts";
import type { AccountStore, SignedInIdentity } from "../contract.ts";
import type { Account } from "../records.ts";
import { assertComparable } from "../sealed-fields.ts";
import type { AuditWriter } from "./audit.ts";
import { isDuplicate, type MongoDatabase } from "./database.ts";
import { at, toIdentity, toRecord } from "./documents.ts";

export function createAccountStore(database: MongoDatabase, audit: AuditWriter): AccountStore {
  const { accounts, identities } = database.collections;

  const find = async (id: string): Promise<Account | undefined> => {
    const document = await accounts.findOne({ _id: id });
    return document === null ? undefined : toRecord<Account>(document);
  };

  const recognize = ({ issuer, subject, upstreamId, email, displayName }: SignedInIdentity, now: number) =>
    database.run(async () => {
      const set = { upstreamId, email, displayName, lastSignInAt: at(now) };
      const known = await identities.findOneAndUpdate({ issuer, subject }, { $set: set });
      return known === null ? undefined : await find(known.accountId);
    });

  const create = (identity: SignedInIdentity, now: number): Promise<Account> =>
    database.transaction(async (session) => {
      const { issuer, subject, upstreamId, email, displayName } = identity;
      const accountId = randomUUID();
      const times = { createdAt: at(now), lastSignInAt: at(now) };
      // The identity first: its unique index decides between racers.
      await identities.insertOne(
        { _id: new ObjectId(), issuer, subject, upstreamId, accountId, email, displayName, ...times },
        { session },
      );
      await accounts.insertOne({ _id: accountId, createdAt: at(now) }, { session });
      await audit(session, accountCreated(accountId, upstreamId, now));
      return { id: accountId, createdAt: now };
    });

  return {
    async signIn(identity, now) {
      assertComparable(identity);
      const known = await recognize(identity, now);
      if (known !== undefined) return known;
      try {
        return await create(identity, now);
      } catch (error) {
        const racer = isDuplicate(error) ? await recognize(identity, now) : undefined;
        if (racer === undefined) throw error;
        return racer;
      }
    },

    find: (accountId) => database.run(() => find(accountId)),

    identities: (accountId) =>
      database.run(async () => {
        const found = await identities.find({ accountId }).sort({ lastSignInAt: -1, _id: -1 }).toArray();
        return found.map(toIdentity);
      }),
  };
}
