/** What makes a client a portal. */

import type { Client } from "../storage/records.ts";

/** Whether people sign in to a client. A machine is nobody's portal. */
export function isPortal({ metadata }: Pick<Client, "metadata">): boolean {
  const grants = metadata["grant_types"];
  return !Array.isArray(grants) || grants.includes("authorization_code");
}
