/** How lists of any length are read: each by an index that has its order, from a place on. */

import type {
  Account,
  ClientId,
  Delivery,
  Membership,
  Organization,
  Selection,
} from "../../domain/records.ts";
import { accountTexts, organizationTexts, profileTexts } from "../../domain/search.ts";
import type { AccountView, AdminStore } from "../contract.ts";
import { LAST_INSTANT, type Place, readPage } from "../paging.ts";
import { type Engine, get, getAll, list, type Steps, type Where } from "../steps.ts";
import {
  accounts,
  type IdentityRow,
  identities,
  type OrganizationRow,
  type OutboxRow,
  organizations,
  outbox,
  type ProfileRow,
  profiles,
  type SelectionRow,
  selections,
} from "../tables.ts";
import { lastUsedFirst, toIdentity } from "./accounts.ts";
import { type Stood, standing, withStanding } from "./endings.ts";
import { toOrganization, withOrganizations } from "./memberships.ts";
import { toDelivery } from "./outbox.ts";
import { readFound } from "./search.ts";

type Lists<Name extends keyof AdminStore> = Pick<AdminStore, Name>;

export function createListings(engine: Engine) {
  return {
    ...organizationLists(engine),
    ...membershipLists(engine),
    ...accountLists(engine),
    ...grantLists(engine),
    ...mailLists(engine),
  };
}

const NAMED: Place = ["", ""];
const BY_NAME = { order: ["name", "id"] } as const;
const named = ({ name, id }: { name: string; id: string }): Place => [name, id];

function organizationLists(engine: Engine): Lists<"organizations" | "expiringPlans"> {
  return {
    organizations: ({ search: typed, kind, enabled }, page) => {
      const fits = (one: Organization) =>
        (kind === undefined || one.kind === kind) && (enabled === undefined || one.enabled === enabled);
      if (typed !== undefined) {
        return readFound<Organization>(engine, {
          kind: "organization",
          typed,
          page,
          *find(ids) {
            return (yield* getAll(organizations, ids)).map(toOrganization);
          },
          idOf: ({ id }) => id,
          textsOf: organizationTexts,
          fits,
        });
      }
      const where: Where<OrganizationRow> =
        kind !== undefined ? { kind } : enabled === false ? { enabled: false } : {};
      return readPage<Organization, Organization>({
        page,
        begin: NAMED,
        placeOf: named,
        item: (one) => (fits(one) ? one : undefined),
        fetch: (behind, limit) =>
          engine.run(function* () {
            return (yield* list(organizations, where, { ...BY_NAME, behind, limit })).map(toOrganization);
          }),
      });
    },

    expiringPlans: (from, to, limit) =>
      engine.run(function* () {
        const expiring = { planStatus: "active", planExpiresAt: { gte: from, lt: to } } as const;
        const found = yield* list(organizations, expiring, { order: ["planExpiresAt"], limit });
        return found.map(toOrganization);
      }),
  };
}

function membershipLists(engine: Engine): Lists<"memberships"> {
  return {
    memberships: ({ search: typed, organizationId, accountId, enabled, isAdministrator }, page) => {
      const fits = ({ profile }: Membership) =>
        (organizationId === undefined || profile.organizationId === organizationId) &&
        (accountId === undefined || profile.accountId === accountId) &&
        (enabled === undefined || profile.enabled === enabled) &&
        (isAdministrator === undefined || profile.adminRole !== null);
      if (typed !== undefined) {
        return readFound<Membership>(engine, {
          kind: "profile",
          typed,
          page,
          *find(ids) {
            return yield* withOrganizations(yield* getAll(profiles, ids));
          },
          idOf: ({ profile }) => profile.id,
          textsOf: ({ profile }) => profileTexts(profile),
          fits,
        });
      }
      // An account has few: they are sorted.
      const where: Where<ProfileRow> =
        accountId !== undefined
          ? { accountId }
          : organizationId !== undefined
            ? { organizationId }
            : isAdministrator
              ? { adminRole: { not: null } }
              : enabled === false
                ? { enabled: false }
                : {};
      return readPage<Membership, Membership>({
        page,
        begin: NAMED,
        placeOf: ({ profile }) => named(profile),
        item: (one) => (fits(one) ? one : undefined),
        fetch: (behind, limit) =>
          engine.run(function* () {
            return yield* withOrganizations(yield* list(profiles, where, { ...BY_NAME, behind, limit }));
          }),
      });
    },
  };
}

