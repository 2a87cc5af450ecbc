/** Organizations and profiles as forms of the administration's pages hold them, and what is typed there. */

import { apiTexts, ORGANIZATION_FIELDS, PROFILE_FIELDS } from "../../domain/record-fields.ts";
import type { OrganizationView, ProfileView } from "../../ui/console/views.ts";
import type { Changes } from "../definitions/definition.ts";
import type { operations } from "../definitions/operations.ts";
import { type FormValues, fieldValue, linesOf } from "./form-values.ts";

/** Everything that an edit may change; only of what is there already whether it is enabled. */
type TypedOrganization = Required<Omit<Changes<typeof operations.organizations.edit>, "enabled">>;
type TypedProfile = Required<Omit<Changes<typeof operations.profiles.edit>, "enabled" | "another_person">>;

/** A record's fields as a form holds them: nothing is no line. */
function formValuesOf(fields: object): FormValues {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]: [string, unknown]) => [
      name,
      Array.isArray(value) ? value.map(String) : value === null ? [] : [String(value)],
    ]),
  );
}

export function organizationValues({ id: _, plan, ...fields }: OrganizationView): FormValues {
  return formValuesOf({ ...fields, plan_status: plan.status, plan_last_day: plan.last_day });
}

export const typedOrganization = (values: FormValues): TypedOrganization => ({
  ...apiTexts(ORGANIZATION_FIELDS, (name) => fieldValue(values, name) ?? ""),
  kind: fieldValue(values, "kind") ?? "",
  plan: {
    status: fieldValue(values, "plan_status") ?? "",
    last_day: fieldValue(values, "plan_last_day") ?? null,
  },
});

/** What was typed of whether a record is enabled. */
export const isEnabled = (values: FormValues) => fieldValue(values, "enabled") !== "false";

export function profileValues({ email, name, roles, enabled }: ProfileView): FormValues {
  const fields: Record<keyof TypedProfile | "enabled", unknown> = { email, name, roles, enabled };
  return formValuesOf(fields);
}

export const typedProfile = (values: FormValues): TypedProfile => ({
  ...apiTexts(PROFILE_FIELDS, (name) => fieldValue(values, name) ?? ""),
  email: fieldValue(values, "email") ?? "",
  roles: linesOf(values, "roles"),
});
