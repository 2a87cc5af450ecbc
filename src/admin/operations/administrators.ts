/** Administrators: profiles of the operator's own organization with a role. */

import { asOrganizationId, asProfileId } from "../../domain/ids.ts";
import { NEW_ORGANIZATION, NEW_PROFILE } from "../../domain/record-fields.ts";
import type { AdminRole, Membership, Organization, ProfileEdit } from "../../domain/records.ts";
import { hashSecret, randomId } from "../../domain/secrets.ts";
import { LiaisonError } from "../../errors.ts";
import type { administrators } from "../definitions/administrators.ts";
import type { OperationDependencies } from "../dependencies.ts";
import { addressOf, listed, pageOf, writeMembership } from "../fields.ts";
import { answered, type HandlersOf } from "../operation.ts";
import { registeredUnder } from "../registered.ts";
import { LEAST_ROLE, ROLES } from "../scopes.ts";
import { findMembership, profileAnswer } from "./profiles.ts";

/** The id of the operator's organization where an invitation makes it. */
const OPERATOR_ID = asOrganizationId("operator");

export function administratorHandlers(
  dependencies: OperationDependencies,
): HandlersOf<typeof administrators> {
  const { store, config, calendar, mailDomain } = dependencies;
  const { administration } = store;
  const write = (one: Membership) => writeMembership(one, calendar);

  /** The operator's organization: the one that is there, or the one to be made. */
  async function operator(): Promise<Organization> {
    const { items } = await administration.organizations({ kind: "operator" }, { after: null, limit: 2 });
    const [only, another] = items;
    if (another !== undefined) {
      throw new LiaisonError(
        "conflict",
        "There are several organizations of the operator: name one by organization_id.",
      );
    }
    return (
      only ?? {
        ...NEW_ORGANIZATION,
        id: OPERATOR_ID,
        name: config.deployment.name,
        accountNumber: "OPERATOR",
        kind: "operator",
      }
    );
  }

  async function operatorOf(id: string | undefined): Promise<Organization> {
    if (id === undefined) return await operator();
    const found = await store.directory.organization(asOrganizationId(id));
    if (found === undefined) throw new LiaisonError("not_found", "There is no such organization.");
    if (found.kind !== "operator")
      throw new LiaisonError("conflict", "Administrators are of the operator's own organization.");
    return found;
  }

  /**
   * Who has an address in an organization: of several the one that is linked already, otherwise one that can
   * be.
   */
  async function registeredAs(emailKey: string, organizationId: string): Promise<Membership | undefined> {
    const there: Membership[] = [];
    for await (const part of registeredUnder(store.directory, emailKey)) {
      there.push(...part.filter(({ organization }) => organization.id === organizationId));
    }
    const linked = there.find(({ profile }) => profile.accountId !== null);
    return linked ?? there.find(({ profile }) => profile.enabled) ?? there[0];
  }

  return {
    list: async (page) => ({
      output: listed(await administration.memberships({ isAdministrator: true }, pageOf(page)), write),
    }),
    invite: async (
      { email: address, name: called, role: wanted, organization_id },
      { principal, now, once, need },
    ) => {
      const mayGive = (role: AdminRole) => ROLES[role].scopes.forEach(need);
      if (wanted !== undefined) mayGive(wanted);
      const organization = await operatorOf(organization_id);
      const parsed = addressOf(address);
      // Whoever repeats this under their key comes to the profile that they made.
      const repeatable = once({})?.keyHash;
      const id =
        repeatable === undefined ? randomId() : hashSecret(`${repeatable}:${parsed.emailKey}`).slice(0, 22);

      const invite = async (known: Membership | undefined) => {
        const role =
          wanted ?? known?.profile.adminRole ?? ((await administration.hasOwner()) ? LEAST_ROLE : "owner");
        mayGive(role);
        const profile: ProfileEdit = known?.profile ?? {
          id: asProfileId(id),
          organizationId: organization.id,
          ...parsed,
          roles: [],
          enabled: true,
          name: called ?? parsed.email.slice(0, parsed.email.lastIndexOf("@")),
        };
        const made = { ...NEW_PROFILE, ...known?.profile, ...profile, adminRole: role, invitedAt: now };
        const output = write({ profile: made, organization });
        const key = once(output);
        const outcome = await administration.apply(
          { kind: "invite", organization, profile, adminRole: role, mailDomain },
          { actor: principal.actor, now, ...(key && { once: key }) },
        );
        return { outcome, key, output, role };
      };

      const known = await registeredAs(parsed.emailKey, organization.id);
      let invited = await invite(known);
      let registered = known;
      if (invited.outcome.result === "exists") {
        registered = await registeredAs(parsed.emailKey, organization.id);
        // Somebody else invited the same person meanwhile.
        if (registered?.profile.id !== known?.profile.id) invited = await invite(registered);
      }
      const { outcome, key, output, role } = invited;
      if (outcome.result === "exists" && registered !== undefined) throw alreadyRegistered(registered, role);
      return { output: answered(outcome, "a profile of this id", key, output) };
    },
    setRole: async ({ id, role }, { principal, now, need }) => {
      // Nobody hands out what they don't have.
      if (role !== null) ROLES[role].scopes.forEach(need);
      const outcome = await administration.apply(
        { kind: "set_admin_role", profileId: asProfileId(id), adminRole: role },
        { actor: principal.actor, now },
      );
      answered(outcome, "profile", undefined, null);
      return profileAnswer(dependencies, await findMembership(dependencies, id));
    },
  };
}

/** Why an address can't be invited, and what would help. */
function alreadyRegistered({ profile }: Membership, role: AdminRole): LiaisonError {
  const [{ id }, there] = [profile, "This address is registered there already"];
  if (!profile.enabled)
    return new LiaisonError("conflict", `${there}, but the profile ${id} is disabled: enable it first.`);
  if (profile.accountId === null) {
    return new LiaisonError("conflict", `${there}, and was changed at this very moment: try again.`);
  }
  const how = `in the console, or by liaison admin role ${id} --role ${role}`;
  const has = profile.adminRole === null ? "" : ` It has the role ${profile.adminRole}.`;
  return new LiaisonError(
    "conflict",
    `${there}, and linked: nothing is left to accept.${has} Give it the role: ${how}`,
  );
}