function accountLists(engine: Engine): Lists<"accounts" | "account"> {
  function* views(found: readonly Account[]): Steps<AccountView[]> {
    const ids = found.map(({ id }) => id);
    const rows: IdentityRow[] = [];
    for (const accountId of ids) rows.push(...(yield* list(identities, { accountId }, lastUsedFirst)));
    return found.map((account) => {
      const own = rows.filter(({ accountId }) => accountId === account.id);
      return { account, identities: own.map(toIdentity) };
    });
  }

  return {
    account: (id) =>
      engine.run(function* () {
        const account = yield* get(accounts, id);
        return account && (yield* views([account]))[0];
      }),

    accounts: ({ search: typed }, page) => {
      if (typed !== undefined) {
        return readFound<AccountView>(engine, {
          kind: "account",
          typed,
          page,
          *find(ids) {
            return yield* views(yield* getAll(accounts, ids));
          },
          idOf: ({ account }) => account.id,
          textsOf: ({ identities: all }) => accountTexts(all),
          fits: () => true,
        });
      }
      return readPage<AccountView, AccountView>({
        page,
        begin: [LAST_INSTANT, ""],
        placeOf: ({ account }) => [account.createdAt, account.id],
        item: (one) => one,
        fetch: (behind, limit) =>
          engine.run(function* () {
            const newest = { order: ["createdAt", "id"], isDescending: true, behind, limit } as const;
            return yield* views(yield* list(accounts, {}, newest));
          }),
      });
    },
  };
}

export const toSelection = ({
  organizationId: _organization,
  replacedBy: _successor,
  endings: _endings,
  ...selection
}: SelectionRow): Selection => selection;

function grantLists(engine: Engine): Lists<"grants" | "countGrants"> {
  return {
    countGrants: (clientId: ClientId, now, most) =>
      engine.run(function* () {
        // Of so many at the most it is asked whether they stand: of a client that is being ended there may be
        // any number that don't.
        const found = yield* list(selections, { clientId, expiresAt: { gt: now } }, { limit: most });
        return (yield* standing(found)).length;
      }),

    grants: ({ accountId, profileId, clientId }, page, now) => {
      const fits = (one: Stood) =>
        one.stands &&
        one.expiresAt > now &&
        (accountId === undefined || one.accountId === accountId) &&
        (profileId === undefined || one.profileId === profileId) &&
        (clientId === undefined || one.clientId === clientId);
      const where: Where<SelectionRow> =
        profileId !== undefined
          ? { profileId }
          : accountId !== undefined
            ? { accountId }
            : clientId !== undefined
              ? { clientId }
              : {};
      return readPage<Stood, Selection>({
        page,
        begin: [""],
        placeOf: ({ grantId }) => [grantId],
        item: (one) => {
          const { stands: _stands, ...row } = one;
          return fits(one) ? toSelection(row) : undefined;
        },
        fetch: (behind, limit) =>
          engine.run(function* () {
            return yield* withStanding(yield* list(selections, where, { order: ["grantId"], behind, limit }));
          }),
      });
    },
  };
}

function mailLists(engine: Engine): Lists<"deliveries"> {
  return {
    deliveries: ({ state, isPutOff = false }, page) => {
      const where: Where<OutboxRow> = isPutOff
        ? { state: "queued", lastError: { not: null } }
        : state === undefined
          ? {}
          : { state };
      return readPage<OutboxRow, Delivery>({
        page,
        begin: [LAST_INSTANT, engine.lastPlace],
        placeOf: ({ createdAt, seq }) => [createdAt, seq],
        item: (one) => (state === undefined || one.state === state ? toDelivery(one) : undefined),
        fetch: (behind, limit) => {
          const newestFirst = { order: ["createdAt", "seq"], isDescending: true, behind, limit } as const;
          const listing = isPutOff ? { ...newestFirst, by: "putOff" } : newestFirst;
          return engine.run(() => list(outbox, where, listing));
        },
      });
    },
  };
}
