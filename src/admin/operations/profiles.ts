/** Profiles: listed, added, edited, unlinked. Making administrators of them is administrators.ts's. */

import { z } from "zod";
import { asAccountId, asOrganizationId, asProfileId } from "../../domain/ids.ts";
import type { Membership, ProfileEdit } from "../../domain/records.ts";
import { revisionOf } from "../../domain/revision.ts";
import { randomId } from "../../domain/secrets.ts";
import { LiaisonError } from "../../errors.ts";
import {
  addressOf,
  anyId,
  email,
  listed,
  listOf,
  membership,
  name,
  newId,
  pageOf,
  paging,
  roles,
  search,
  writeMembership,
} from "../fields.ts";
import { type AnyOperation, answered, EditConflict, operation } from "../operation.ts";
import type { OperationParts } from "../parts.ts";
import { given } from "./organizations.ts";

/** Reads a profile. @throws LiaisonError `not_found` */
export async function findMembership({ store }: Pick<OperationParts, "store">, id: string): Promise<Membership> {
  const found = await store.directory.membership(asProfileId(id));
  if (found === undefined) throw new LiaisonError("not_found", "There is no such profile.");
  return found;
}

export const profileAnswer = ({ calendar }: Pick<OperationParts, "calendar">, one: Membership) => ({
  output: writeMembership(one, calendar),
  revision: revisionOf(one.profile),
});

export function profileOperations(parts: OperationParts): AnyOperation[] {
  return [...readingOperations(parts), ...writingOperations(parts)];
}

function readingOperations(parts: OperationParts): AnyOperation[] {
  const { administration } = parts.store;
  return [
    operation(
      {
        name: "listProfiles",
        summary:
          "List profiles by name, or find them by the beginning of the address, its domain, or a word of the name.",
        ...{ scope: "admin:read", method: "GET", path: "/profiles" },
        input: z.strictObject({
          q: search
            .optional()
            .meta({ description: "The beginning of the address, of its domain, or of a word of the name." }),
          organization_id: anyId.optional(),
          account_id: anyId.optional(),
          enabled: z.boolean().optional(),
          ...paging,
        }),
        output: listOf(membership),
        command: {
          name: "profiles list",
          operand: "q",
          examples: [
            "liaison profiles list ann@northwind.example",
            "liaison profiles list --organization-id northwind --json",
          ],
        },
      },
      async ({ q, organization_id, account_id, enabled, ...page }) => {
        const filter = {
          ...(q === undefined ? {} : { search: q }),
          ...(organization_id === undefined ? {} : { organizationId: asOrganizationId(organization_id) }),
          ...(account_id === undefined ? {} : { accountId: asAccountId(account_id) }),
          ...(enabled === undefined ? {} : { enabled }),
        };
        const found = await administration.memberships(filter, pageOf(page));
        return { output: listed(found, (one) => writeMembership(one, parts.calendar)) };
      },
    ),
    operation(
      {
        name: "getProfile",
        summary: "Show a profile with its organization.",
        ...{ scope: "admin:read", method: "GET", path: "/profiles/{id}", hasRevision: true },
        input: z.strictObject({ id: anyId }),
        output: membership,
        command: { name: "profiles show", operand: "id", examples: ["liaison profiles show p-ann"] },
      },
      async ({ id }) => profileAnswer(parts, await findMembership(parts, id)),
    ),
  ];
}

