/** Lists of any length in SQLite: each is read by an index that has its order, from a place on. */

import type { Account, Delivery, Membership, Organization, Selection } from "../../domain/records.ts";
import { accountTexts, isListedAt, organizationTexts, profileTexts } from "../../domain/search.ts";
import { flag, integer, type RowOf } from "../../sql-columns.ts";
import type { AccountView, AdminStore } from "../contract.ts";
import { type Place, readPage } from "../paging.ts";
import type { Database, Parameters, Query } from "./database.ts";
import { STANDS } from "./endings.ts";
import type { Json } from "./json.ts";
import { DELIVERY_JSON } from "./outbox.ts";
import { ACCOUNT_JSON, IDENTITY_JSON, MEMBERSHIP_JSON, ORGANIZATION_JSON, SELECTION_JSON } from "./rows.ts";
import type { SearchReader } from "./search-writer.ts";

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

export function createListings(database: Database, search: SearchReader): Listings {
  const { organizations, memberships, expiringPlans } = directoryLists(database, search);
  const { accounts, account } = accountLists(database, search);
  return {
    organizations,
    memberships,
    expiringPlans,
    accounts,
    account,
    ...grantLists(database),
    ...mailLists(database),
  };
}

const NAMED: Place = ["", ""];
const named = ({ name, id }: { name: string; id: string }): Place => [name, id];

const TABLES = {
  o: "organizations o",
  p: "profiles p CROSS JOIN organizations o ON o.id = p.organization_id",
};

function directoryLists(
  database: Database,
  search: SearchReader,
): Pick<Listings, "organizations" | "memberships" | "expiringPlans"> {
  const byName = <T>(record: Json<T>, condition: string, table: "o" | "p") =>
    database.prepare(
      `
      SELECT ${record} AS record
      FROM ${TABLES[table]}
      WHERE ${condition}(${table}.name, ${table}.id) > (:name, :id) ORDER BY ${table}.name, ${table}.id
      LIMIT :limit`,
      { record },
    );
  const organization = database.prepare(
    `SELECT ${ORGANIZATION_JSON} AS record FROM organizations o WHERE o.id = :id`,
    { record: ORGANIZATION_JSON },
  );
  const membership = database.prepare(
    `
    SELECT ${MEMBERSHIP_JSON} AS record FROM profiles p JOIN organizations o ON o.id = p.organization_id
      WHERE p.id = :id`,
    { record: MEMBERSHIP_JSON },
  );
  const organizationLists = {
    all: byName(ORGANIZATION_JSON, "", "o"),
    ofKind: byName(ORGANIZATION_JSON, "o.kind = :kind AND ", "o"),
    disabled: byName(ORGANIZATION_JSON, "o.enabled = 0 AND ", "o"),
  };
  const membershipLists = {
    all: byName(MEMBERSHIP_JSON, "", "p"),
    ofOrganization: byName(MEMBERSHIP_JSON, "p.organization_id = :organizationId AND ", "p"),
    disabled: byName(MEMBERSHIP_JSON, "p.enabled = 0 AND ", "p"),
    administrators: byName(MEMBERSHIP_JSON, "p.admin_role IS NOT NULL AND ", "p"),
  };
  const ofAccount = database.prepare(
    `
    SELECT ${MEMBERSHIP_JSON} AS record FROM profiles p JOIN organizations o ON o.id = p.organization_id
    WHERE p.account_id = :accountId ORDER BY p.name, p.id`,
    { record: MEMBERSHIP_JSON },
  );
  const expiring = database.prepare(
    `
    SELECT ${ORGANIZATION_JSON} AS record FROM organizations o
    WHERE o.plan_status = 'active' AND o.plan_expires_at >= :from AND o.plan_expires_at < :to
    ORDER BY o.plan_expires_at LIMIT :limit`,
    { record: ORGANIZATION_JSON },
  );

  return {
    organizations: ({ search: typed, kind, enabled }, page) =>
      database.run(async () => {
        const fits = (one: Organization) =>
          (kind === undefined || one.kind === kind) && (enabled === undefined || one.enabled === enabled);
        if (typed !== undefined) {
          return await readPage<{ id: string; after: string }, Organization>({
            page,
            begin: [""],
            placeOf: ({ after }) => [after],
            fetch: ([after], limit) => search.find("organization", typed, String(after) || null, limit),
            item: ({ id, after }) => {
              const found = organization.get({ id })?.record;
              if (found === undefined || !fits(found)) return undefined;
              return isListedAt(after, "organization", typed, id, organizationTexts(found))
                ? found
                : undefined;
            },
          });
        }
        const list =
          kind !== undefined
            ? organizationLists.ofKind
            : enabled === false
              ? organizationLists.disabled
              : organizationLists.all;
        const ofKind: Parameters = kind === undefined ? {} : { kind };
        return await readPage<Organization, Organization>({
          page,
          begin: NAMED,
          placeOf: named,
          item: (one) => (fits(one) ? one : undefined),
          fetch: ([name = "", id = ""], limit) => records(list.all({ ...ofKind, name, id, limit })),
        });
      }),

    memberships: ({ search: typed, organizationId, accountId, enabled, isAdministrator }, page) =>
      database.run(async () => {
        const fits = ({ profile }: Membership) =>
          (organizationId === undefined || profile.organizationId === organizationId) &&
          (accountId === undefined || profile.accountId === accountId) &&
          (enabled === undefined || profile.enabled === enabled) &&
          (isAdministrator === undefined || profile.adminRole !== null);
        const item = (one: Membership) => (fits(one) ? one : undefined);
        if (typed !== undefined) {
          return await readPage<{ id: string; after: string }, Membership>({
            page,
            begin: [""],
            placeOf: ({ after }) => [after],
            fetch: ([after], limit) => search.find("profile", typed, String(after) || null, limit),
            item: ({ id, after }) => {
              const found = membership.get({ id })?.record;
              if (found === undefined || !fits(found)) return undefined;
              return isListedAt(after, "profile", typed, id, profileTexts(found.profile)) ? found : undefined;
            },
          });
        }
        const place = ({ profile }: Membership) => named(profile);
        if (accountId !== undefined) {
          // An account has few.
          const all = records(ofAccount.all({ accountId }));
          return await readPage<Membership, Membership>({
            page,
            begin: NAMED,
            placeOf: place,
            item,
            fetch: (from, limit) => all.filter((one) => isBehind(place(one), from)).slice(0, limit),
          });
        }
        const list =
          organizationId !== undefined
            ? membershipLists.ofOrganization
            : isAdministrator
              ? membershipLists.administrators
              : enabled === false
                ? membershipLists.disabled
                : membershipLists.all;
        const of: Parameters = organizationId === undefined ? {} : { organizationId };
        return await readPage<Membership, Membership>({
          page,
          begin: NAMED,
          placeOf: place,
          item,
          fetch: ([name = "", id = ""], limit) => records(list.all({ ...of, name, id, limit })),
        });
      }),

    expiringPlans: (from, to, limit) => database.run(() => records(expiring.all({ from, to, limit }))),
  };
}

