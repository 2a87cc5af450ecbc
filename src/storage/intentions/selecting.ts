/** How a profile is selected for a session at a client; what comes of it is domain/selecting.ts's. */

import type { Selection } from "../../domain/records.ts";
import { planSelection } from "../../domain/selecting.ts";
import type { AccountAtClientStore } from "../contract.ts";
import { call, type Engine, first, get, insert, list, type Steps, update } from "../steps.ts";
import { profiles, rememberedChoices, selections } from "../tables.ts";
import { endingsUnder } from "./endings.ts";
import { revokeGrants } from "./revoking.ts";

export function createSelecting(engine: Engine): Pick<AccountAtClientStore, "select"> {
  return {
    select: (selection, now, { remember: isRemembered = true, byHand = true } = {}) =>
      engine.transaction(function* () {
        const { grantId, sessionUid, clientId, accountId, profileId } = selection;
        const profile = yield* get(profiles, profileId);
        if (profile?.accountId !== accountId) return undefined;
        const { organizationId } = profile;
        const all = yield* list(selections, { sessionUid, clientId });
        const [endings = 0, ...ended] = yield* endingsUnder([{ ...selection, organizationId }, ...all]);
        const current = all
          .filter((one, index) => one.endings === ended[index])
          .map((one) => ({ selection: one, replacedBy: one.replacedBy }));
        const plan = planSelection(selection, current, now, { byHand });
        if (plan.kind === "other_selected") return undefined;
        if (isRemembered) yield* remember(selection);
        if (plan.kind === "unchanged") return { grantId: plan.grantId, revokedGrants: [] };
        // Whoever unbinds or disables the profile meanwhile must see this selection: that is decided by the
        // profile.
        yield* call("holdProfile", profileId);
        yield* revokeGrants(plan.ended);
        yield* update(selections, { sessionUid, clientId }, { replacedBy: grantId });
        const { expiresAt } = selection;
        const made = { grantId, sessionUid, clientId, accountId, profileId, organizationId, expiresAt };
        yield* insert(selections, { ...made, replacedBy: null, endings });
        return { grantId, revokedGrants: plan.revoked };
      }),
  };
}

function* remember({ accountId, clientId, profileId }: Selection): Steps<void> {
  const known = yield* first(rememberedChoices, { accountId, clientId });
  if (known === undefined) yield* insert(rememberedChoices, { accountId, clientId, profileId });
  else if (known.profileId !== profileId)
    yield* update(rememberedChoices, { accountId, clientId }, { profileId });
}
