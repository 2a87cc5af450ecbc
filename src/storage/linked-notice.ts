/** The mail that says that a profile was linked, as every back end queues it with the binding. */

import type { Instant } from "../clock.ts";
import type { NewMail, SignedInIdentity } from "./contract.ts";
import type { Membership } from "./records.ts";

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
