/** The fields that several operations take and give, and how records are written in them. Instants are RFC 3339. */

import { z } from "zod";
import type { Instant } from "../clock.ts";
import { parseAddress } from "../domain/address.ts";
import type { Calendar } from "../domain/calendar.ts";
import { isReservedId, RESERVED_ID_PROBLEM } from "../domain/ids.ts";
import { planEnd, planEndOf } from "../domain/plan-end.ts";
import type { Identity, Membership, Organization, Profile, Requester } from "../domain/records.ts";
import type { Page } from "../storage/contract.ts";
import { isRole, MAX_ROLES, ROLE_PROBLEM } from "./import/role.ts";
import { InputError } from "./operation.ts";
import { ALL_ROLES } from "./scopes.ts";

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
export const instant = z.iso.datetime({ offset: true, error: "write an instant such as 2027-03-31T22:00:00Z" });
export const kind = z.enum(["customer", "partner", "operator"]);
export const adminRole = z.enum(ALL_ROLES);
export const search = z.string().min(1).max(200);

/** What every list takes. */
export const paging = {
  cursor: z.string().min(1).max(1000).optional().meta({ description: "The next_cursor of the page before." }),
  limit: z.int().min(1).max(200).default(50).meta({ description: "At most so many." }),
};

/** What every list gives. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    items: z.array(item),
    next_cursor: z
      .string()
      .nullable()
      .meta({ description: "Where the next page begins; null at the end. A page may hold fewer than asked for." }),
  });

export const pageOf = ({ cursor, limit }: { cursor?: string | undefined; limit: number }) => ({
  after: cursor ?? null,
  limit,
});

export function listed<From, To>({ items, next }: Page<From>, write: (item: From) => To) {
  return { items: items.map(write), next_cursor: next };
}

export const time = (at: Instant) => new Date(at).toISOString();
export const timeOrNull = (at: Instant | null) => (at === null ? null : time(at));
export const fromTime = (text: string): Instant => Date.parse(text);

/** An address as it is registered and as it is compared. */
export function addressOf(written: string): { email: string; emailKey: string } {
  const parsed = parseAddress(written);
  if (parsed === undefined) throw new InputError([{ field: "email", problem: "write one email address" }]);
  return { email: parsed.address, emailKey: parsed.key };
}

const planStatus = z.enum(["active", "suspended", "none"]);
const planExpiry = instant.nullable().meta({ description: "The first instant at which the plan no longer holds." });
const planDay = z.iso.date("write a day such as 2027-03-31").nullable().meta({
  description: "The last day on which it holds, to its end in time_zone.",
});
const planZone = z.string().meta({ description: "The deployment's, in which the last day ends." });

const plan = z.strictObject({
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

/**
 * Reads a plan that was given.
 * @param before when it ended until now; what isn't said of the end stays
 * @throws InputError for an end that is none, or that is said in two ways
 */
export function readPlan(
  given: z.output<typeof givenPlan>,
  before: Instant | null,
  calendar: Calendar,
): Organization["plan"] {
  const { status, expires_at, last_day: lastDay, time_zone: timeZone } = given;
  const expiresAt = typeof expires_at === "string" ? fromTime(expires_at) : expires_at;
  const end = planEnd({ expiresAt, lastDay, timeZone }, before, calendar);
  if (end.kind === "fault") throw new InputError([{ field: `plan.${end.field}`, problem: end.problem }]);
  return { status, expiresAt: end.expiresAt };
}

export function writePlan({ status, expiresAt }: Organization["plan"], calendar: Calendar): z.input<typeof plan> {
  const { lastDay, timeZone } = planEndOf(expiresAt, calendar);
  return { status, expires_at: timeOrNull(expiresAt), last_day: lastDay, time_zone: timeZone };
}

export const organization = z.strictObject({
  id: anyId,
  name: z.string(),
  account_number: z.string(),
  kind,
  plan,
  enabled: z.boolean(),
});

/** @param calendar of the deployment's time zone, as everywhere */
export function writeOrganization({ accountNumber, plan: kept, ...rest }: Organization, calendar: Calendar) {
  return { ...rest, account_number: accountNumber, plan: writePlan(kept, calendar) };
}

const profile = z.strictObject({
  id: anyId,
  organization_id: anyId,
  email: z.string(),
  email_proven: z.boolean().meta({ description: "Whether a link proved the very address that is registered now." }),
  name: z.string(),
  roles: z.array(z.string()),
  enabled: z.boolean(),
  admin_role: adminRole.nullable(),
  invited_at: instant.nullable().meta({
    description:
      "Since when the role waits for the profile to be linked; null otherwise. It lapses after seven days, the last owner's apart.",
  }),
  account_id: anyId.nullable().meta({ description: "The account that it is linked to." }),
  linked_at: instant.nullable(),
});

function writeProfile(one: Profile) {
  const { id, organizationId, email: address, name: called, roles: given, enabled, adminRole: role } = one;
  return {
    ...{ id, organization_id: organizationId, email: address, name: called, roles: given, enabled, admin_role: role },
    invited_at: timeOrNull(one.invitedAt),
    email_proven: one.accountId !== null && one.provenEmailVersion === one.emailVersion,
    account_id: one.accountId,
    linked_at: timeOrNull(one.boundAt),
  };
}

export const membership = profile.extend({ organization });

export function writeMembership({ profile: one, organization: of }: Membership, calendar: Calendar) {
  return { ...writeProfile(one), organization: writeOrganization(of, calendar) };
}

export const identity = z.strictObject({
  upstream_id: z.string(),
  issuer: z.string(),
  subject: z.string(),
  email: z.string().nullable().meta({ description: "What the upstream says; it proves nothing." }),
  name: z.string().nullable(),
  created_at: instant,
  last_sign_in_at: instant,
});

export function writeIdentity({ upstreamId, issuer, subject, email: address, displayName, ...rest }: Identity) {
  return {
    ...{ upstream_id: upstreamId, issuer, subject, email: address, name: displayName },
    ...{ created_at: time(rest.createdAt), last_sign_in_at: time(rest.lastSignInAt) },
  };
}

export const requester = z.strictObject({
  account_id: anyId,
  upstream_id: z.string(),
  subject: z.string(),
  email: z.string().nullable(),
  name: z.string().nullable(),
});

export function writeRequester({ accountId, upstreamId, subject, email: address, displayName }: Requester) {
  return { account_id: accountId, upstream_id: upstreamId, subject, email: address, name: displayName };
}
