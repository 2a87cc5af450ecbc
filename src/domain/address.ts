/**
 * The one written policy for email addresses: what counts as one mailbox, and when two spellings mean the
 * same one. Everything that compares addresses (link inquiries, the directory, imports) compares the `key`
 * made here, and nothing else. Mail never goes to a key or to a typed address: it goes to the address that
 * the organization registered.
 *
 * The policy leans to one side: two mailboxes that somebody's mail system may tell apart must never share a
 * key, while a person whose odd spelling isn't recognised merely types it again. So case and Unicode
 * composition are evened out, and what merely *looks* alike is refused rather than mapped.
 */

import { domainToASCII } from "node:url";

export interface ParsedAddress {
  /** The address as it was written, without the white space around it. */
  address: string;
  /** What comparisons use: equal keys mean the same mailbox. */
  key: string;
}

/** RFC 5321, section 4.5.3.1: octets of a local part, and of a path (256) without its angle brackets. */
const MAX_LOCAL_OCTETS = 64;
const MAX_ADDRESS_OCTETS = 254;

/**
 * RFC 5321's Dot-string, of RFC 5322's atext. Beyond ASCII (RFC 6531) only letters, marks and digits, as in
 * PRECIS's IdentifierClass (RFC 8264, section 4.2). Quoted strings, comments, lists, groups and display names
 * need characters that are not in here.
 */
const LOCAL_PART = /^[\w!#$%&'*+/=?^`{|}~\p{L}\p{M}\p{N}-]+(?:\.[\w!#$%&'*+/=?^`{|}~\p{L}\p{M}\p{N}-]+)*$/u;

/**
 * Checked before `domainToASCII`, which as a URL parser would also undo percent-encoding and read IP
 * addresses.
 */
const WRITTEN_DOMAIN = /^[A-Za-z0-9.\p{L}\p{M}\p{N}-]+$/u;

/**
 * At least two letter-digit-hyphen labels (RFC 1123, section 2.1), the last with a letter: no IP address, no
 * bare host.
 */
const A_LABEL_DOMAIN =
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?=[a-z0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Characters that no eye sees, and that UTS 46 drops from domains: soft hyphens, joiners, bidi controls,
 * selectors.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}]/u;

/** A mark with nothing to stand on, which would change how the character before it is read. */
const LEADING_MARK = /(?:^|[.@])\p{M}/u;

/**
 * Reads one mailbox. Undefined for anything else: no string, several addresses, quoted or commented forms,
 * control, invisible or compatibility characters, IP addresses, names without a dot, and what is longer than
 * mail allows.
 */
export function parseAddress(input: unknown): ParsedAddress | undefined {
  if (typeof input !== "string" || input.length > 4 * MAX_ADDRESS_OCTETS) return undefined;
  // Spaces and tabs come with copying. Line ends stay, and are refused: they have no business in an address
  // field.
  const address = input.replace(/^[ \t\u00a0]+|[ \t\u00a0]+$/g, "");
  if (INVISIBLE.test(address) || LEADING_MARK.test(address) || [...address].some(isLookalike))
    return undefined;

  const at = address.lastIndexOf("@");
  const local = localKey(address.slice(0, Math.max(at, 0)));
  const domain = domainKey(address.slice(at + 1));
  if (at < 1 || local === undefined || domain === undefined) return undefined;

  const key = `${local}@${domain}`;
  if (octets(key) > MAX_ADDRESS_OCTETS || octets(address) > 2 * MAX_ADDRESS_OCTETS) return undefined;
  return { address, key };
}

/**
 * What copying leaves before and behind an address: white space, invisible characters, quotes, brackets, and
 * stops behind it.
 */
