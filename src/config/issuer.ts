/**
 * How the issuer is written: in the one spelling that everybody makes of it. Portals and browsers compare it
 * to the letter.
 */

/**
 * What is wrong with an issuer, and how to write it; undefined for what is right, and for what is no URL at
 * all. Nothing is mended here: what stands in the configuration is what portals were given. Says nothing of
 * the value, which may hold a password.
 */
export function issuerProblem(issuer: string): string | undefined {
  const url = URL.parse(issuer);
  if (url === null) return undefined;
  if (/[?#]|\/$/.test(issuer)) return PLAIN;
  if (url.username !== "" || url.password !== "" || issuer.includes("@")) {
    return "write it without user name and password: every portal and every browser is told it";
  }
  if (url.port === "" && /^[a-z]+:\/\/[^/]*:\d*(?:\/|$)/i.test(issuer)) {
    return "write it without a port: this one is the scheme's own, which browsers leave out";
  }
  if (url.hostname.endsWith(".")) return "write the host without a dot at its end";
  if (url.pathname.includes("//")) return "write its path without empty steps";
  const { origin, pathname } = url;
  return issuer === origin + pathname.replace(/\/$/, "") ? undefined : SPELLED;
}

const PLAIN =
  "write it without query, fragment and trailing slash, exactly as it stands in the discovery document";
const SPELLED =
  "write it as browsers do: scheme and host in small letters (beyond ASCII as xn--…), no blanks, no . or " +
  ".. in its path, and " +
  "what needs it percent-encoded";
