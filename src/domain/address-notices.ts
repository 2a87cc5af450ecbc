/**
 * The mails that tell both addresses of a changed registered email, as every back end queues them with the
 * edit.
 */

import { randomBytes } from "node:crypto";
import type { Instant } from "../clock.ts";
import type { NewMail, Organization, Profile } from "./records.ts";

/** None if the address is the same. @param mailDomain the domain of our Message-IDs */
export function addressNotices(
  before: Profile | undefined,
  after: Profile,
  { name: organizationName }: Organization,
  mailDomain: string,
): NewMail[] {
  if (before === undefined || before.email === after.email) return [];
  const notice = (kind: "address_added" | "address_removed", to: string): NewMail => ({
    ...mailIds(mailDomain),
    to,
    content: { kind, profileName: after.name, organizationName },
  });
  return [notice("address_removed", before.email), notice("address_added", after.email)];
}

/**
 * The mail that says who became an administrator, and where to sign in. @param lapsesAt until when; null for
 * good
 */
export function invitation(
  profile: Profile,
  { name: organizationName }: Organization,
  { mailDomain, lapsesAt }: { mailDomain: string; lapsesAt: Instant | null },
): NewMail {
  return {
    ...mailIds(mailDomain),
    to: profile.email,
    content: { kind: "admin_invitation", profileName: profile.name, organizationName, lapsesAt },
  };
}

/** Ids of a new mail. */
export function mailIds(mailDomain: string): Pick<NewMail, "id" | "messageId"> {
  const id = randomBytes(16).toString("base64url");
  return { id, messageId: `${id}@${mailDomain}` };
}
