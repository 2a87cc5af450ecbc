/**
 * The fields and records that several operations take and give. Instants are RFC 3339. How records are
 * written in them is admin/fields.ts's.
 */

import { z } from "zod";
import { parseAddress } from "../../domain/address.ts";
import { isReservedId, RESERVED_ID_PROBLEM } from "../../domain/ids.ts";
import type { InApi, ORGANIZATION_FIELDS, PROFILE_FIELDS } from "../../domain/record-fields.ts";
import { isRole, MAX_ROLES, ROLE_PROBLEM } from "../import/role.ts";
import { ALL_ROLES } from "../scopes.ts";
import type { Columns } from "./definition.ts";

/** No control character, no line break, and none that turns the reading direction of what follows. */
const plain = /^[^\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]*$/u;
/** Something that can be seen, at both ends. */
const visible = /^\S(?:.*\S)?$/su;

/** An id as it is looked up: ids come from other systems, too. */
export const anyId = z.string().min(1).max(128);
/** An id as it is given to something new. */
export const newId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "use 1 to 63 letters, digits, dots, - or _")
  .refine((id) => !isReservedId(id), RESERVED_ID_PROBLEM);
export const name = z
  .string()
  .min(1, "write a name")
  .max(200, "write at most 200 characters")
  .regex(plain, "leave out control characters")
  .regex(visible, "write it without blanks around it");
const shortText = z.string().min(1).max(128).regex(plain, "leave out control characters").regex(visible);
export const email = z
  .string()
  .min(3, "write an email address")
  .max(320)
  .meta({ format: "idn-email" })
  .refine((value) => parseAddress(value) !== undefined, "write one address, such as anna@contoso.example");
/** What somebody writes who names the roles of a profile. */
export const roles = z.array(shortText.refine(isRole, ROLE_PROBLEM)).max(MAX_ROLES);
export const instant = z.iso.datetime({
  offset: true,
  error: "write an instant such as 2027-03-31T22:00:00Z",
});
export const kind = z.enum(["customer", "partner", "operator"]);
export const adminRole = z.enum(ALL_ROLES);
export const search = z.string().min(1).max(200);

/** What every list takes. */
export const paging = {
  cursor: z.string().min(1).max(1000).optional().meta({ description: "The next_cursor of the page before." }),
  limit: z.int().min(1).max(200).default(50).meta({ description: "At most so many." }),
};

/** What gives nothing but that it is done. */
export const nothing = z.strictObject({});

/** What every list gives. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    items: z.array(item),
    next_cursor: z.string().nullable().meta({
      description: "Where the next page begins; null at the end. A page may hold fewer than asked for.",
    }),
  });

export type ListOf<Item extends z.ZodType> = ReturnType<typeof listOf<Item>>;

const planStatus = z.enum(["active", "suspended", "none"]);
const planExpiry = instant
  .nullable()
  .meta({ description: "The first instant at which the plan no longer holds." });
const planDay = z.iso.date("write a day such as 2027-03-31").nullable().meta({
  description: "The last day on which it holds, to its end in time_zone.",
});
const planZone = z.string().meta({ description: "The deployment's, in which the last day ends." });

export const plan = z.strictObject({
  status: planStatus,
  expires_at: planExpiry,
  last_day: planDay,
  time_zone: planZone,
});

/** A plan as it is given: its end by one of `expires_at` and `last_day`, or by both if they agree. */
export const givenPlan = z.strictObject({
  status: planStatus,
  expires_at: planExpiry.optional(),
  last_day: planDay.optional(),
  time_zone: planZone.optional(),
});

/** A plan is one field in the API. */
type OrganizationField = keyof InApi<typeof ORGANIZATION_FIELDS> | "plan";

/** The fields of an organization that are edited: what somebody writes there. */
export const organizationInput = {
  name,
  account_number: name.max(128),
  kind,
  plan: givenPlan,
  enabled: z.boolean(),
} satisfies Record<OrganizationField, z.ZodType>;

/** The same of a new one, with what is meant where nothing is said. */
export const newOrganizationInput = {
  ...organizationInput,
  plan: givenPlan.default({ status: "none" }),
  enabled: organizationInput.enabled.default(true),
};

/** The same as they are given. What was written by the rules of another version is given, too. */
const organizationOutput = {
  name: z.string(),
  account_number: z.string(),
  kind,
  plan,
  enabled: z.boolean(),
} satisfies Record<OrganizationField, z.ZodType>;

export const organization = z.strictObject({ id: anyId, ...organizationOutput });

/** What a list of them shows on a command line. */
export const organizationColumns: Columns<z.output<typeof organization>> = {
  id: (one) => one.id,
  name: (one) => one.name,
  account: (one) => one.account_number,
  kind: (one) => one.kind,
  plan: (one) => one.plan.status,
  "last day": (one) => one.plan.last_day,
  enabled: (one) => one.enabled,
};

/** The fields of a profile that are edited: what somebody writes there. */
export const profileInput = { email, name, roles, enabled: z.boolean() } satisfies Record<
  keyof InApi<typeof PROFILE_FIELDS>,
  z.ZodType
>;

/** The same of a new one. */
export const newProfileInput = {
  ...profileInput,
  roles: roles.default([]),
  enabled: profileInput.enabled.default(true),
};

const profile = z.strictObject({
  id: anyId,
  organization_id: anyId,
  email: z.string(),
  email_proven: z
    .boolean()
    .meta({ description: "Whether a link proved the very address that is registered now." }),
  name: z.string(),
  roles: z.array(z.string()),
  enabled: z.boolean(),
  admin_role: adminRole.nullable(),
  invited_at: instant.nullable().meta({
    description:
      "Since when the role waits for the profile to be linked; null otherwise. It lapses after seven " +
      "days, the last owner's apart.",
  }),
  account_id: anyId.nullable().meta({ description: "The account that it is linked to." }),
  linked_at: instant.nullable(),
});

export const membership = profile.extend({ organization });

export const identity = z.strictObject({
  upstream_id: z.string(),
  issuer: z.string(),
  subject: z.string(),
  email: z.string().nullable().meta({ description: "What the upstream says; it proves nothing." }),
  name: z.string().nullable(),
  created_at: instant,
  last_sign_in_at: instant,
});

export const requester = z.strictObject({
  account_id: anyId,
  upstream_id: z.string(),
  subject: z.string(),
  email: z.string().nullable(),
  name: z.string().nullable(),
});
