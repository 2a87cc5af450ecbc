/** What makes a client a portal, and which portals are named to anybody. */

import type { Client } from "./records.ts";

/** Whether people sign in to a client. A machine is nobody's portal. */
export function isPortal({ metadata }: Pick<Client, "metadata">): boolean {
  const grants = metadata["grant_types"];
  return !Array.isArray(grants) || grants.includes("authorization_code");
}

/**
 * Whether pages that anybody can open name a portal. Where a person's profile opens it, they do in any case.
 */
export function isListed({ metadata }: Pick<Client, "metadata">): boolean {
  return metadata["listed"] !== false;
}