function writingOperations(parts: OperationParts): AnyOperation[] {
  const { store, mailDomain } = parts;
  const { administration, directory } = store;
  return [
    operation(
      {
        name: "createProfile",
        summary: "Add a person to an organization.",
        ...{ scope: "directory:write", method: "POST", path: "/profiles", kind: "creates" },
        input: z.strictObject({
          id: newId.optional().meta({ description: "Yours to choose; a random one if left out." }),
          organization_id: anyId,
          email,
          name,
          roles: roles.default([]),
          enabled: z.boolean().default(true),
        }),
        output: membership,
        command: {
          name: "profiles create",
          examples: [
            "liaison profiles create --organization-id northwind --email ann@northwind.example --name 'Ann Archer'",
          ],
        },
      },
      async ({ id = randomId(), organization_id, email: address, ...fields }, { principal, now, once, need }) => {
        const organization = await directory.organization(asOrganizationId(organization_id));
        if (organization === undefined) throw new LiaisonError("not_found", "There is no such organization.");
        if (organization.kind === "operator") need("admins:write");
        const edit: ProfileEdit = {
          id: asProfileId(id),
          organizationId: organization.id,
          ...addressOf(address),
          ...fields,
        };
        const made: Membership = { profile: { ...edit, ...NEW_PROFILE }, organization };
        const output = writeMembership(made, parts.calendar);
        const key = once(output);
        const outcome = await administration.carryOut(
          { kind: "create_profile", profile: edit },
          { actor: principal.actor, now, ...(key && { once: key }) },
        );
        const result = answered(outcome, "a profile of this id", key, output);
        return {
          output: result,
          revision: revisionOf((await directory.membership(result.id))?.profile ?? made.profile),
        };
      },
    ),
    operation(
      {
        name: "editProfile",
        summary:
          "Edit a profile; what is left out stays. A changed address ends links that were mailed, and both addresses are told.",
        ...{ scope: "directory:write", method: "PATCH", path: "/profiles/{id}", kind: "edits" },
        input: z.strictObject({
          id: anyId,
          email: email.optional(),
          name: name.optional(),
          roles: roles.optional(),
          enabled: z.boolean().optional(),
          another_person: z
            .boolean()
            .default(false)
            .meta({ description: "The profile is somebody else's from now on: it is unlinked, too." }),
        }),
        output: membership,
        command: {
          name: "profiles edit",
          operand: "id",
          examples: ["liaison profiles edit p-ann --email ann@northwind.example"],
        },
      },
      async ({ id, email: address, another_person, ...fields }, { principal, now, ifMatch = "", need }) => {
        const before = await findMembership(parts, id);
        if (isOfOperator(before)) need("admins:write");
        const conflict = async () =>
          new EditConflict(profileAnswer(parts, await findMembership(parts, id)), given({ ...fields, email: address }));
        if (revisionOf(before.profile) !== ifMatch) throw await conflict();
        const { organizationId, email: registered, emailKey, name: called, roles: held, enabled } = before.profile;
        const edit: ProfileEdit = {
          ...{ id: asProfileId(id), organizationId, email: registered, emailKey, name: called, roles: held, enabled },
          ...given(fields),
          ...(address === undefined ? {} : addressOf(address)),
        };
        const outcome = await administration.carryOut(
          { kind: "edit_profile", profile: edit, revision: ifMatch, isAnotherPerson: another_person, mailDomain },
          { actor: principal.actor, now },
        );
        if (outcome.result === "changed") throw await conflict();
        answered(outcome, "profile", undefined, null);
        return profileAnswer(parts, await findMembership(parts, id));
      },
    ),
    operation(
      {
        name: "unlinkProfile",
        summary: "Unlink a profile from its account. Its sign-ins at portals end.",
        ...{ scope: "links:write", method: "DELETE", path: "/profiles/{id}/link", hasRevision: true },
        input: z.strictObject({ id: anyId }),
        output: membership,
        command: { name: "links unlink", operand: "id", examples: ["liaison links unlink p-ann"] },
      },
      async ({ id }, { principal, now, need }) => {
        if (isOfOperator(await findMembership(parts, id))) need("admins:write");
        if ((await store.links.unbind(asProfileId(id), principal.actor, now)) === undefined) {
          throw new LiaisonError("conflict", "This profile isn't linked to an account.");
        }
        return profileAnswer(parts, await findMembership(parts, id));
      },
    ),
  ];
}

/** A role rests, but is kept, while the organization isn't the operator's. */
const isOfOperator = ({ organization, profile }: Membership) =>
  organization.kind === "operator" || profile.adminRole !== null;

/** What no edit can set, as it is of a new profile. */
export const NEW_PROFILE = {
  ...{ emailVersion: 1, adminRole: null, invitedAt: null, accountId: null, boundAt: null, provenEmailVersion: null },
};
