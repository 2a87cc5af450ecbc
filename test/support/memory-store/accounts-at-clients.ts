/** Selections and remembered choices in memory, and the two reads that decisions rest on. */

import type { AccountAtClient } from "../../../src/domain/admission.ts";
import { endingKeysOf } from "../../../src/domain/endings.ts";
import { currentOf, planSelection } from "../../../src/domain/selecting.ts";
import type { AccountAtClientStore, AccountOfGrant } from "../../../src/storage/contract.ts";
import { lastUsedFirst, toIdentity } from "../../../src/storage/intentions/accounts.ts";
import { standing } from "../../../src/storage/intentions/endings.ts";
import { toSelection } from "../../../src/storage/intentions/listings.ts";
import { membershipOf, withOrganizations } from "../../../src/storage/intentions/memberships.ts";
import { revokeGrants } from "../../../src/storage/intentions/revoking.ts";
import type { Engine, Steps } from "../../../src/storage/steps.ts";
import { first, get, getAll, insert, list, update } from "../../../src/storage/steps.ts";
import {
  accounts,
  endings,
  identities,
  profiles,
  rememberedChoices,
  type SelectionRow,
  selections,
} from "../../../src/storage/tables.ts";

const selected = (rows: readonly SelectionRow[]) =>
  rows.map((row) => ({ selection: toSelection(row), replacedBy: row.replacedBy }));

export function createAccountAtClientStore(engine: Engine): AccountAtClientStore {
  return {
    forClient: (accountId, clientId, sessionUid, now) =>
      engine.run(function* (): Steps<AccountAtClient | undefined> {
        if ((yield* get(accounts, accountId)) === undefined) return undefined;
        const memberships = yield* withOrganizations(yield* list(profiles, { accountId }, { order: ["id"] }));
        const held = { sessionUid: sessionUid ?? "", clientId, accountId, expiresAt: { gt: now } };
        const live = sessionUid === null ? [] : yield* standing(yield* list(selections, held));
        const remembered = yield* first(rememberedChoices, { accountId, clientId });
        const identity = yield* first(identities, { accountId }, lastUsedFirst);
        return {
          accountId,
          memberships,
          current: currentOf(selected(live)) ?? null,
          rememberedProfileId: remembered?.profileId ?? null,
          identity: identity === undefined ? null : toIdentity(identity),
        };
      }),

    forGrant: (grantId, now) =>
      engine.run(function* (): Steps<AccountOfGrant | undefined> {
        const [row] = yield* standing(yield* list(selections, { grantId, expiresAt: { gt: now } }));
        const membership = row && (yield* membershipOf(row.profileId));
        if (row === undefined || membership?.profile.accountId !== row.accountId) return undefined;
        const replaced = yield* list(selections, { replacedBy: grantId });
        return { selection: toSelection(row), membership, replaces: replaced.map((one) => one.grantId) };
      }),

    select: (selection, now, { remember = true, byHand = true } = {}) =>
      engine.run(function* () {
        const { grantId, sessionUid, clientId, accountId, profileId } = selection;
        const profile = yield* get(profiles, profileId);
        if (profile?.accountId !== accountId) return undefined;
        const current = yield* standing(yield* list(selections, { sessionUid, clientId }));
        const plan = planSelection(selection, selected(current), now, { byHand });
        if (plan.kind === "other_selected") return undefined;
        const choice = { accountId, clientId };
        if (remember && (yield* update(rememberedChoices, choice, { profileId })) === 0)
          yield* insert(rememberedChoices, { ...choice, profileId });
        if (plan.kind === "unchanged") return { grantId: plan.grantId, revokedGrants: [] };
        yield* revokeGrants(plan.ended);
        yield* update(selections, { sessionUid, clientId }, { replacedBy: grantId });
        const made = { ...selection, organizationId: profile.organizationId };
        const under = yield* getAll(endings, endingKeysOf(made));
        const ended = under.reduce((sum, { count }) => sum + count, 0);
        yield* insert(selections, { ...made, replacedBy: null, endings: ended });
        return { grantId, revokedGrants: plan.revoked };
      }),
  };
}
