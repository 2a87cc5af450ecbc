/** How records are written in the fields that operations give, and read from those that they take. */

import type { z } from "zod";
import type { Instant } from "../clock.ts";
import { parseAddress } from "../domain/address.ts";
import type { Calendar } from "../domain/calendar.ts";
import { planEnd, planEndOf } from "../domain/plan-end.ts";
import { ORGANIZATION_FIELDS, PROFILE_FIELDS, toApi } from "../domain/record-fields.ts";
import type { Identity, Membership, Organization, Profile, Requester } from "../domain/records.ts";
import type { Page } from "../storage/contract.ts";
import type { givenPlan, plan } from "./definitions/fields.ts";
import { InputError } from "./operation.ts";

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

export function writePlan(
  { status, expiresAt }: Organization["plan"],
  calendar: Calendar,
): z.input<typeof plan> {
  const { lastDay, timeZone } = planEndOf(expiresAt, calendar);
  return { status, expires_at: timeOrNull(expiresAt), last_day: lastDay, time_zone: timeZone };
}

/** @param calendar of the deployment's time zone, as everywhere */
export function writeOrganization(one: Organization, calendar: Calendar) {
  return { id: one.id, ...toApi(ORGANIZATION_FIELDS, one), plan: writePlan(one.plan, calendar) };
}

function writeProfile(one: Profile) {
  return {
    id: one.id,
    organization_id: one.organizationId,
    ...toApi(PROFILE_FIELDS, one),
    admin_role: one.adminRole,
    invited_at: timeOrNull(one.invitedAt),
    email_proven: one.accountId !== null && one.provenEmailVersion === one.emailVersion,
    account_id: one.accountId,
    linked_at: timeOrNull(one.boundAt),
  };
}

export function writeMembership({ profile: one, organization: of }: Membership, calendar: Calendar) {
  return { ...writeProfile(one), organization: writeOrganization(of, calendar) };
}

export function writeIdentity({
  upstreamId,
  issuer,
  subject,
  email: address,
  displayName,
  ...rest
}: Identity) {
  return {
    upstream_id: upstreamId,
    issuer,
    subject,
    email: address,
    name: displayName,
    created_at: time(rest.createdAt),
    last_sign_in_at: time(rest.lastSignInAt),
  };
}

export function writeRequester({ accountId, upstreamId, subject, email: address, displayName }: Requester) {
  return { account_id: accountId, upstream_id: upstreamId, subject, email: address, name: displayName };
}
