/**
 * Search of records by what people type: every word of a name, and what follows it, is an entry of an index
 * that is read from the typed text on. One range of one index answers a search, however many records there
 * are. The same in every back end; keeping the entries with their record, in the transaction of each write,
 * is the back end's.
 */

import type { Identity, Organization, Profile } from "./records.ts";

export type SearchKind = "organization" | "profile" | "account";

/** Stands between the parts of an entry; no text holds one. */
const SEPARATOR = "\u0001";
/** Behind every text that begins in the same way. */
const LAST = "\u{10ffff}";

/** How many words of a text can be searched from, and how many characters of each entry are kept. */
const MOST_WORDS = 12;
const LONGEST_TEXT = 120;

/** Without accents and case, in one kind of blanks. */
function normalize(text: string): string {
  const plain = text
    .normalize("NFKD")
    .replace(/[\p{M}\p{C}]/gu, "")
    .toLowerCase()
    .replace(/\s+/gu, " ")
    .trim();
  // Whole characters: half of one would be stored as another.
  return [...plain].slice(0, LONGEST_TEXT).join("");
}

/** A text from each of its words on; of an address also from its domain on. */
function beginnings(text: string): string[] {
  const words = normalize(text).split(" ").slice(0, MOST_WORDS);
  const phrases = words.map((_, index) => words.slice(index).join(" "));
  const domain = /^[^\s@]+@([^\s@]+)$/.exec(phrases[0] ?? "")?.[1];
  return [...phrases, ...(domain === undefined ? [] : [domain])].filter((phrase) => phrase !== "");
}

/** How a record is named among the entries. */
export const searchRecord = (kind: SearchKind, id: string) => `${kind}${SEPARATOR}${id}`;

/** The entries of a record. */
export function searchEntries(kind: SearchKind, id: string, texts: readonly string[]): string[] {
  const found = new Set(texts.flatMap(beginnings));
  return [...found].map((text) => [kind, text, id].join(SEPARATOR)).toSorted();
}

/**
 * Where the entries are that a typed text finds: greater than `from`, less than `to`. Undefined for a text
 * that says nothing.
 */
export function searchRange(
  kind: SearchKind,
  typed: string,
  after: string | null,
): { from: string; to: string } | undefined {
  const text = normalize(typed);
  if (text === "") return undefined;
  const begin = `${kind}${SEPARATOR}${text}`;
  const from = after === null ? begin : `${kind}${SEPARATOR}${after}`;
  return from < begin ? { from: begin, to: begin + LAST } : { from, to: begin + LAST };
}

/** The record's id, and where the next page begins behind an entry. */
export function readEntry(entry: string): { id: string; after: string } {
  const first = entry.indexOf(SEPARATOR);
  return { id: entry.slice(entry.lastIndexOf(SEPARATOR) + 1), after: entry.slice(first + 1) };
}

/**
 * Whether an entry is the one under which a search lists its record: the first of those that it finds. So a
 * record that it finds by several words stands in the list once, whatever page it is on.
 */
export function isListedAt(
  place: string,
  kind: SearchKind,
  typed: string,
  id: string,
  texts: readonly string[],
): boolean {
  const bounds = searchRange(kind, typed, null);
  if (bounds === undefined) return false;
  const first = searchEntries(kind, id, texts).find((entry) => entry > bounds.from && entry < bounds.to);
  return first !== undefined && readEntry(first).after === place;
}

export const organizationTexts = ({ name, accountNumber }: Pick<Organization, "name" | "accountNumber">) => [
  name,
  accountNumber,
];

export const profileTexts = ({ name, emailKey }: Pick<Profile, "name" | "emailKey">) => [name, emailKey];

export const accountTexts = (identities: readonly Pick<Identity, "subject" | "email" | "displayName">[]) =>
  identities.flatMap(({ subject, email, displayName }) => [subject, email ?? "", displayName ?? ""]);
