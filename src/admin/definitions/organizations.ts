/** Organizations: listed, added, edited. */

import { z } from "zod";
import { define } from "./definition.ts";
import {
  anyId,
  kind,
  listOf,
  newId,
  newOrganizationInput,
  organization,
  organizationColumns,
  organizationInput,
  paging,
  search,
} from "./fields.ts";

export const organizations = {
  list: define({
    name: "listOrganizations",
    summary: "List organizations by name, or find them by the beginning of a word of name or account number.",
    scope: "admin:read",
    method: "GET",
    path: "/organizations",
    input: z.strictObject({
      q: search
        .optional()
        .meta({ description: "The beginning of a word of the name, or of the account number." }),
      kind: kind.optional(),
      enabled: z.boolean().optional(),
      ...paging,
    }),
    output: listOf(organization),
    command: {
      name: "orgs list",
      operand: "q",
      examples: ["liaison orgs list northwind", "liaison orgs list --kind partner --json"],
      columns: organizationColumns,
    },
  }),
  create: define({
    name: "createOrganization",
    summary: "Add an organization.",
    scope: "directory:write",
    method: "POST",
    path: "/organizations",
    kind: "creates",
    input: z.strictObject({
      id: newId.optional().meta({ description: "Yours to choose; a random one if left out." }),
      ...newOrganizationInput,
    }),
    output: organization,
    command: {
      name: "orgs create",
      examples: ["liaison orgs create --name Northwind --account-number N-1 --kind customer"],
    },
  }),
  get: define({
    name: "getOrganization",
    summary: "Show an organization.",
    scope: "admin:read",
    method: "GET",
    path: "/organizations/{id}",
    hasRevision: true,
    input: z.strictObject({ id: anyId }),
    output: organization,
    command: { name: "orgs show", operand: "id", examples: ["liaison orgs show northwind"] },
  }),
  edit: define({
    name: "editOrganization",
    summary:
      "Edit an organization; what is left out stays. Disabling one ends its people's sign-ins at portals.",
    scope: "directory:write",
    method: "PATCH",
    path: "/organizations/{id}",
    kind: "edits",
    input: z.strictObject({ id: anyId, ...z.strictObject(organizationInput).partial().shape }),
    output: organization,
    command: { name: "orgs edit", operand: "id", examples: ["liaison orgs edit northwind --enabled false"] },
  }),
};