function accountLists(database: Database, search: SearchReader): Pick<Listings, "accounts" | "account"> {
  const one = database.prepare(`SELECT ${ACCOUNT_JSON} AS record FROM accounts WHERE id = :id`, {
    record: ACCOUNT_JSON,
  });
  const newest = database.prepare(
    `
    SELECT ${ACCOUNT_JSON} AS record FROM accounts
    WHERE (created_at, id) < (:at, :id) ORDER BY created_at DESC, id DESC LIMIT :limit`,
    { record: ACCOUNT_JSON },
  );
  const identities = database.prepare(
    `
    SELECT ${IDENTITY_JSON} AS record FROM identities i
    WHERE i.account_id = :accountId ORDER BY i.last_sign_in_at DESC, i.rowid DESC`,
    { record: IDENTITY_JSON },
  );
  const view = (account: Account): AccountView => ({
    account,
    identities: records(identities.all({ accountId: account.id })),
  });
  const find = (id: string) => {
    const account = one.get({ id })?.record;
    return account && view(account);
  };

  return {
    account: (id) => database.run(() => find(id)),
    accounts: ({ search: typed }, page) =>
      database.run(async () => {
        if (typed === undefined) {
          return await readPage<Account, AccountView>({
            page,
            begin: [Number.MAX_SAFE_INTEGER, ""],
            placeOf: ({ createdAt, id }) => [createdAt, id],
            item: view,
            fetch: ([at = 0, id = ""], limit) => records(newest.all({ at, id, limit })),
          });
        }
        return await readPage<{ id: string; after: string }, AccountView>({
          page,
          begin: [""],
          placeOf: ({ after }) => [after],
          fetch: ([after], limit) => search.find("account", typed, String(after) || null, limit),
          item: ({ id, after }) => {
            const found = find(id);
            if (found === undefined) return undefined;
            return isListedAt(after, "account", typed, id, accountTexts(found.identities))
              ? found
              : undefined;
          },
        });
      }),
  };
}

