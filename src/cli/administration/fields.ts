/**
 * The fields of an operation's input as flags: their names, what they take, what they are. What was typed is
 * draft.ts's.
 */

import type { Definition } from "../../admin/definitions/definition.ts";
import { inputSchema, type JsonSchema, typeOf } from "../../admin/rest/texts.ts";
import type { Flag } from "../command.ts";

/** A field that a flag, or the operand, stands for. */
export interface Field {
  name: string;
  schema: JsonSchema;
  isRequired: boolean;
}

/** The fields of an operation's input, in its order. */
export function fieldsOf(definition: Definition): Field[] {
  const { properties = {}, required = [] } = inputSchema(definition);
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    schema,
    isRequired: required.includes(name),
  }));
}

export const flagName = (field: string) => field.replaceAll("_", "-");

/** Fields of several values, and the flags that say one of them each. */
export const PARTS: Record<string, Record<string, Flag & { part: string }>> = {
  plan: {
    "plan-status": { part: "status", takes: "active|suspended|none", summary: "Of its service plan." },
    "plan-expires": {
      part: "last_day",
      takes: "YYYY-MM-DD",
      summary: "The plan's last day, to its end in the deployment's time zone; none for no end.",
    },
  },
  access_policy: {
    kinds: {
      part: "kinds",
      takes: "customer,partner",
      summary: "The kinds of organizations that it admits.",
    },
    "plan-required": {
      part: "plan_required",
      takes: "true|false",
      summary: "Whether it admits those with an active service plan alone.",
    },
    roles: {
      part: "roles",
      takes: "A,B",
      summary: "It admits people with one of these roles; [] for anybody.",
    },
  },
};

/** The flags that an operation's fields come to. */
export function fieldFlags(definition: Definition): Record<string, Flag> {
  const flags = fieldsOf(definition)
    .filter(({ name }) => name !== definition.command?.operand)
    .flatMap((field): [string, Flag][] => {
      const flag: [string, Flag] = [flagName(field.name), flagOf(field)];
      const parts = Object.entries(PARTS[field.name] ?? {});
      return [
        ...parts.map(([name, { takes, summary }]): [string, Flag] => [
          name,
          { ...(takes && { takes }), summary },
        ]),
        flag,
      ];
    });
  return Object.fromEntries(flags);
}

/** What a field is, where its definition doesn't say. */
const summaries: Record<string, string> = {
  access_policy: "Whom it admits, as { kinds, plan_required, roles }; or by the flags for each.",
  account_id: "Of this account.",
  account_number: "What the organization knows itself by.",
  action: "Events of this kind, such as profile.bound.",
  actor: "What this one did: admin:ID, key:ID, client:ID, command:NAME.",
  client_id: "Of this client app.",
  email: "The registered address.",
  enabled: "Whether it is enabled.",
  from: "Not before it.",
  id: "Its id.",
  kind: "The kind of organization.",
  name: "What it is called.",
  organization_id: "Of this organization.",
  plan: "Its service plan, as { status, last_day }; or by the flags for each.",
  preset: "What it runs on: a server, a browser, a device, or no person signs in.",
  profile_id: "Of this profile.",
  request_id: "Of this link request.",
  role: "What they may do as administrators.",
  roles: "Their roles at portals.",
  scopes: "What it may do.",
  to: "Before it.",
};

function flagOf({ name, schema, isRequired }: Field): Flag {
  const { nullable, type } = typeOf(schema);
  const written = schema.description ?? summaries[name] ?? "";
  const values = type === "array" ? (enumOf(schema)?.join(", ") ?? "") : "";
  const notes = [
    written,
    values === "" ? "" : `Of ${values}.`,
    nullable ? "none for nothing." : "",
    isRequired ? "Needed." : "",
    schema.default === undefined || typeof schema.default === "object" ? "" : `Default: ${schema.default}`,
  ];
  return { takes: takesOf(schema), summary: notes.filter((note) => note !== "").join(" ") };
}

/** What a flag takes, as its usage shows it. */
function takesOf(schema: JsonSchema): string {
  const { type, nullable } = typeOf(schema);
  if (type === "array") return "A,B";
  const values = enumOf(schema);
  if (values !== undefined) return [...values, ...(nullable ? ["none"] : [])].join("|");
  if (type === "boolean") return "true|false";
  if (type === "integer" || type === "number") return "N";
  if (type === "object") return "JSON";
  const format = schema.format ?? schema.anyOf?.find((one) => one.format !== undefined)?.format;
  const names: Record<string, string> = { "date-time": "INSTANT", uri: "URL", "idn-email": "ADDRESS" };
  return names[format ?? ""] ?? "TEXT";
}

/** The values that a field, or each of a list, is one of. */
export function enumOf(schema: JsonSchema): string[] | undefined {
  const found = [schema, ...(schema.anyOf ?? []), ...(schema.items ? [schema.items] : [])].find(
    (one) => one.enum,
  );
  return found?.enum?.map(String);
}
