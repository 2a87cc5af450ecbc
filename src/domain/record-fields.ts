/**
 * The fields of organizations and of profiles, a table for each: what a field is called in code, in the API
 * and in an import, and how its value is read off a record. What an import changes, what the audit names and
 * what edits and answers of the API hold is made from them. Their schemas are admin/definitions', their
 * labels and controls ui/console's; both are held to these names by their types.
 */

import type { AuditEvent, FieldChange, Organization, Profile, ProfileEdit } from "./records.ts";

type FieldValue = FieldChange["after"];

/** One line of text that people write. */
export interface TextRule {
  /** In UTF-16 code units. */
  maximum: number;
  /** Ids are compared to the letter; in a name, any run of white space is one blank. */
  sense: "id" | "name";
  /** Whether a record may do without it: what is left empty is null then. */
  isOptional?: true;
}

interface RecordField<Item> {
  /**
   * In the API and in forms, and with dashes as a flag. Left out where the API has it within another field.
   */
  api?: string;
  /** In an import. */
  column: string;
  text?: TextRule;
  /** Whether the audit tells its changes by an event of their own. */
  hasOwnEvent?: true;
  of(item: Item): FieldValue;
}

type FieldTable<Item> = Record<string, RecordField<Item>>;

/** The fields that are written in an import and edited, in the order in which they are told. */
export const ORGANIZATION_FIELDS = {
  name: {
    api: "name",
    column: "organization_name",
    text: { maximum: 200, sense: "name" },
    of: ({ name }) => name,
  },
  accountNumber: {
    api: "account_number",
    column: "account_number",
    text: { maximum: 128, sense: "id" },
    of: ({ accountNumber }) => accountNumber,
  },
  kind: { api: "kind", column: "kind", of: ({ kind }) => kind },
  enabled: { api: "enabled", column: "organization_status", of: ({ enabled }) => enabled },
  planStatus: { column: "plan_status", of: ({ plan }) => plan.status },
  planExpiresAt: { column: "plan_expires", of: ({ plan }) => plan.expiresAt },
} as const satisfies FieldTable<Organization> &
  Record<Exclude<keyof Organization, "id" | "plan">, RecordField<Organization>>;

/** The same of profiles: what an edit may change. */
export const PROFILE_FIELDS = {
  email: { api: "email", column: "email", hasOwnEvent: true, of: ({ email }) => email },
  name: { api: "name", column: "name", text: { maximum: 200, sense: "name" }, of: ({ name }) => name },
  roles: { api: "roles", column: "roles", of: ({ roles }) => roles },
  enabled: { api: "enabled", column: "profile_status", of: ({ enabled }) => enabled },
} as const satisfies FieldTable<ProfileEdit> &
  Record<Exclude<keyof ProfileEdit, "id" | "organizationId" | "emailKey">, RecordField<ProfileEdit>>;

type OrganizationTable = typeof ORGANIZATION_FIELDS;
type ProfileTable = typeof PROFILE_FIELDS;
export type OrganizationColumn = OrganizationTable[keyof OrganizationTable]["column"];
export type ProfileColumn = ProfileTable[keyof ProfileTable]["column"];

/** What is known of an organization of which nothing else is said. */
export const NEW_ORGANIZATION: Pick<Organization, "plan" | "enabled"> = {
  plan: { status: "none", expiresAt: null },
  enabled: true,
};

/** What no edit can set, as it is of a new profile. */
export const NEW_PROFILE: Omit<Profile, keyof ProfileEdit> = {
  emailVersion: 1,
  adminRole: null,
  invitedAt: null,
  accountId: null,
  boundAt: null,
  provenEmailVersion: null,
};

/** What an edit may change of a profile, and nothing else of it. */
export function profileEditOf(profile: ProfileEdit): ProfileEdit {
  const { id, organizationId, email, emailKey, name, roles, enabled } = profile;
  return { id, organizationId, email, emailKey, name, roles, enabled };
}

