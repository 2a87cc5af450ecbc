/**
 * The tables of the fields of records: what is made from them is what imports and the API are documented to
 * have, and a field by a name of another face is an error of tsc: each marked statement is one, and
 * `npm run check` fails where it is none any more.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { COLUMNS, type Column } from "../../src/admin/import/columns.ts";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import {
  apiTexts,
  auditValues,
  fieldValues,
  fromApi,
  ORGANIZATION_FIELDS,
  PROFILE_FIELDS,
  readTexts,
  type TextRule,
  toApi,
} from "../../src/domain/record-fields.ts";
import type { Organization, ProfileEdit } from "../../src/domain/records.ts";

const organization: Organization = {
  id: asOrganizationId("northwind"),
  name: "Northwind",
  accountNumber: "N-1",
  kind: "partner",
  plan: { status: "suspended", expiresAt: 1_800_000_000_000 },
  enabled: false,
};

const profile: ProfileEdit = {
  id: asProfileId("p-ann"),
  organizationId: organization.id,
  email: "Ann@northwind.example",
  emailKey: "ann@northwind.example",
  name: "Ann Archer",
  roles: ["buyer", "approver"],
  enabled: true,
};

const region: TextRule = { maximum: 100, sense: "name" };
const REGIONS = {
  sales: { api: "sales", column: "sales_region", text: region, of: () => "" },
  service: {
    api: "service",
    column: "service_region",
    text: { ...region, isOptional: true },
    of: () => null,
  },
} as const;

/** Never run: faces as they must not be written. */
export function elsewhere(): unknown[] {
  // @ts-expect-error no column is called so
  const column: Column = "acount_number";
  // @ts-expect-error the API has another name for it
  toApi(ORGANIZATION_FIELDS, organization).accountNumber;
  // @ts-expect-error and code has its own
  fromApi(ORGANIZATION_FIELDS, { account_number: "N-1" }).account_number;
  // @ts-expect-error what is no line of text isn't read as one
  apiTexts(ORGANIZATION_FIELDS, () => "").kind;
  // @ts-expect-error nor is what may be left empty one that is there
  const service: string = readTexts(REGIONS, () => "").service;
  // @ts-expect-error a record is read by its own table
  fieldValues(ORGANIZATION_FIELDS, profile);
  return [column, service];
}

describe("fields of records", () => {
  it("are the columns of an import, in the order of its documentation", () => {
    assert.deepEqual(COLUMNS, [
      "organization_id",
      "organization_name",
      "account_number",
      "kind",
      "organization_status",
      "plan_status",
      "plan_expires",
      "profile_id",
      "email",
      "name",
      "roles",
      "profile_status",
    ]);
  });

  it("go into the API and come back", () => {
    const { id: _, plan: __, ...fields } = organization;
    const given = toApi(ORGANIZATION_FIELDS, organization);
    assert.deepEqual(given, { name: "Northwind", account_number: "N-1", kind: "partner", enabled: false });
    assert.deepEqual(fromApi(ORGANIZATION_FIELDS, given), fields);
  });

  it("that may be left empty are null then, and the others what was written", () => {
    const written = new Map([["sales_region", "North"]]);
    const read = (column: string) => written.get(column) ?? "";
    assert.deepEqual(readTexts(REGIONS, read), { sales: "North", service: null });
    assert.deepEqual(
      apiTexts(REGIONS, () => ""),
      { sales: "", service: null },
    );
    assert.deepEqual(
      apiTexts(REGIONS, (api) => api),
      { sales: "sales", service: "service" },
    );
  });

  it("that aren't given stay as they are, also where undefined stands for it", () => {
    const edited = fromApi(ORGANIZATION_FIELDS, { id: "x", account_number: undefined, enabled: false });
    assert.deepEqual(edited, { enabled: false });
  });

  it("are told by the audit but for those with an event of their own; a list is JSON text", () => {
    assert.deepEqual(auditValues(PROFILE_FIELDS, profile), {
      name: "Ann Archer",
      roles: '["buyer","approver"]',
      enabled: true,
    });
    assert.deepEqual(auditValues(ORGANIZATION_FIELDS, organization), {
      name: "Northwind",
      accountNumber: "N-1",
      kind: "partner",
      enabled: false,
      planStatus: "suspended",
      planExpiresAt: 1_800_000_000_000,
    });
  });
});
