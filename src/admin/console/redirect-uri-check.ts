/** The redirect URI check: how what a portal sends compares with what it has registered. Pure. */

import type { ClientPage, UriDifference } from "../../ui/console/clients.ts";

/** Registered, nearly so (and by what it differs), or not at all. */
export function checkRedirectUri(
  uri: string,
  registered: readonly string[],
): NonNullable<ClientPage["check"]> {
  if (registered.includes(uri)) return { uri, result: "registered", nearest: null, how: null };
  const sent = URL.parse(uri);
  if (sent === null) return { uri, result: "no_address", nearest: null, how: null };
  for (const candidate of registered) {
    const known = URL.parse(candidate);
    const how = known === null ? undefined : difference(sent, known, uri, candidate);
    if (how !== undefined) return { uri, result: "differs", nearest: candidate, how };
  }
  return { uri, result: "unknown", nearest: null, how: null };
}

/** The one thing by which two addresses differ, or undefined where it is more. */
function difference(sent: URL, known: URL, uri: string, candidate: string): UriDifference | undefined {
  if (sent.hostname !== known.hostname) return undefined;
  const isSamePath = sent.pathname === known.pathname;
  const isSameQuery = sent.search === known.search;
  if (sent.protocol !== known.protocol) return isSamePath && isSameQuery ? "scheme" : undefined;
  if (sent.port !== known.port) return isSamePath && isSameQuery ? "port" : undefined;
  if (!isSamePath) {
    const bare = (path: string) => path.replace(/\/$/, "");
    if (bare(sent.pathname) === bare(known.pathname)) return "slash";
    return sent.pathname.toLowerCase() === known.pathname.toLowerCase() ? "path_case" : undefined;
  }
  if (!isSameQuery) return "query";
  if (sent.hash !== known.hash) return "fragment";
  // The same address for browsers, spelled otherwise; providers compare letters.
  return uri.toLowerCase() === candidate.toLowerCase() ? "host_case" : "slash";
}
