/** Administrators: profiles of the operator's own organization with a role. */

import { asOrganizationId, asProfileId } from "../../domain/ids.ts";
import { NEW_ORGANIZATION, NEW_PROFILE } from "../../domain/record-fields.ts";
import type { AdminRole, Membership, Organization, ProfileEdit } from "../../domain/records.ts";
import { hashSecret, randomId } from "../../domain/secrets.ts";
import { LiaisonError } from "../../errors.ts";
import type { DirectoryStore } from "../../storage/contract.ts";
import type { administrators } from "../definitions/administrators.ts";
import type { OperationDependencies } from "../dependencies.ts";
import { addressOf, listed, pageOf, writeMembership } from "../fields.ts";
import { answered, type CallContext, type HandlersOf } from "../operation.ts";
import { registeredUnder } from "../registered.ts";
import { LEAST_ROLE, ROLES } from "../scopes.ts";
import { findMembership, profileAnswer } from "./profiles.ts";

/** The id of the operator's organization where an invitation makes it. */
const OPERATOR_ID = asOrganizationId("operator");

type AdministratorHandlers = HandlersOf<typeof administrators>;

export function administratorHandlers(dependencies: OperationDependencies): AdministratorHandlers {
  return {
    list: listAdministrators(dependencies),
    invite: inviteAdministrator(dependencies),
    setRole: setRole(dependencies),
  };
}

function listAdministrators({ store, calendar }: OperationDependencies): AdministratorHandlers["list"] {
  return async (page) => {
    const found = await store.administration.memberships({ isAdministrator: true }, pageOf(page));
    return { output: listed(found, (one) => writeMembership(one, calendar)) };
  };
}

function inviteAdministrator(dependencies: OperationDependencies): AdministratorHandlers["invite"] {
  const { directory } = dependencies.store;
  return async ({ email, name, role: wanted, organization_id }, call) => {
    if (wanted !== undefined) mayGive(wanted, call);
    const organization = await operatorOf(dependencies, organization_id);
    const address = addressOf(email);
    const invitation: Invitation = { organization, address, name, wanted };

    const known = await registeredAs(directory, address.emailKey, organization.id);
    let invited = await invite(dependencies, invitation, known, call);
    let registered = known;
    if (invited.outcome.result === "exists") {
      registered = await registeredAs(directory, address.emailKey, organization.id);
      // Somebody else invited the same person meanwhile.
      if (registered?.profile.id !== known?.profile.id) {
        invited = await invite(dependencies, invitation, registered, call);
      }
    }
    const { outcome, key, output, role } = invited;
    if (outcome.result === "exists" && registered !== undefined) throw alreadyRegistered(registered, role);
    return { output: answered(outcome, "a profile of this id", key, output) };
  };
}

function setRole(dependencies: OperationDependencies): AdministratorHandlers["setRole"] {
  return async ({ id, role }, call) => {
    if (role !== null) mayGive(role, call);
    const outcome = await dependencies.store.administration.apply(
      { kind: "set_admin_role", profileId: asProfileId(id), adminRole: role },
      { actor: call.principal.actor, now: call.now },
    );
    answered(outcome, "profile", undefined, null);
    return profileAnswer(dependencies, await findMembership(dependencies, id));
  };
}

/** Nobody hands out what they don't have. @throws LiaisonError `forbidden` */
function mayGive(role: AdminRole, { need }: CallContext): void {
  ROLES[role].scopes.forEach(need);
}

/** The organization that an administrator is to be of: the one that is named, or the operator's. */
async function operatorOf(
  dependencies: OperationDependencies,
  id: string | undefined,
): Promise<Organization> {
  if (id === undefined) return await operator(dependencies);
  const found = await dependencies.store.directory.organization(asOrganizationId(id));
  if (found === undefined) throw LiaisonError.notFound("There is no such organization.");
  if (found.kind !== "operator")
    throw LiaisonError.conflict("Administrators are of the operator's own organization.");
  return found;
}

/** The operator's organization: the one that is there, or the one to be made. */
async function operator({ store, config }: OperationDependencies): Promise<Organization> {
  const { items } = await store.administration.organizations({ kind: "operator" }, { after: null, limit: 2 });
  const [only, another] = items;
  if (another !== undefined) {
    throw LiaisonError.conflict(
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

/**
 * Who has an address in an organization: of several the one that is linked already, otherwise one that can
 * be.
 */
async function registeredAs(
  directory: DirectoryStore,
  emailKey: string,
  organizationId: string,
): Promise<Membership | undefined> {
  const there: Membership[] = [];
  for await (const part of registeredUnder(directory, emailKey)) {
    there.push(...part.filter(({ organization }) => organization.id === organizationId));
  }
  const linked = there.find(({ profile }) => profile.accountId !== null);
  return linked ?? there.find(({ profile }) => profile.enabled) ?? there[0];
}

interface Invitation {
  organization: Organization;
  address: ReturnType<typeof addressOf>;
  /** What the person is called, if that was said. */
  name: string | undefined;
  /** The role that they are to have, if that was said. */
  wanted: AdminRole | undefined;
}

/** Invites somebody to the profile that is known of them, or to a new one. */
async function invite(
  { store, calendar, mailDomain }: OperationDependencies,
  { organization, address, name, wanted }: Invitation,
  known: Membership | undefined,
  call: CallContext,
) {
  const { administration } = store;
  const { principal, now, once } = call;
  const role =
    wanted ?? known?.profile.adminRole ?? ((await administration.hasOwner()) ? LEAST_ROLE : "owner");
  mayGive(role, call);
  const profile: ProfileEdit = known?.profile ?? {
    id: asProfileId(newProfileId(address.emailKey, call)),
    organizationId: organization.id,
    ...address,
    roles: [],
    enabled: true,
    name: name ?? address.email.slice(0, address.email.lastIndexOf("@")),
  };
  const made = { ...NEW_PROFILE, ...known?.profile, ...profile, adminRole: role, invitedAt: now };
  const output = writeMembership({ profile: made, organization }, calendar);
  const key = once(output);
  const outcome = await administration.apply(
    { kind: "invite", organization, profile, adminRole: role, mailDomain },
    { actor: principal.actor, now, ...(key && { once: key }) },
  );
  return { outcome, key, output, role };
}

/** Whoever repeats an invitation under their key comes to the profile that they made. */
function newProfileId(emailKey: string, { once }: CallContext): string {
  const repeatable = once({})?.keyHash;
  return repeatable === undefined ? randomId() : hashSecret(`${repeatable}:${emailKey}`).slice(0, 22);
}

/** Why an address can't be invited, and what would help. */
function alreadyRegistered({ profile }: Membership, role: AdminRole): LiaisonError {
  const [{ id }, there] = [profile, "This address is registered there already"];
  if (!profile.enabled)
    return LiaisonError.conflict(`${there}, but the profile ${id} is disabled: enable it first.`);
  if (profile.accountId === null) {
    return LiaisonError.conflict(`${there}, and was changed at this very moment: try again.`);
  }
  const how = `in the console, or by liaison admin role ${id} --role ${role}`;
  const has = profile.adminRole === null ? "" : ` It has the role ${profile.adminRole}.`;
  return LiaisonError.conflict(
    `${there}, and linked: nothing is left to accept.${has} Give it the role: ${how}`,
  );
}
