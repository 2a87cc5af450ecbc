/** What an administrator does to organizations, profiles and their roles: see AdminChange. */

import { invitation } from "../../domain/address-notices.ts";
import { isOwner, mayEndAnOwner } from "../../domain/edits.ts";
import { INVITATION_LIFE_MS } from "../../domain/invitations.ts";
import type { AdminRole, Membership, Organization, ProfileEdit } from "../../domain/records.ts";
import { revisionOf } from "../../domain/revision.ts";
import type { Revocation } from "../contract.ts";
import { call, list, type Steps } from "../steps.ts";
import { profiles } from "../tables.ts";
import { type Appliers, type By, refuse } from "./applying.ts";
import { type Edits, readForEdits } from "./directory.ts";
import { unbind } from "./links.ts";
import type { QueueMail } from "./mail.ts";
import { membershipOf } from "./memberships.ts";
import { changeRole, hasOwner, inviteAgain, owners } from "./roles.ts";

type DirectoryChange =
  | "create_organization"
  | "edit_organization"
  | "create_profile"
  | "edit_profile"
  | "set_admin_role"
  | "invite";

export function directoryChanges(queueMail: QueueMail): Pick<Appliers, DirectoryChange> {
  return {
    *create_organization({ organization }, by) {
      const edits = yield* readOrganization(organization.id, by);
      if (edits.organizations.has(organization.id)) refuse("exists");
      edits.organization(organization);
      return yield* edits.write(queueMail);
    },
    *edit_organization({ organization, revision }, by) {
      const edits = yield* readOrganization(organization.id, by);
      const before = edits.organizations.get(organization.id) ?? refuse("missing");
      if (revisionOf(before) !== revision) refuse("changed");
      const hadOwners = yield* mayEndOwners(before, organization);
      edits.organization(organization);
      const ended = yield* edits.write(queueMail);
      if (hadOwners) yield* keepAnOwner();
      return ended;
    },
    *create_profile({ profile }, by) {
      const edits = yield* readProfile(profile, by);
      if (edits.profiles.has(profile.id)) refuse("exists");
      if (!edits.organizations.has(profile.organizationId)) refuse("missing");
      edits.profile(profile);
      return yield* edits.write(queueMail);
    },
    *edit_profile({ profile, revision, isAnotherPerson, mailDomain }, by) {
      const edits = yield* readProfile(profile, { ...by, mailDomain });
      const before = edits.profiles.get(profile.id) ?? refuse("missing");
      if (revisionOf(before) !== revision) refuse("changed");
      edits.profile(profile);
      const after = memberOf(edits, profile.id);
      const ends = mayEndAnOwner({ ...after, profile: before }, after);
      if (ends) yield* call("excludeOwners");
      const ended = yield* edits.write(queueMail);
      const unbound = isAnotherPerson ? yield* unbind(profile.id, by.actor, by.now) : undefined;
      if (ends) yield* keepAnOwner();
      return { revokedGrants: [...ended.revokedGrants, ...(unbound?.revokedGrants ?? [])] };
    },
    *set_admin_role({ profileId, adminRole }, by) {
      return yield* giveRole((yield* membershipOf(profileId)) ?? refuse("missing"), adminRole, by);
    },
    *invite({ organization, profile, adminRole, mailDomain }, by) {
      const edits = yield* readProfile(profile, by);
      if (!edits.organizations.has(organization.id)) edits.organization(organization);
      yield* admit(edits, profile);
      yield* edits.write(queueMail);
      const before = memberOf(edits, profile.id);
      if (before.profile.adminRole === adminRole) yield* inviteAgain(before.profile, by);
      const ended = yield* giveRole(before, adminRole, by);
      const becomesOwner = isOwner({ ...before.profile, adminRole }, before.organization);
      const isLast = becomesOwner && !(yield* hasOwner(profile.id));
      const lapsesAt = isLast ? null : by.now + INVITATION_LIFE_MS;
      yield* queueMail(invitation(before.profile, before.organization, { mailDomain, lapsesAt }), by.now);
      return ended;
    },
  };
}

const readOrganization = (id: string, by: By) => readForEdits({ organizationIds: [id], profileIds: [] }, by);

const readProfile = ({ id, organizationId }: ProfileEdit, by: By & { mailDomain?: string }) =>
  readForEdits({ organizationIds: [organizationId], profileIds: [id] }, by);

/** A profile with its organization, as the edits have made them so far. */
function memberOf(edits: Edits, id: string): Membership {
  const profile = edits.profiles.get(id) ?? refuse("missing");
  const organization = edits.organizations.get(profile.organizationId) ?? refuse("missing");
  return { profile, organization };
}

/** To be asked after the write: it is undone then. */
function* keepAnOwner(): Steps<void> {
  if (!(yield* hasOwner())) refuse("last_owner");
}

/** Whether an edit of an organization may take owners away; excludes others who may, from then on. */
function* mayEndOwners(before: Organization, after: Organization): Steps<boolean> {
  const counts = [before, after].some(({ kind }) => kind === "operator");
  const isOther = before.kind !== after.kind || before.enabled !== after.enabled;
  if (!counts || !isOther) return false;
  yield* call("excludeOwners");
  return (yield* owners()).some(({ organization }) => organization.id === before.id);
}

function* giveRole(before: Membership, adminRole: AdminRole | null, by: By): Steps<Revocation> {
  const { profile, organization } = before;
  if (adminRole !== null && organization.kind !== "operator") refuse("not_operator");
  if (profile.adminRole === adminRole) return { revokedGrants: [] };
  const ended = yield* changeRole(profile, adminRole, by);
  if (mayEndAnOwner(before, { profile: { ...profile, adminRole }, organization })) yield* keepAnOwner();
  return ended;
}

/**
 * Makes the profile that an invitation is for, unless it is the only one of its address and nobody has linked
 * it.
 */
function* admit(edits: Edits, profile: ProfileEdit): Steps<void> {
  const { id, emailKey, organizationId } = profile;
  const before = edits.profiles.get(id);
  const there = (yield* list(profiles, { emailKey })).filter((one) => one.organizationId === organizationId);
  if (there.length === 0 && before === undefined) return edits.profile(profile);
  const isFree = there.every(({ accountId }) => accountId === null) && there.some((one) => one.id === id);
  if (!isFree || before?.enabled !== true) refuse("exists");
}
