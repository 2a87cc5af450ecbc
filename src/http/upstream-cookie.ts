/** The cookie in which a browser remembers the upstream that it used last. */
export const upstreamCookie = "liaison.upstream";
