/**
 * What importing a row comes to, worked out from what is stored: pure, and the same for every back end, which
 * reads before it and writes after it in one transaction.
 */

import { fieldValues, ORGANIZATION_FIELDS, PROFILE_FIELDS } from "./record-fields.ts";
import type {
  FieldChange,
  ImportedRecord,
  ImportOutcome,
  ImportRow,
  Organization,
  Profile,
} from "./records.ts";

type Fields = Record<string, FieldChange["after"]>;

/** Compares a row with the organization and the profile that are stored under its ids, if any. */
export function planImport(
  row: ImportRow,
  organization: Organization | undefined,
  profile: Profile | undefined,
): ImportOutcome {
  if (row.organization.kind === "operator" || organization?.kind === "operator") {
    return { result: "refused", reason: "operator_organization" };
  }
  if (profile !== undefined && profile.organizationId !== row.organization.id) {
    return { result: "refused", reason: "profile_elsewhere" };
  }
  const planned = {
    organization: compare(
      organization && fieldValues(ORGANIZATION_FIELDS, organization),
      fieldValues(ORGANIZATION_FIELDS, row.organization),
    ),
    profile: compare(
      profile && fieldValues(PROFILE_FIELDS, profile),
      fieldValues(PROFILE_FIELDS, row.profile),
    ),
  };
  if (profile?.adminRole && planned.profile.result !== "unchanged") {
    return { result: "refused", reason: "administrator" };
  }
  return { result: "imported", ...planned };
}

function compare(before: Fields | undefined, after: Fields): ImportedRecord {
  const changes = Object.entries(after)
    .map(([field, value]) => ({ field, before: before?.[field] ?? null, after: value }))
    .filter((change) => before === undefined || !same(change.before, change.after));
  const result = before === undefined ? "added" : changes.length > 0 ? "changed" : "unchanged";
  return { result, changes };
}

/** Roles are a set: their order says nothing. */
function same(before: FieldChange["after"], after: FieldChange["after"]): boolean {
  if (!isList(before) || !isList(after)) return before === after;
  const [one, other] = [new Set(before), new Set(after)];
  return one.size === other.size && [...one].every((role) => other.has(role));
}

function isList(value: FieldChange["after"]): value is readonly string[] {
  return Array.isArray(value);
}
