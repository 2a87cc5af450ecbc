/**
 * Names and addresses on their way into a mail. They come from upstreams and from organizations, so they are
 * data of strangers that goes out under the deployment's own address: no line breaks, nothing invisible,
 * nothing that a mail program makes a link of. What an upstream says of an account is whatever its owner
 * typed there, so of that only what names are made of is kept. Escaping for HTML isn't done here.
 */

import { isTopLevelDomain } from "./top-level-domains.ts";

/** Longest display name of an account, in code points. */
const longestDisplayName = 40;
/** Most marks upon one letter: more than any script needs in a name. */
const mostMarks = 3;
/** Longest name of a profile, an organization or the deployment. */
const longestName = 200;
/** How much of any name is looked at. */
const longestRead = 2 * longestName;

/** Nobody is called so, and mail programs need no scheme to make a link of it. */
const domainWithPath = /^[^/]*[.。]\p{L}[^/]*\//u;

/** A name that the organization or the deployment wrote: one line, nothing invisible, no web address. */
export function mailName(name: string, longest: number = longestName): string {
  return cap(withoutAddresses(plain(name)), longest);
}

/**
 * What an upstream calls an account: at most 40 letters, marks, blanks and `.'’·-`, or null when no letter is
 * left. No digits, which make telephone numbers, and no dot but before a blank: `evil.com` is letters and a
 * dot, too.
 */
export function mailDisplayName(name: string | null): string | null {
  if (name === null) return null;
  const words = withoutAddresses(plain(name.slice(0, longestRead).replace(apostrophes, "’")))
    .split(" ")
    .map(withoutDomain)
    .filter((word) => !/^\P{L}*\p{N}/u.test(word));
  const nameWords = words
    .join(" ")
    // The vowels AM of Thai and Lao, which normalization takes apart.
    .replace(/\u0e4d\u0e32/g, "\u0e33")
    .replace(/\u0ecd\u0eb2/g, "\u0eb3")
    .replace(/[\p{Pd}\u2212]/gu, "-")
    .replace(/[\u30fb\u2027]/g, "·")
    .replace(/[^\p{L}\p{Mn}\p{Mc} .'’·-]/gu, " ")
    .replace(/([.'’·-])[.'’·-]+/g, "$1")
    .replace(/(?<![\p{L}\p{M}])[.\p{M}]+/gu, "")
    .replace(tooManyMarks, "$1")
    .replace(/\.(?=\S)/g, ". ")
    .split(" ")
    .map((word) => word.replace(/^[·-]|[·-]$/g, ""))
    .filter((word) => /\p{L}/u.test(word));
  return shortened(nameWords.join(" ")) || null;
}

/** What is typed for an apostrophe, before normalization takes some of it for an accent. */
const apostrophes = /[\u0060\u00b4\u2018\u201b]/g;
const tooManyMarks = new RegExp(`(\\p{M}{${mostMarks}})\\p{M}+`, "gu");

/** The first of a name, whole letters with their marks. */
function shortened(name: string): string {
  const characters = [...name];
  if (characters.length <= longestDisplayName) return name;
  const first = characters.slice(0, longestDisplayName).join("");
  const isCutInLetter = /^\p{M}/u.test(characters[longestDisplayName] ?? "");
  return (isCutInLetter ? first.replace(/\P{M}\p{M}*$/u, "") : first).replace(/[ '’·-]+$/, "");
}

/**
 * An account's address as its upstream gave it, or null when it doesn't look like one through and through.
 */
export function mailAddress(address: string | null): string | null {
  if (address === null || address.length > 100) return null;
  return /^[\p{L}\p{N}._+'-]{1,64}@[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)*$/u.test(address) ? address : null;
}

/**
 * The same to be read: with the local part masked where that reads as a domain, as in
 * `www.evil.example@consumer.example`.
 */
export function shownAddress(address: string | null): string | null {
  const whole = mailAddress(address);
  if (whole === null) return null;
  const at = whole.lastIndexOf("@");
  const [first = ""] = /[\p{L}\p{N}]/u.exec(whole) ?? [];
  return readsAsDomain(whole.slice(0, at)) ? `${first}***${whole.slice(at)}` : whole;
}

/** Whether somebody, or a mail program, could take a local part for a place on the web. */
function readsAsDomain(local: string): boolean {
  if (/xn--|(?:^|[^\p{L}\p{N}])(?:www\d*|https?|ftp)(?:[^\p{L}\p{N}]|$)/iu.test(local)) return true;
  return local.split(/[+_']/).some((part) => {
    const [, ...labels] = part.split(".").filter((label) => label !== "");
    return (
      /^\d+(?:\.\d+){3}$/.test(part) ||
      labels.some((label, place) => endsDomain(label, place === labels.length - 1))
    );
  });
}

/** Within a local part only what isn't a country's: `maria.de.souza` is nobody's domain. */
function endsDomain(label: string, isLast: boolean): boolean {
  if (isLast && isTopLevelDomain(label)) return true;
  const [start = ""] = label.split("-");
  return start.length > 2 && isTopLevelDomain(start);
}

/**
 * One line of printable characters: control, format (bidi, zero width), surrogate and private ones become
 * blanks, other invisible ones go. Cut first: what an upstream sends may be long, and the patterns here take
 * time with it.
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
  const isName = /[.。](?=\p{Lu}\p{Ll}|\p{Lo})/u.test(word) && !/[.。]\p{Ll}/u.test(word);
  const isInitials = /^(?:\p{Lu}\.)+\p{Lu}[\p{Lu}'’-]+$/u.test(word);
  return isName || isInitials ? word.replace(/[.。](?=\p{L})/gu, ". ") : "";
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
