/**
 * The one judge of the addresses that a client registers: where browsers are sent with a code, after signing
 * out, to start, and where logout tokens go. An address is taken only as every reader reads it alike. What
 * passes `clientUriProblem`, oidc-provider takes of a client of application_type web
 * (lib/helpers/client_schema.js, `redirectUris`, 9.13): no private-use scheme, no fragment. Plain http to
 * another machine, which it would take, gives codes away (RFC 9700, section 2.6).
 */

import { isEncryptedOrLocal } from "./loopback.ts";

/**
 * What is wrong with a redirect, post-logout or back-channel logout address, and what to write instead;
 * undefined for a good one. Doesn't repeat the address: it may hold a password.
 */
export function clientUriProblem(value: string): string | undefined {
  const url = URL.parse(value);
  if (url === null) return "write an absolute address, scheme included";
  if (!/^https?:\/\//i.test(value)) {
    return (
      "write an address that begins with https://; an app registers an https address that it claims, or " +
      "a loopback one, " +
      "instead of a scheme of its own (RFC 8252, sections 7.2 and 7.3)"
    );
  }
  const problem = spellingProblem(value, url);
  if (problem !== undefined) return problem;
  if (!isEncryptedOrLocal(url)) {
    return "use https; plain http is for this machine alone (localhost, 127.0.0.1, [::1])";
  }
  return value.includes("#") ? "write it without a fragment, the # and what follows" : undefined;
}

/** The same of a page that people are led to: a home page may be http, and may have a fragment. */
export function pageUriProblem(value: string): string | undefined {
  const url = URL.parse(value);
  if (url === null || !/^https?:\/\//i.test(value)) return "write an absolute http(s) address";
  return spellingProblem(value, url);
}

/** The parts as they are written, which `URL` no longer tells (RFC 3986, section 3). */
const parts = /^[a-z]+:\/\/(?<authority>[^/?#]*)(?<path>[^?#]*)(?<rest>.*)$/is;
/** With any number of encodings one over the other: whoever decodes twice reads the same. */
const encodedStructure = /%(?:25)*(?:2f|5c|2e|2a)/i;
const encodedControl = /%(?:25)*(?:[01][0-9a-f]|7f)/i;
const dotSegment = /\/\.{1,2}(?:[;/]|$)/;

/** What two readers could read in two ways. `url` is what a browser reads. */
function spellingProblem(value: string, url: URL): string | undefined {
  if (/[\p{C}\p{Z}]/u.test(value)) return "write it without blanks and control characters, and in ASCII";
  const { authority = "", path = "", rest = "" } = parts.exec(value)?.groups ?? {};
  if (value.includes("\\")) return "write it without a backslash: browsers read a slash";
  if (authority.includes("@"))
    return "write it without a user name or password, the @ and what stands before it";
  if (value.includes("*"))
    return "write out each address: * stands for nothing here, and no address may hold one";
  return hostProblem(authority, url) ?? pathProblem(path, rest, url);
}

function hostProblem(authority: string, url: URL): string | undefined {
  const [, host = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(authority) ?? [];
  if (host.endsWith(".")) return "write the host without the dot at its end";
  const read = url.hostname.replace(/\.+$/, "");
  if (read.includes("*")) return "write out the host: there are no wildcards";
  if (read.startsWith(".") || read.includes("..")) return "write the host without two dots in a row";
  if (host.toLowerCase() !== read) return `write the host in ASCII and as browsers read it: ${read}`;
  if (port !== undefined && !/^[1-9]\d*$/.test(port)) return "write the port as a plain number, or no colon";
  return undefined;
}

function pathProblem(path: string, rest: string, url: URL): string | undefined {
  const whole = path + rest;
  if (/[^\x21-\x7e]/.test(whole)) return "write it in ASCII: other letters as the %… of their UTF-8";
  const odd = /["<>^`{|}]/.exec(whole)?.[0];
  if (odd !== undefined)
    return `write ${odd} as ${encodeURIComponent(odd)}: no address may hold one (RFC 3986)`;
  if (/%(?![0-9a-f]{2})/i.test(whole))
    return "write two hexadecimal digits after each %, and % itself as %25";
  if (encodedStructure.test(path)) {
    return (
      "write a path without encoded slashes, backslashes, dots and asterisks (%2f, %5c, %2e, %2a): some " +
      "read them as plain"
    );
  }
  if (encodedControl.test(whole)) return "write it without encoded control characters (%00 to %1f, %7f)";
  if (!isUtf8(path)) return "write other letters as the %… of their UTF-8";
  if (dotSegment.test(path)) return `write the path as browsers read it, without . and ..: ${url.pathname}`;
  return undefined;
}

function isUtf8(encoded: string): boolean {
  try {
    decodeURIComponent(encoded);
    return true;
  } catch {
    return false;
  }
}