const LISTED = { record: SELECTION_JSON, stands: flag };

function grantLists(database: Database): Pick<Listings, "grants" | "countGrants"> {
  const select = (condition: string) =>
    database.prepare(
      `
      SELECT ${SELECTION_JSON} AS record, ${STANDS} AS stands FROM selections s
      WHERE ${condition}s.grant_id > :id ORDER BY s.grant_id LIMIT :limit`,
      LISTED,
    );
  const lists = {
    all: select(""),
    ofAccount: select("s.account_id = :accountId AND "),
    ofClient: select("s.client_id = :clientId AND "),
    ofProfile: select("s.profile_id = :profileId AND "),
  };
  // Of so many at the most it is asked whether they stand: of a client that is being ended there may be any
  // number that don't.
  const some = database.prepare(
    `
    SELECT ${STANDS} AS stands FROM selections s WHERE s.client_id = :clientId AND s.expires_at > :now
    LIMIT :most`,
    { stands: flag },
  );

  const listed = ({
    accountId,
    profileId,
    clientId,
  }: Record<"accountId" | "profileId" | "clientId", string | undefined>): [
    Query<RowOf<typeof LISTED>>,
    Parameters,
  ] => {
    if (profileId !== undefined) return [lists.ofProfile, { profileId }];
    if (accountId !== undefined) return [lists.ofAccount, { accountId }];
    if (clientId !== undefined) return [lists.ofClient, { clientId }];
    return [lists.all, {}];
  };

  return {
    countGrants: (clientId, now, most) =>
      database.run(() => some.all({ clientId, now, most }).filter(({ stands }) => stands).length),
    grants: ({ accountId, profileId, clientId }, page, now) =>
      database.run(async () => {
        type Listed = Selection & { stands: boolean };
        const fits = (one: Listed) =>
          one.stands &&
          one.expiresAt > now &&
          (accountId === undefined || one.accountId === accountId) &&
          (profileId === undefined || one.profileId === profileId) &&
          (clientId === undefined || one.clientId === clientId);
        const reading = {
          page,
          begin: [""],
          placeOf: ({ grantId }: Listed) => [grantId],
          item: (one: Listed): Selection | undefined => {
            const { stands: _stands, ...selection } = one;
            return fits(one) ? selection : undefined;
          },
        };
        const [list, of] = listed({ accountId, profileId, clientId });
        return await readPage<Listed, Selection>({
          ...reading,
          fetch: ([id = ""], limit) =>
            list.all({ ...of, id, limit }).map(({ record, stands }) => ({ ...record, stands })),
        });
      }),
  };
}

function mailLists(database: Database): Pick<Listings, "deliveries"> {
  const select = (condition: string) =>
    database.prepare(
      `
      SELECT ${DELIVERY_JSON} AS delivery, rowid AS place FROM outbox
      WHERE ${condition}(created_at, rowid) < (:at, :place) ORDER BY created_at DESC, rowid DESC
      LIMIT :limit`,
      { delivery: DELIVERY_JSON, place: integer },
    );
  const all = select("");
  const ofState = select("state = :state AND ");
  const putOff = select("state = 'queued' AND last_error IS NOT NULL AND ");
  type Placed = { delivery: Delivery; place: number };

  return {
    deliveries: ({ state, isPutOff = false }, page) =>
      database.run(() =>
        readPage<Placed, Delivery>({
          page,
          begin: [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
          placeOf: ({ delivery, place }) => [delivery.createdAt, place],
          item: ({ delivery }) => (state === undefined || delivery.state === state ? delivery : undefined),
          fetch: ([at = 0, place = 0], limit) => {
            const behind = { at, place, limit };
            if (isPutOff) return putOff.all(behind);
            return state === undefined ? all.all(behind) : ofState.all({ state, ...behind });
          },
        }),
      ),
  };
}

const records = <T>(rows: readonly { record: T }[]): T[] => rows.map(({ record }) => record);

function isBehind(place: Place, from: Place): boolean {
  const [name = "", id = ""] = place;
  const [fromName = "", fromId = ""] = from;
  return name === fromName ? id > fromId : name > fromName;
}
