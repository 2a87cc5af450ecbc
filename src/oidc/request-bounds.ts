/**
 * Bounds of the parameters that our OpenID Provider keeps with a request: of authorization, pushed or not,
 * and of signing out. Real portals send one or two kilobytes altogether; the longest that some send are
 * `state`, into which they pack what they want to find again, and `id_token_hint`.
 */

import { errors, type KoaContextWithOIDC } from "oidc-provider";
import type { RequestParameters } from "./request-parameters.ts";

/** Characters of each parameter. */
const longest = 2048;
const longestOf: Readonly<Record<string, number>> = { state: 4096, id_token_hint: 4096 };
/** Characters of all of them together. */
const longestTogether = 8192;

/** What is wrong with the size of a request's parameters; undefined if nothing is. */
export function oversize(parameters: RequestParameters): { problem: string; isState: boolean } | undefined {
  let together = 0;
  for (const [name, value] of Object.entries(parameters)) {
    const length = [value].flat().reduce<number>((sum, one) => sum + String(one ?? "").length, 0);
    const most = Object.hasOwn(longestOf, name) ? (longestOf[name] ?? longest) : longest;
    if (length > most)
      return { problem: `${name} is longer than ${most} characters`, isState: name === "state" };
    together += length;
  }
  if (together <= longestTogether) return undefined;
  return { problem: `the parameters are longer than ${longestTogether} characters together`, isState: false };
}

/**
 * What oidc-provider asks before it keeps an authorization request (`extraParams`), at its endpoint and at
 * the one where it is pushed.
 * @throws errors.InvalidRequest for what is too long; it goes back to the portal, unless that would carry a
 *   `state` too long
 * @throws errors.UnauthorizedClient for a client that pushes without a secret: anybody could fill the store
 *   by it
 */
export function assertBounded({ oidc }: KoaContextWithOIDC): void {
  const found = oversize(oidc.params ?? {});
  if (found !== undefined) {
    const error = new errors.InvalidRequest(found.problem);
    if (found.isState) Object.assign(error, { allow_redirect: false });
    throw error;
  }
  if (oidc.route === "pushed_authorization_request" && oidc.client?.clientAuthMethod === "none") {
    throw new errors.UnauthorizedClient("only a client that authenticates may push its requests");
  }
}
