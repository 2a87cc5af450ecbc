/** Lists of any length in MongoDB: each is read by an index that has its order, from a place on. */

import type { Account, Delivery, Identity, Selection } from "../../domain/records.ts";
import { accountTexts } from "../../domain/search.ts";
import type { AccountView, AdminStore } from "../contract.ts";
import { readPage } from "../paging.ts";
import type { MongoDatabase } from "./database.ts";
import { createDirectoryLists } from "./directory-lists.ts";
import {
  at,
  type OutboxDocument,
  type SelectionDocument,
  toIdentity,
  toRecord,
  toSelection,
} from "./documents.ts";
import { standingStages, standsStages } from "./endings.ts";
import { toDelivery } from "./outbox.ts";
import { dateAt, LAST_INSTANT, NEWEST, readBehind, seqAt, writtenAt } from "./ranges.ts";
import type { SearchReader } from "./search-writer.ts";
import { readFound } from "./searching.ts";
import type { Pipeline } from "./typed-collection.ts";

type Listings = Pick<
  AdminStore,
  | "organizations"
  | "memberships"
  | "accounts"
  | "account"
  | "expiringPlans"
  | "grants"
  | "countGrants"
  | "deliveries"
>;

export function createListings(database: MongoDatabase, search: SearchReader): Listings {
  return {
    ...createDirectoryLists(database, search),
    ...accountLists(database, search),
    ...grantLists(database),
    ...mailLists(database),
  };
}

function accountLists(database: MongoDatabase, search: SearchReader): Pick<Listings, "accounts" | "account"> {
  const { accounts, identities } = database.collections;

  const views = async (found: readonly Account[]): Promise<AccountView[]> => {
    const ids = found.map(({ id }) => id);
    const documents = await identities
      .find({ accountId: { $in: ids } })
      .sort({ accountId: 1, lastSignInAt: -1, _id: -1 })
      .toArray();
    const identitiesOf = new Map<string, Identity[]>(ids.map((id) => [id, []]));
    for (const document of documents) identitiesOf.get(document.accountId)?.push(toIdentity(document));
    return found.map((account) => ({ account, identities: identitiesOf.get(account.id) ?? [] }));
  };
  const find = async (ids: readonly string[]) => {
    const found = await accounts.find({ _id: { $in: [...ids] } }).toArray();
    return await views(found.map((document) => toRecord<Account>(document)));
  };
  const newest = { order: ["createdAt", "_id"], direction: -1 } as const;

  return {
    account: (id) => database.run(async () => (await find([id]))[0]),
    accounts: ({ search: typed }, page) =>
      database.run(async () => {
        if (typed === undefined) {
          return await readPage<AccountView, AccountView>({
            page,
            begin: [LAST_INSTANT, ""],
            placeOf: ({ account }) => [account.createdAt, account.id],
            item: (one) => one,
            fetch: async ([instant, id = ""], limit) => {
              const found = await readBehind(accounts, newest, [dateAt(instant), id], limit);
              return await views(found.map((document) => toRecord<Account>(document)));
            },
          });
        }
        return await readFound<AccountView>(search, {
          kind: "account",
          typed,
          page,
          find,
          idOf: ({ account }) => account.id,
          textsOf: ({ identities: all }) => accountTexts(all),
          fits: () => true,
        });
      }),
  };
}

function grantLists(database: MongoDatabase): Pick<Listings, "grants" | "countGrants"> {
  const { selections } = database.collections;

  return {
    countGrants: (clientId, now, most) =>
      database.run(async () => {
        // Of so many at the most it is asked whether they stand: of what is being ended there may be any
        // number that don't.
        const some = { $match: { clientId, expiresAt: { $gt: at(now) } } };
        const count: Pipeline<SelectionDocument> = [
          some,
          { $limit: most },
          ...standingStages,
          { $count: "count" },
        ];
        const [counted] = await selections.aggregate<{ count: number }>(count).toArray();
        return counted?.count ?? 0;
      }),
    grants: ({ accountId, profileId, clientId }, page, now) =>
      database.run(() => {
        const fits = (one: Selection, stands: boolean) =>
          stands &&
          one.expiresAt > now &&
          (accountId === undefined || one.accountId === accountId) &&
          (profileId === undefined || one.profileId === profileId) &&
          (clientId === undefined || one.clientId === clientId);
        const match =
          profileId !== undefined
            ? { profileId }
            : accountId !== undefined
              ? { accountId }
              : clientId !== undefined
                ? { clientId }
                : {};
        return readPage<{ one: Selection; stands: boolean }, Selection>({
          page,
          begin: [""],
          placeOf: ({ one }) => [one.grantId],
          item: ({ one, stands }) => (fits(one, stands) ? one : undefined),
          fetch: async ([id = ""], limit) => {
            const behind = { $match: { ...match, _id: { $gt: String(id) } } };
            const stages: Pipeline<SelectionDocument> = [
              behind,
              { $sort: { _id: 1 } },
              { $limit: limit },
              ...standsStages,
            ];
            const found = await selections
              .aggregate<SelectionDocument & { stands: boolean }>(stages)
              .toArray();
            return found.map(({ stands, ...document }) => ({ one: toSelection(document), stands }));
          },
        });
      }),
  };
}

function mailLists(database: MongoDatabase): Pick<Listings, "deliveries"> {
  const { outbox } = database.collections;

  return {
    deliveries: ({ state, isPutOff = false }, page) =>
      database.run(() =>
        readPage<OutboxDocument, Delivery>({
          page,
          begin: NEWEST,
          placeOf: ({ createdAt, seq }) => writtenAt(createdAt, seq),
          item: (one) => (state === undefined || one.state === state ? toDelivery(one) : undefined),
          fetch: ([instant, seq], limit) => {
            const match = isPutOff
              ? ({ state: "queued", lastError: { $gt: "" } } as const)
              : state === undefined
                ? {}
                : { state };
            const range = { match, order: ["createdAt", "seq"], direction: -1 } as const;
            return readBehind(outbox, range, [dateAt(instant), seqAt(seq)], limit);
          },
        }),
      ),
  };
}
