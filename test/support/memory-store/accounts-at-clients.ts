/** The two reads in memory that decisions about an account or a grant rest on. */

import type { AccountAtClient } from "../../../src/domain/admission.ts";
import { currentOf } from "../../../src/domain/selecting.ts";
import type { AccountAtClientStore, AccountOfGrant } from "../../../src/storage/contract.ts";
import { lastUsedFirst, toIdentity } from "../../../src/storage/intentions/accounts.ts";
import { standing } from "../../../src/storage/intentions/endings.ts";
import { toSelection } from "../../../src/storage/intentions/listings.ts";
import { membershipOf, withOrganizations } from "../../../src/storage/intentions/memberships.ts";
import type { Engine, Steps } from "../../../src/storage/steps.ts";
import { first, get, list } from "../../../src/storage/steps.ts";
import {
  accounts,
  identities,
  profiles,
  rememberedChoices,
  type SelectionRow,
  selections,
} from "../../../src/storage/tables.ts";

const selected = (rows: readonly SelectionRow[]) =>
  rows.map((row) => ({ selection: toSelection(row), replacedBy: row.replacedBy }));

export function createAccountAtClientStore(engine: Engine): Omit<AccountAtClientStore, "select"> {
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
  };
}
