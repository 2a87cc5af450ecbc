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

type OrganizationHandlers = HandlersOf<typeof organizations>;

export function organizationHandlers(dependencies: OperationDependencies): OrganizationHandlers {
  return {
    list: listOrganizations(dependencies),
    create: createOrganization(dependencies),
    get: async ({ id }) => answer(dependencies, await find(dependencies, id)),
    edit: editOrganization(dependencies),
  };
}

async function find({ store }: OperationDependencies, id: string): Promise<Organization> {
  const found = await store.directory.organization(asOrganizationId(id));
  if (found === undefined) throw LiaisonError.notFound("There is no such organization.");
  return found;
}

const answer = ({ calendar }: OperationDependencies, one: Organization) => ({
  output: writeOrganization(one, calendar),
  revision: revisionOf(one),
});

function listOrganizations({ store, calendar }: OperationDependencies): OrganizationHandlers["list"] {
  return async ({ q, kind: ofKind, enabled, ...page }) => {
    const filter = {
      ...(q === undefined ? {} : { search: q }),
      ...(ofKind === undefined ? {} : { kind: ofKind }),
      ...(enabled === undefined ? {} : { enabled }),
    };
    const found = await store.administration.organizations(filter, pageOf(page));
    return { output: listed(found, (one) => writeOrganization(one, calendar)) };
  };
}

function createOrganization({ store, calendar }: OperationDependencies): OrganizationHandlers["create"] {
  return async ({ id = randomId(), plan: written, ...fields }, { principal, now, once, need }) => {
    if (fields.kind === "operator") need("admins:write");
    const plan = readPlan(written, null, calendar);
    const made: Organization = {
      ...fromApi(ORGANIZATION_FIELDS, fields),
      id: asOrganizationId(id),
      plan,
    };
    const output = writeOrganization(made, calendar);
    const key = once(output);
    const outcome = await store.administration.apply(
      { kind: "create_organization", organization: made },
      { actor: principal.actor, now, ...(key && { once: key }) },
    );
    const result = answered(outcome, "an organization of this id", key, output);
    return {
      output: result,
      revision: revisionOf((await store.directory.organization(asOrganizationId(result.id))) ?? made),
    };
  };
}

function editOrganization(dependencies: OperationDependencies): OrganizationHandlers["edit"] {
  const { store, calendar } = dependencies;
  return async ({ id, plan: written, ...fields }, { principal, now, ifMatch = "", need }) => {
    const before = await find(dependencies, id);
    if (before.kind === "operator" || fields.kind === "operator") need("admins:write");
    const conflict = async () => {
      const current = await find(dependencies, id);
      return new EditConflict(answer(dependencies, current), {
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
    const outcome = await store.administration.apply(
      { kind: "edit_organization", organization: after, revision: ifMatch },
      { actor: principal.actor, now },
    );
    if (outcome.result === "changed") throw await conflict();
    answered(outcome, "organization", undefined, null);
    return answer(dependencies, after);
  };
}

/** The fields that are there. */
export function given<T extends object>(fields: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}
