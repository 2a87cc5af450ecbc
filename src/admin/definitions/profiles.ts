/** Profiles: listed, added, edited, unlinked. Making administrators of them is administrators.ts's. */

import { z } from "zod";
import { dateOf, define } from "./definition.ts";
import { anyId, listOf, membership, newId, newProfileInput, paging, profileInput, search } from "./fields.ts";

export const profiles = {
  list: define({
    name: "listProfiles",
    summary:
      "List profiles by name, or find them by the beginning of the address, its domain, or a word of the " +
      "name.",
    scope: "admin:read",
    method: "GET",
    path: "/profiles",
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
      columns: {
        id: (one) => one.id,
        email: (one) => one.email,
        name: (one) => one.name,
        organization: (one) => one.organization_id,
        roles: (one) => one.roles,
        enabled: (one) => one.enabled,
        linked: (one) => dateOf(one.linked_at),
      },
    },
  }),
  get: define({
    name: "getProfile",
    summary: "Show a profile with its organization.",
    scope: "admin:read",
    method: "GET",
    path: "/profiles/{id}",
    hasRevision: true,
    input: z.strictObject({ id: anyId }),
    output: membership,
    command: { name: "profiles show", operand: "id", examples: ["liaison profiles show p-ann"] },
  }),
  create: define({
    name: "createProfile",
    summary: "Add a person to an organization.",
    scope: "directory:write",
    method: "POST",
    path: "/profiles",
    kind: "creates",
    input: z.strictObject({
      id: newId.optional().meta({ description: "Yours to choose; a random one if left out." }),
      organization_id: anyId,
      ...newProfileInput,
    }),
    output: membership,
    command: {
      name: "profiles create",
      examples: [
        "liaison profiles create --organization-id northwind --email ann@northwind.example --name 'Ann " +
          "Archer'",
      ],
    },
  }),
  edit: define({
    name: "editProfile",
    summary:
      "Edit a profile; what is left out stays. A changed address ends links that were mailed, and both " +
      "addresses are told.",
    scope: "directory:write",
    method: "PATCH",
    path: "/profiles/{id}",
    kind: "edits",
    input: z.strictObject({
      id: anyId,
      ...z.strictObject(profileInput).partial().shape,
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
  }),
  unlink: define({
    name: "unlinkProfile",
    summary: "Unlink a profile from its account. Its sign-ins at portals end.",
    scope: "links:write",
    method: "DELETE",
    path: "/profiles/{id}/link",
    hasRevision: true,
    input: z.strictObject({ id: anyId }),
    output: membership,
    command: { name: "links unlink", operand: "id", examples: ["liaison links unlink p-ann"] },
  }),
};