/** The value of each field, by its name in code. */
export function fieldValues<Item>(table: FieldTable<Item>, item: Item): Record<string, FieldValue> {
  return Object.fromEntries(Object.entries(table).map(([name, { of }]) => [name, of(item)]));
}

/** The same as the audit tells it: a list is JSON text, and what has an event of its own is left out. */
export function auditValues<Item>(table: FieldTable<Item>, item: Item): AuditEvent["detail"] {
  const told = Object.entries(table).filter(([, { hasOwnEvent }]) => hasOwnEvent !== true);
  return Object.fromEntries(
    told.map(([name, { of }]) => {
      const value = of(item);
      return [name, typeof value === "object" && value !== null ? JSON.stringify(value) : value];
    }),
  );
}

/** The columns of a table that hold one line of text, with what may stand in it, by its name in code. */
type TextName<Table> = {
  [Name in keyof Table]: Table[Name] extends { text: TextRule } ? Name : never;
}[keyof Table];
type TextOf<Field> = Field extends { text: { isOptional: true } } ? string | null : string;
type ColumnOf<Table> = Table[keyof Table] extends { column: infer Column } ? Column : never;

const textOrNull = (text: string, { isOptional }: TextRule) => (text === "" && isOptional ? null : text);

/** Reads the fields that are one line of text. @param read from a column, by its rule */
export function readTexts<Table extends FieldTable<never>>(
  table: Table,
  read: (column: ColumnOf<Table>, rule: TextRule) => string,
): { [Name in TextName<Table>]: TextOf<Table[Name]> } {
  const texts = Object.entries(table).flatMap(([name, { column, text }]) =>
    text === undefined ? [] : [[name, textOrNull(read(column as ColumnOf<Table>, text), text)]],
  );
  return Object.fromEntries(texts) as { [Name in TextName<Table>]: TextOf<Table[Name]> };
}

type ApiOf<Field> = Field extends { api: infer Api extends string } ? Api : never;
/** The fields of a table that are one line of text, by their names in the API. */
type TextInApi<Table> = { [Name in TextName<Table> as ApiOf<Table[Name]>]: TextOf<Table[Name]> };

/** Reads the fields that are one line of text. @param read by its name in the API */
export function apiTexts<Table extends FieldTable<never>>(
  table: Table,
  read: (api: string) => string,
): TextInApi<Table> {
  const texts = Object.values(table).flatMap(({ api, text }) =>
    api === undefined || text === undefined ? [] : [[api, textOrNull(read(api), text)]],
  );
  return Object.fromEntries(texts) as TextInApi<Table>;
}

type NameOf<Table, Api> = {
  [Name in keyof Table]: ApiOf<Table[Name]> extends Api
    ? Api extends ApiOf<Table[Name]>
      ? Name
      : never
    : never;
}[keyof Table];

/** The fields that have a name of their own in the API, under it. */
export type InApi<Table> = {
  [Name in keyof Table as ApiOf<Table[Name]>]: Table[Name] extends { of(item: never): infer Value }
    ? Value
    : never;
};

export function toApi<Item, Table extends FieldTable<Item>>(table: Table, item: Item): InApi<Table> {
  const named = Object.values(table).flatMap(({ api, of }) => (api === undefined ? [] : [[api, of(item)]]));
  return Object.fromEntries(named) as InApi<Table>;
}

/** Of fields of the API those that are given, by their names in code. */
export type FromApi<Table, Input> = {
  [Api in keyof Input as NameOf<Table, Api>]: Exclude<Input[Api], undefined>;
};

export function fromApi<Table extends FieldTable<never>, Input extends object>(
  table: Table,
  input: Input,
): FromApi<Table, Input> {
  const values = new Map<string, unknown>(Object.entries(input));
  const given = Object.entries(table).flatMap(([name, { api = "" }]) => {
    const value = values.get(api);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(given) as FromApi<Table, Input>;
}