const AROUND_START = /^[\s\p{Default_Ignorable_Code_Point}"'`“”„‘’‚«<(]+/u;
const AROUND_END = /[\s\p{Default_Ignorable_Code_Point}"'`“”„‘’‚»>).,;:!?]+$/u;

/** Line breaks and other control characters, which no field of one line has and which headers end at. */
const CONTROL = /[^\P{Cc}\t]|[\u2028\u2029]/u;

/** A name before an address in angle brackets; the closing one may be gone, as all that stands around is. */
const NAMED = /^([^<>]*)<([^<>]*)>?$/;

/** RFC 6068, without a second address in its header fields. */
const MAILTO = /^mailto:([^?]*)(?:\?[^@]*)?$/i;

/**
 * Of what stands in decoration nothing is offered that only looks like part of an address, or leads through
 * another (`!`, `%`).
 */
const ORDINARY_LOCAL = /^[\p{L}\p{M}\p{N}_+=&.-]+(?:'[\p{L}\p{M}\p{N}_+=&.-]+)*@/u;

/**
 * The one plain address in what mail programs and people put around it: `mailto:`, a name and angle brackets,
 * quotes, a stop or semicolon behind, white space at the `@` or two of it. Undefined where nothing has to be
 * taken off, and where what is left isn't one ordinary address: lists, groups, comments, quoted local parts
 * and line breaks stay what they are. Depends on the text alone. For the person to look at; it is looked up
 * only when they send it themselves.
 */
export function plainAddress(input: string): string | undefined {
  if (parseAddress(input) !== undefined || CONTROL.test(input) || /%40/i.test(input)) return undefined;
  return withoutDecoration(input)?.address;
}

function withoutDecoration(text: string): ParsedAddress | undefined {
  const begun = text.replace(AROUND_END, "");
  const bare = begun.replace(AROUND_START, "");
  for (const candidate of [text, begun, bare]) {
    const found = ordinaryAddress(candidate);
    if (found !== undefined) return found;
  }
  const linked = MAILTO.exec(bare)?.[1];
  if (linked !== undefined) return ordinaryAddress(decoded(linked));
  const [, name, inner] = NAMED.exec(begun) ?? [];
  if (name === undefined || inner === undefined || name.trim() === "" || isGroup(name)) return undefined;
  const found = withoutDecoration(inner);
  // Named by itself, as mail programs write addresses that they know no name of; by another one it would be
  // two.
  return !name.includes("@") || withoutDecoration(name)?.key === found?.key ? found : undefined;
}

/** `friends: …;`: what stands behind is one of several (RFC 5322, section 3.4). */
function isGroup(name: string): boolean {
  return /[:;]/.test(name.replace(/"[^"]*"/g, ""));
}

function ordinaryAddress(text: string): ParsedAddress | undefined {
  // The `@` once, or several times in a row, which is a slip of the finger.
  const parts = text.trim().split(/@[\s@]*/);
  const [local = "", domain = ""] = parts;
  if (parts.length !== 2) return undefined;
  const found = parseAddress(`${local.trim()}@${domain.trim()}`);
  return found !== undefined && ORDINARY_LOCAL.test(found.address) ? found : undefined;
}

function decoded(text: string): string {
  try {
    const plain = decodeURIComponent(text);
    return CONTROL.test(plain) ? "" : plain;
  } catch {
    return "";
  }
}

/**
 * Whether a person seems to have typed an address at all: something@something.something, and no more. What
 * passes here but not `parseAddress` gets the same answer as an unknown address. Depends on the text alone,
 * so it gives nothing away.
 */
export function looksLikeAddress(input: string): boolean {
  // Full-width signs count: what an input method wrote as an address is one to the person who typed it.
  const text = input.normalize("NFKC").trim();
  const at = text.indexOf("@");
  if (at < 1) return false;
  const dot = text.indexOf(".", at + 2);
  return dot !== -1 && dot < text.length - 1;
}

/**
 * Compatibility characters (full-width letters, ligatures, long s, mathematical letters) and singletons
 * (Kelvin sign, Ångström sign): normalization would turn each into another character that already has a
 * mailbox of its own. Mapping them has let attackers have other people's reset mails sent to themselves (UTR
 * 36, section 2.8; CVE-2019-19844).
 */
function isLookalike(character: string): boolean {
  const composed = character.normalize("NFC");
  if (character.normalize("NFKC") !== composed) return true;
  return composed !== character && [...composed].length === 1;
}

/**
 * The local part is compared without regard to case, as practically all mail systems do (RFC 5321, section
 * 2.4, would allow one to mind it). A `+tag` stays: what it means is the receiving system's affair.
 */
function localKey(local: string): string | undefined {
  const composed = local.normalize("NFC");
  if (!LOCAL_PART.test(composed)) return undefined;
  const key = Array.from(composed, lowerCase).join("").normalize("NFC");
  return octets(key) <= MAX_LOCAL_OCTETS && octets(composed) <= MAX_LOCAL_OCTETS ? key : undefined;
}

/**
 * Lower case of one character by itself, in no locale's way, and only where that is again one character. So İ
 * (which full folding would spread into i and a dot) and ı stay what they are and never become i.
 */
function lowerCase(character: string): string {
  const lower = character.toLowerCase();
  return [...lower].length === 1 ? lower : character;
}

/**
 * Internationalized and punycode spellings meet in the A-label (UTS 46; RFC 5891, section 5), which is also
 * what DNS is asked.
 */
function domainKey(domain: string): string | undefined {
  if (!WRITTEN_DOMAIN.test(domain)) return undefined;
  const ascii = domainToASCII(domain);
  return A_LABEL_DOMAIN.test(ascii) ? ascii : undefined;
}

/**
 * The address with its domain as A-labels, as mail travels (RFC 5321 knows no other). Undefined where it has
 * none.
 */
export function withAsciiDomain(address: string): string | undefined {
  const at = address.lastIndexOf("@");
  const domain = domainKey(address.slice(at + 1));
  return at < 1 || domain === undefined ? undefined : `${address.slice(0, at)}@${domain}`;
}

/** The domain of an address of ours, as A-labels: for headers, greetings and Message-IDs, which are ASCII. */
export function domainOf(address: string): string {
  const ascii = withAsciiDomain(address) ?? address;
  return ascii.slice(ascii.lastIndexOf("@") + 1);
}

/**
 * Whether a local part is beyond ASCII: no A-label stands for it, so that only a server with SMTPUTF8 takes
 * it (RFC 6531).
 */
export function needsSmtpUtf8(address: string): boolean {
  return /[^\p{ASCII}].*@/u.test(address);
}

function octets(text: string): number {
  return Buffer.byteLength(text, "utf8");
}
