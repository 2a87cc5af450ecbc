/**
 * What an edit of the directory comes to, worked out from what is stored: pure, and the same for every back
 * end, which reads before it and writes after it in one transaction.
 */

import type { Instant } from "../clock.ts";
import { LiaisonError } from "../errors.ts";
import type { AuditEntry } from "./audit-entries.ts";
import {
  auditValues,
  NEW_PROFILE,
  ORGANIZATION_FIELDS,
  PROFILE_FIELDS,
  profileEditOf,
} from "./record-fields.ts";
import type { AuditEvent, Membership, Organization, Profile, ProfileEdit } from "./records.ts";

/** What to write besides the record itself. */
export interface Consequences {
  entries: AuditEntry[];
  /** Pending requests are void from now on. */
  voids: boolean;
  /** Grants are ended. Of what is new there are none. */
  revokes: boolean;
}

/** The same of an organization. */
export interface OrganizationConsequences extends Consequences {
  /**
   * Its people administrate no more: their sign-ins to the administration's pages end, also if it is the
   * operator's again.
   */
  endsAdministration: boolean;
}

/** Inserts or replaces an organization as a whole. */
export function editOrganization(
  before: Organization | undefined,
  after: Organization,
  actor: string,
  at: Instant,
): OrganizationConsequences {
  const detail =
    before === undefined
      ? { created: true }
      : changes(auditValues(ORGANIZATION_FIELDS, before), auditValues(ORGANIZATION_FIELDS, after));
  const entry: AuditEntry = { at, action: "organization.changed", actor, organizationId: after.id, detail };
  const ends = before !== undefined && !after.enabled;
  const endsAdministration = before?.kind === "operator" && after.kind !== "operator";
  return {
    entries: Object.keys(detail).length > 0 ? [entry] : [],
    voids: ends,
    revokes: ends,
    endsAdministration,
  };
}

/**
 * Inserts a profile or changes what an edit may change. Returns the whole profile as it then is.
 * Throws `bad_request` if it would move to another organization.
 */
export function editProfile(
  before: Profile | undefined,
  edit: ProfileEdit,
  actor: string,
  at: Instant,
): Consequences & { profile: Profile } {
  const { id, organizationId, email, enabled } = edit;
  const fields = profileEditOf(edit);
  if (before === undefined) {
    const created: AuditEntry = {
      at,
      actor,
      action: "profile.changed",
      profileId: id,
      organizationId,
      detail: { created: true },
    };
    return {
      profile: { ...fields, ...NEW_PROFILE },
      entries: [created],
      voids: false,
      revokes: false,
    };
  }
  if (organizationId !== before.organizationId) {
    throw new LiaisonError("bad_request", "A profile can't move to another organization.");
  }
  const common = { at, actor, profileId: id, organizationId, accountId: before.accountId };
  const entries: AuditEntry[] = [];
  const isMoved = email !== before.email;
  const emailVersion = before.emailVersion + (isMoved ? 1 : 0);
  if (isMoved) entries.push({ ...common, action: "profile.email_changed", detail: { emailVersion } });
  const detail = changes(auditValues(PROFILE_FIELDS, before), auditValues(PROFILE_FIELDS, edit));
  if (Object.keys(detail).length > 0) entries.push({ ...common, action: "profile.changed", detail });
  return {
    profile: { ...before, ...fields, emailVersion },
    entries,
    voids: !enabled || isMoved,
    revokes: !enabled,
  };
}

/** What a profile that names an organization which isn't there is refused with. */
export function unknownOrganization(): LiaisonError {
  return new LiaisonError("bad_request", "The organization that the profile names doesn't exist.");
}

/** The fields whose value is another one afterwards, with that value. */
function changes(before: AuditEvent["detail"], after: AuditEvent["detail"]): AuditEvent["detail"] {
  return Object.fromEntries(Object.entries(after).filter(([field, value]) => before[field] !== value));
}

/**
 * Whether somebody who may do everything would be gone after an edit: the store then looks whether it was the
 * last.
 */
export function mayEndAnOwner(
  before: { profile: Profile; organization: Organization },
  after: {
    profile: Pick<Profile, "enabled" | "adminRole">;
    organization: Pick<Organization, "enabled" | "kind">;
  },
): boolean {
  return isOwner(before.profile, before.organization) && !isOwner(after.profile, after.organization);
}

/** Whether a profile makes its person an administrator, once they link it. */
export function isAdministrators({ profile, organization }: Membership): boolean {
  return profile.adminRole !== null && organization.kind === "operator";
}

/** Whether a profile makes its person one who may do everything. */
export function isOwner(
  profile: Pick<Profile, "enabled" | "adminRole">,
  organization: Pick<Organization, "enabled" | "kind">,
): boolean {
  return (
    profile.adminRole === "owner" &&
    profile.enabled &&
    organization.enabled &&
    organization.kind === "operator"
  );
}
