/** Profiles: listed, added, edited, unlinked. Making administrators of them is administrators.ts's. */

import { asAccountId, asOrganizationId, asProfileId } from "../../domain/ids.ts";
import { NEW_PROFILE, profileEditOf } from "../../domain/record-fields.ts";
import type { Membership, ProfileEdit } from "../../domain/records.ts";
import { revisionOf } from "../../domain/revision.ts";
import { randomId } from "../../domain/secrets.ts";
import { LiaisonError } from "../../errors.ts";
import type { profiles } from "../definitions/profiles.ts";
import type { OperationDependencies } from "../dependencies.ts";
import { addressOf, listed, pageOf, writeMembership } from "../fields.ts";
import { answered, EditConflict, type HandlersOf } from "../operation.ts";
import { given } from "./organizations.ts";

/** Reads a profile. @throws LiaisonError `not_found` */
export async function findMembership(
  { store }: Pick<OperationDependencies, "store">,
  id: string,
): Promise<Membership> {
  const found = await store.directory.membership(asProfileId(id));
  if (found === undefined) throw LiaisonError.notFound("There is no such profile.");
  return found;
}

export const profileAnswer = ({ calendar }: Pick<OperationDependencies, "calendar">, one: Membership) => ({
  output: writeMembership(one, calendar),
  revision: revisionOf(one.profile),
});

type ProfileHandlers = HandlersOf<typeof profiles>;

export function profileHandlers(dependencies: OperationDependencies): ProfileHandlers {
  return {
    list: listProfiles(dependencies),
    get: async ({ id }) => profileAnswer(dependencies, await findMembership(dependencies, id)),
    create: createProfile(dependencies),
    edit: editProfile(dependencies),
    unlink: unlinkProfile(dependencies),
  };
}

function listProfiles({ store, calendar }: OperationDependencies): ProfileHandlers["list"] {
  return async ({ q, organization_id, account_id, enabled, ...page }) => {
    const filter = {
      ...(q === undefined ? {} : { search: q }),
      ...(organization_id === undefined ? {} : { organizationId: asOrganizationId(organization_id) }),
      ...(account_id === undefined ? {} : { accountId: asAccountId(account_id) }),
      ...(enabled === undefined ? {} : { enabled }),
    };
    const found = await store.administration.memberships(filter, pageOf(page));
    return { output: listed(found, (one) => writeMembership(one, calendar)) };
  };
}

function createProfile({ store, calendar }: OperationDependencies): ProfileHandlers["create"] {
  const { administration, directory } = store;
  return async (
    { id = randomId(), organization_id, email: address, ...fields },
    { principal, now, once, need },
  ) => {
    const organization = await directory.organization(asOrganizationId(organization_id));
    if (organization === undefined) throw LiaisonError.notFound("There is no such organization.");
    if (organization.kind === "operator") need("admins:write");
    const edit: ProfileEdit = {
      id: asProfileId(id),
      organizationId: organization.id,
      ...addressOf(address),
      ...fields,
    };
    const made: Membership = { profile: { ...edit, ...NEW_PROFILE }, organization };
    const output = writeMembership(made, calendar);
    const key = once(output);
    const outcome = await administration.apply(
      { kind: "create_profile", profile: edit },
      { actor: principal.actor, now, ...(key && { once: key }) },
    );
    const result = answered(outcome, "a profile of this id", key, output);
    return {
      output: result,
      revision: revisionOf((await directory.membership(asProfileId(result.id)))?.profile ?? made.profile),
    };
  };
}

function editProfile(dependencies: OperationDependencies): ProfileHandlers["edit"] {
  const { store, mailDomain } = dependencies;
  return async (
    { id, email: address, another_person, ...fields },
    { principal, now, ifMatch = "", need },
  ) => {
    const before = await findMembership(dependencies, id);
    if (isOfOperator(before)) need("admins:write");
    const conflict = async () =>
      new EditConflict(
        profileAnswer(dependencies, await findMembership(dependencies, id)),
        given({ ...fields, email: address }),
      );
    if (revisionOf(before.profile) !== ifMatch) throw await conflict();
    const edit: ProfileEdit = {
      ...profileEditOf(before.profile),
      ...given(fields),
      ...(address === undefined ? {} : addressOf(address)),
    };
    const outcome = await store.administration.apply(
      {
        kind: "edit_profile",
        profile: edit,
        revision: ifMatch,
        isAnotherPerson: another_person,
        mailDomain,
      },
      { actor: principal.actor, now },
    );
    if (outcome.result === "changed") throw await conflict();
    answered(outcome, "profile", undefined, null);
    return profileAnswer(dependencies, await findMembership(dependencies, id));
  };
}

function unlinkProfile(dependencies: OperationDependencies): ProfileHandlers["unlink"] {
  const { store } = dependencies;
  return async ({ id }, { principal, now, need }) => {
    if (isOfOperator(await findMembership(dependencies, id))) need("admins:write");
    if ((await store.links.unbind(asProfileId(id), principal.actor, now)) === undefined) {
      throw LiaisonError.conflict("This profile isn't linked to an account.");
    }
    return profileAnswer(dependencies, await findMembership(dependencies, id));
  };
}

/** A role rests, but is kept, while the organization isn't the operator's. */
const isOfOperator = ({ organization, profile }: Membership) =>
  organization.kind === "operator" || profile.adminRole !== null;
