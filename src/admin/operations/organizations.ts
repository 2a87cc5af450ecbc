/** Organizations: listed, added, edited. */

import { z } from "zod";
import { asOrganizationId } from "../../domain/ids.ts";
import type { Organization } from "../../domain/records.ts";
import { revisionOf } from "../../domain/revision.ts";
import { randomId } from "../../domain/secrets.ts";
import { LiaisonError } from "../../errors.ts";
import {
  anyId,
  givenPlan,
  kind,
  listed,
  listOf,
  name,
  newId,
  organization,
  pageOf,
  paging,
  readPlan,
  search,
  writeOrganization,
  writePlan,
} from "../fields.ts";
import { type AnyOperation, answered, EditConflict, operation } from "../operation.ts";
import type { OperationParts } from "../parts.ts";

const accountNumber = name.max(128);

export function organizationOperations({ store, calendar }: OperationParts): AnyOperation[] {
  const { administration, directory } = store;
  const find = async (id: string): Promise<Organization> => {
    const found = await directory.organization(asOrganizationId(id));
    if (found === undefined) throw new LiaisonError("not_found", "There is no such organization.");
    return found;
  };
  const answer = (one: Organization) => ({ output: writeOrganization(one, calendar), revision: revisionOf(one) });

  return [
    operation(
      {
        name: "listOrganizations",
        summary: "List organizations by name, or find them by the beginning of a word of name or account number.",
        ...{ scope: "admin:read", method: "GET", path: "/organizations" },
        input: z.strictObject({
          q: search.optional().meta({ description: "The beginning of a word of the name, or of the account number." }),
          kind: kind.optional(),
          enabled: z.boolean().optional(),
          ...paging,
        }),
        output: listOf(organization),
        command: {
          name: "orgs list",
          operand: "q",
          examples: ["liaison orgs list northwind", "liaison orgs list --kind partner --json"],
        },
      },
      async ({ q, kind: ofKind, enabled, ...page }) => {
        const filter = {
          ...(q === undefined ? {} : { search: q }),
          ...(ofKind === undefined ? {} : { kind: ofKind }),
          ...(enabled === undefined ? {} : { enabled }),
        };
        const found = await administration.organizations(filter, pageOf(page));
        return { output: listed(found, (one) => writeOrganization(one, calendar)) };
      },
    ),
    operation(
      {
        name: "createOrganization",
        summary: "Add an organization.",
        ...{ scope: "directory:write", method: "POST", path: "/organizations", kind: "creates" },
        input: z.strictObject({
          id: newId.optional().meta({ description: "Yours to choose; a random one if left out." }),
          name,
          account_number: accountNumber,
          kind,
          plan: givenPlan.default({ status: "none" }),
          enabled: z.boolean().default(true),
        }),
        output: organization,
        command: {
          name: "orgs create",
          examples: ["liaison orgs create --name Northwind --account-number N-1 --kind customer"],
        },
      },
      async ({ id = randomId(), plan: written, account_number, ...fields }, { principal, now, once, need }) => {
        if (fields.kind === "operator") need("admins:write");
        const plan = readPlan(written, null, calendar);
        const made: Organization = { id: asOrganizationId(id), accountNumber: account_number, plan, ...fields };
        const output = writeOrganization(made, calendar);
        const key = once(output);
        const outcome = await administration.carryOut(
          { kind: "create_organization", organization: made },
          { actor: principal.actor, now, ...(key && { once: key }) },
        );
        const result = answered(outcome, "an organization of this id", key, output);
        return { output: result, revision: revisionOf((await directory.organization(result.id)) ?? made) };
      },
    ),
    operation(
      {
        name: "getOrganization",
        summary: "Show an organization.",
        ...{ scope: "admin:read", method: "GET", path: "/organizations/{id}", hasRevision: true },
        input: z.strictObject({ id: anyId }),
        output: organization,
        command: { name: "orgs show", operand: "id", examples: ["liaison orgs show northwind"] },
      },
      async ({ id }) => answer(await find(id)),
    ),
    operation(
      {
        name: "editOrganization",
        summary: "Edit an organization; what is left out stays. Disabling one ends its people's sign-ins at portals.",
        ...{ scope: "directory:write", method: "PATCH", path: "/organizations/{id}", kind: "edits" },
        input: z.strictObject({
          id: anyId,
          name: name.optional(),
          account_number: accountNumber.optional(),
          kind: kind.optional(),
          plan: givenPlan.optional(),
          enabled: z.boolean().optional(),
        }),
        output: organization,
        command: { name: "orgs edit", operand: "id", examples: ["liaison orgs edit northwind --enabled false"] },
      },
      async ({ id, plan: written, account_number, ...fields }, { principal, now, ifMatch = "", need }) => {
        const before = await find(id);
        if (before.kind === "operator" || fields.kind === "operator") need("admins:write");
        const conflict = async () => {
          const current = await find(id);
          return new EditConflict(answer(current), {
            ...fields,
            ...(account_number && { account_number }),
            ...(written && { plan: { ...writePlan(current.plan, calendar), ...written } }),
          });
        };
        if (revisionOf(before) !== ifMatch) throw await conflict();
        const plan = written && readPlan(written, before.plan.expiresAt, calendar);
        const after: Organization = {
          ...before,
          ...given(fields),
          ...(account_number === undefined ? {} : { accountNumber: account_number }),
          ...(plan === undefined ? {} : { plan }),
        };
        const outcome = await administration.carryOut(
          { kind: "edit_organization", organization: after, revision: ifMatch },
          { actor: principal.actor, now },
        );
        if (outcome.result === "changed") throw await conflict();
        answered(outcome, "organization", undefined, null);
        return answer(after);
      },
    ),
  ];
}

/** The fields that are there. */
export function given<T extends object>(fields: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}
