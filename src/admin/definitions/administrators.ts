/** Administrators: profiles of the operator's own organization with a role. */

import { z } from "zod";
import { LEAST_ROLE } from "../scopes.ts";
import { dateOf, define } from "./definition.ts";
import { adminRole, anyId, email, listOf, membership, name, paging } from "./fields.ts";

const KEEPS_ROLE = "Whoever is invited again keeps theirs.";

export const administrators = {
  list: define({
    name: "listAdministrators",
    summary: "List administrators by name.",
    scope: "admin:read",
    method: "GET",
    path: "/administrators",
    input: z.strictObject(paging),
    output: listOf(membership),
    command: {
      name: "admin list",
      examples: ["liaison admin list", "liaison admin list --json"],
      columns: {
        id: (one) => one.id,
        email: (one) => one.email,
        name: (one) => one.name,
        role: (one) => one.admin_role,
        organization: (one) => one.organization_id,
        enabled: (one) => one.enabled,
        linked: (one) => dateOf(one.linked_at),
        invited: (one) => dateOf(one.invited_at),
      },
    },
  }),
  invite: define({
    name: "inviteAdministrator",
    summary:
      "Make somebody an administrator, or invite them again, and mail them where to sign in. No secret " +
      "is made or mailed. The role lapses unless the profile is linked within seven days, the last " +
      "owner's apart.",
    scope: "admins:write",
    method: "POST",
    path: "/administrators",
    kind: "creates",
    input: z.strictObject({
      email,
      name: name.optional().meta({
        description:
          "The part of the address before the @ if left out. Whoever is registered already keeps theirs.",
      }),
      role: adminRole.optional().meta({
        description: `${LEAST_ROLE} if left out; owner while there is none. ${KEEPS_ROLE}`,
      }),
      organization_id: anyId
        .optional()
        .meta({ description: "Needed where the operator has several organizations." }),
    }),
    output: membership,
    command: {
      name: "admin invite",
      operand: "email",
      examples: [
        "liaison admin invite kim@contoso.example",
        "liaison admin invite sam@contoso.example --role support --name 'Sam Lee'",
      ],
    },
  }),
  setRole: define({
    name: "setAdminRole",
    summary:
      "Give a profile of the operator's organization a role, or take it away (null). The last owner " +
      "stays. Pages that are open end; a role that nobody links the profile for lapses after seven days.",
    scope: "admins:write",
    method: "PUT",
    path: "/profiles/{id}/admin-role",
    hasRevision: true,
    input: z.strictObject({ id: anyId, role: adminRole.nullable() }),
    output: membership,
    command: {
      name: "admin role",
      operand: "id",
      examples: ["liaison admin role p-kim --role auditor", "liaison admin role p-kim --role none"],
    },
  }),
};
