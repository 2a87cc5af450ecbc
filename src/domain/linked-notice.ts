/** The mails that say that a profile was linked, as every back end queues them with the binding. */

import type { Instant } from "../clock.ts";
import { mailIds } from "./address-notices.ts";
import type { Membership, NewMail, SignedInIdentity } from "./records.ts";

/** The notice goes to the registered address: if it wasn't its owner who linked, this is how they learn. */
export function linkedNotice(
  notice: Pick<NewMail, "id" | "messageId">,
  { profile, organization }: Membership,
  { upstreamId, email, displayName }: SignedInIdentity,
  linkedAt: Instant,
): NewMail {
  const requester = { upstreamId, email, displayName };
  const names = { profileName: profile.name, organizationName: organization.name };
  return { ...notice, to: profile.email, content: { kind: "linked_notice", ...names, requester, linkedAt } };
}

/**
 * What owners are told when an administrator's profile is linked; of any other profile nothing. Whom the
 * mails go to is the caller's to read; the linked profile isn't told, for it has its own notice, whose
 * Message-ID names the domain of these.
 */
export function ownersNotices(
  { messageId }: Pick<NewMail, "messageId">,
  { profile, organization }: Membership,
  { upstreamId, email, displayName }: SignedInIdentity,
  { owners, linkedAt }: { owners: readonly Membership[]; linkedAt: Instant },
): NewMail[] {
  const { adminRole } = profile;
  if (adminRole === null) return [];
  const mailDomain = messageId.slice(messageId.lastIndexOf("@") + 1);
  const others = owners.filter((owner) => owner.profile.id !== profile.id);
  return others.map((owner) => ({
    ...mailIds(mailDomain),
    to: owner.profile.email,
    content: {
      kind: "administrator_linked",
      ownerName: owner.profile.name,
      profileName: profile.name,
      organizationName: organization.name,
      role: adminRole,
      requester: { upstreamId, email, displayName },
      linkedAt,
    },
  }));
}
