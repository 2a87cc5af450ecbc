/**
 * Which addresses a portal may register. What passes here, oidc-provider takes of a client of application_type web
 * (lib/helpers/client_schema.js, `redirectUris`, 9.13): no private-use scheme, no fragment. Plain http to another machine, which
 * it would take, gives codes away (RFC 9700, section 2.6).
 */

import { isEncryptedOrLocal } from "./loopback.ts";

/** What is wrong with an address, and what to write instead; undefined for a good one, and for what is no address at all. */
export function portalUriProblem(value: string): string | undefined {
  const url = URL.parse(value);
  if (url === null) return undefined;
  if (!/^https?:\/\//i.test(value)) {
    return (
      "write an address that begins with https://; an app registers an https address that it claims, or a loopback one, " +
      "instead of a scheme of its own (RFC 8252, sections 7.2 and 7.3)"
    );
  }
  if (!isEncryptedOrLocal(url)) {
    return "use https; plain http is for this machine alone (localhost, 127.0.0.1, [::1])";
  }
  return value.includes("#") ? "write it without a fragment, the # and what follows" : undefined;
}
