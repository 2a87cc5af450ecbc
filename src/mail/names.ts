/**
 * Names on their way into a mail. They come from upstreams and from organizations, so they are data of strangers that
 * goes out under the deployment's own address: no line breaks, nothing invisible, nothing that a mail program makes a
 * link of. Escaping for HTML isn't done here.
 */

/** Longest display name of an account, in characters. */
const longestDisplayName = 64;
/** Longest name of a profile, an organization or the deployment. */
const longestName = 200;
/** How much of any name is looked at. */
const longestRead = 2 * longestName;

/** Nobody is called so, and mail programs need no scheme to make a link of it. */
const domainWithPath = /^[^/]*[.。]\p{L}[^/]*\//u;

/** A name that the organization or the deployment wrote: one line, nothing invisible, no web address. */
export function mailName(name: string): string {
  return cap(withoutAddresses(plain(name)), longestName);
}

/** What an upstream calls an account, or null when nothing presentable is left of it. */
export function mailDisplayName(name: string | null): string | null {
  if (name === null) return null;
  const words = withoutAddresses(plain(name)).split(" ").map(withoutDomain).filter(Boolean);
  return cap(words.join(" "), longestDisplayName) || null;
}

/** An account's address as its upstream gave it, or null when it doesn't look like one through and through. */
export function mailAddress(address: string | null): string | null {
  if (address === null || address.length > 100) return null;
  return /^[\p{L}\p{N}._+'-]{1,64}@[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)*$/u.test(address) ? address : null;
}

/**
 * One line of printable characters: control, format (bidi, zero width), surrogate and private ones become blanks, other
 * invisible ones go. Cut first: what an upstream sends may be long, and the patterns here take time with it.
 */
function plain(text: string): string {
  return text
    .slice(0, longestRead)
    .normalize("NFKC")
    .slice(0, longestRead)
    .replace(/(?!\p{C})\p{Default_Ignorable_Code_Point}/gu, "")
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, " ")
    .replace(/\s+/g, " ")
    .trim();
}

function withoutAddresses(text: string): string {
  return text
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/\S*/gi, "")
    .replace(/\b(?:mailto|javascript|data|tel):\S+/gi, "")
    .replace(/\bwww\.\S*/gi, "")
    .split(/\s+/)
    .filter((word) => word !== "" && !domainWithPath.test(word))
    .join(" ");
}

/** Drops a word that a mail program would make a link of. "J.Smith" isn't one: it only gets its blank. */
function withoutDomain(word: string): string {
  if (/[/\\@]/.test(word)) return "";
  const dot = /[.。](?=[\p{L}\p{N}][\p{L}\p{M}\p{N}-])/u;
  if (!dot.test(word)) return word;
  return /[.。](?=\p{Lu}\p{Ll})/u.test(word) && !/[.。]\p{Ll}/u.test(word)
    ? word.replace(/[.。](?=\p{L})/gu, ". ")
    : "";
}

function cap(text: string, longest: number): string {
  const characters = [...text];
  return characters.length <= longest
    ? text
    : `${characters
        .slice(0, longest - 1)
        .join("")
        .trimEnd()}…`;
}
