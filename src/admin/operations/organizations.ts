/** Organizations: listed, added, edited. */

import { asOrganizationId } from "../../domain/ids.ts";
import { fromApi, ORGANIZATION_FIELDS } from "../../domain/record-fields.ts";
import type { Organization } from "../../domain/records.ts";
import { revisionOf } from "../../domain/revision.ts";
import { randomId } from "../../domain/secrets.ts";
import { LiaisonError } from "../../errors.ts";
import type { organizations } from "../definitions/organizations.ts";
import type { OperationDependencies } from "../dependencies.ts";
import { listed, pageOf, readPlan, writeOrganization, writePlan } from "../fields.ts";
import { answered, EditConflict, type HandlersOf } from "../operation.ts";

export function organizationHandlers({
  store,
  calendar,
}: OperationDependencies): HandlersOf<typeof organizations> {
  const { administration, directory } = store;
  const find = async (id: string): Promise<Organization> => {
    const found = await directory.organization(asOrganizationId(id));
    if (found === undefined) throw new LiaisonError("not_found", "There is no such organization.");
    return found;
  };
  const answer = (one: Organization) => ({
    output: writeOrganization(one, calendar),
    revision: revisionOf(one),
  });

  return {
    list: async ({ q, kind: ofKind, enabled, ...page }) => {
      const filter = {
        ...(q === undefined ? {} : { search: q }),
        ...(ofKind === undefined ? {} : { kind: ofKind }),
        ...(enabled === undefined ? {} : { enabled }),
      };
      const found = await administration.organizations(filter, pageOf(page));
      return { output: listed(found, (one) => writeOrganization(one, calendar)) };
    },
    create: async ({ id = randomId(), plan: written, ...fields }, { principal, now, once, need }) => {
      if (fields.kind === "operator") need("admins:write");
      const plan = readPlan(written, null, calendar);
      const made: Organization = {
        ...fromApi(ORGANIZATION_FIELDS, fields),
        id: asOrganizationId(id),
        plan,
      };
      const output = writeOrganization(made, calendar);
      const key = once(output);
      const outcome = await administration.apply(
        { kind: "create_organization", organization: made },
        { actor: principal.actor, now, ...(key && { once: key }) },
      );
      const result = answered(outcome, "an organization of this id", key, output);
      return {
        output: result,
        revision: revisionOf((await directory.organization(asOrganizationId(result.id))) ?? made),
      };
    },
    get: async ({ id }) => answer(await find(id)),
    edit: async ({ id, plan: written, ...fields }, { principal, now, ifMatch = "", need }) => {
      const before = await find(id);
      if (before.kind === "operator" || fields.kind === "operator") need("admins:write");
      const conflict = async () => {
        const current = await find(id);
        return new EditConflict(answer(current), {
          ...fields,
          ...(written && { plan: { ...writePlan(current.plan, calendar), ...written } }),
        });
      };
      if (revisionOf(before) !== ifMatch) throw await conflict();
      const plan = written && readPlan(written, before.plan.expiresAt, calendar);
      const after: Organization = {
        ...before,
        ...fromApi(ORGANIZATION_FIELDS, fields),
        ...(plan === undefined ? {} : { plan }),
      };
      const outcome = await administration.apply(
        { kind: "edit_organization", organization: after, revision: ifMatch },
        { actor: principal.actor, now },
      );
      if (outcome.result === "changed") throw await conflict();
      answered(outcome, "organization", undefined, null);
      return answer(after);
    },
  };
}

/** The fields that are there. */
export function given<T extends object>(fields: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}
