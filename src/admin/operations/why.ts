/** Why was this denied? The rules of a portal over a person's profiles, as a sign-in would apply them now. */

import type { Instant } from "../../clock.ts";
import { judge, type RefusalReason } from "../../domain/access.ts";
import { decideAdmission } from "../../domain/admission.ts";
import type { Calendar } from "../../domain/calendar.ts";
import { asAccountId, asClientId, idOrNone } from "../../domain/ids.ts";
import { isPortal } from "../../domain/portal.ts";
import type { Client, Membership } from "../../domain/records.ts";
import { LiaisonError } from "../../errors.ts";
import type { simulation } from "../definitions/why.ts";
import type { OperationDependencies } from "../dependencies.ts";
import { writeMembership } from "../fields.ts";
import { type HandlersOf, InputError } from "../operation.ts";
import { findMembership } from "./profiles.ts";

export function simulationHandlers(dependencies: OperationDependencies): HandlersOf<typeof simulation> {
  const { store, clients, calendar } = dependencies;
  return {
    run: async ({ client_id, profile_id, account_id }, { now }) => {
      if ((profile_id === undefined) === (account_id === undefined)) {
        throw new InputError([
          { field: "profile_id", problem: "name a profile or an account, one of the two" },
        ]);
      }
      const client = await clients.find(asClientId(client_id));
      if (client === undefined || !isPortal(client)) {
        throw LiaisonError.notFound("There is no such portal.");
      }
      const named = profile_id === undefined ? undefined : await findMembership(dependencies, profile_id);
      const accountId = idOrNone(asAccountId, account_id) ?? named?.profile.accountId ?? null;
      const describe = (one: Membership) => judgement(client, one, { now, calendar });
      if (accountId === null) {
        const profiles = named === undefined ? [] : [describe(named)];
        return { output: { outcome: "unlinked" as const, account_id: null, profiles } };
      }
      const accountAtClient = await store.accountsAtClients.forClient(accountId, client.id, null, now);
      if (accountAtClient === undefined) throw LiaisonError.notFound("There is no such account.");
      const { kind } = decideAdmission({ accountAtClient, policy: client.policy, now });
      return {
        output: { outcome: kind, account_id: accountId, profiles: accountAtClient.memberships.map(describe) },
      };
    },
  };
}

function judgement(client: Client, one: Membership, { now, calendar }: { now: Instant; calendar: Calendar }) {
  const rules = judge(client.policy, one, now).map(({ rule, verdict, reason }) => ({
    rule,
    verdict,
    reason,
    fix: reason === null ? null : fixOf(reason, client, one),
  }));
  const admitted = rules.every(({ verdict }) => verdict !== "failed");
  return { profile: writeMembership(one, calendar), admitted, rules };
}

function fixOf(reason: RefusalReason, { policy }: Client, { organization }: Membership): string {
  switch (reason) {
    case "profile_disabled":
      return "Enable the profile.";
    case "organization_disabled":
      return `Enable ${organization.name}.`;
    case "kind_not_admitted":
      return (
        `Let the portal admit organizations of the kind ${organization.kind}, or link a profile of ` +
        "another kind."
      );
    case "plan_missing":
      return `Give ${organization.name} an active service plan.`;
    case "plan_suspended":
      return `Make the service plan of ${organization.name} active again.`;
    case "plan_expired":
      return `Extend the service plan of ${organization.name}.`;
    case "role_missing":
      return `Give the profile one of the roles that the portal asks for: ${policy.roles.join(", ")}.`;
  }
}
