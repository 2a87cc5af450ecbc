/** Client credentials tokens (RFC 6749, section 4.4): those of machines, behind which nobody is signed in. */

import type { Provider } from "oidc-provider";
import { withStoreErrors } from "./store-errors.ts";

/** What an unexpired client credentials token says, or undefined for anything else. */
export async function findClientCredentials(
  provider: Provider,
  token: string,
): Promise<{ clientId: string; scopes: string[] } | undefined> {
  const found = await withStoreErrors(provider.ClientCredentials.find(token));
  if (found === undefined || found.isExpired || found.clientId === undefined) return undefined;
  return { clientId: found.clientId, scopes: (found.scope ?? "").split(" ").filter((scope) => scope !== "") };
}
