/**
 * The texts in the language of a deployment: ICU MessageFormat, compiled at first use and kept. Keys, and the
 * values a text needs, are checked by the compiler: both are read from the catalogue's own strings.
 */

import { IntlMessageFormat } from "intl-messageformat";
import { bdi, type Html, html, isHtml, joinHtml } from "./html.ts";
import { en } from "./messages/en.ts";

export type Catalogue = typeof en;
export type MessageKey = keyof Catalogue;

export const isMessageKey = (key: string): key is MessageKey => Object.hasOwn(en, key);

/** The catalogue of each language. Another language has the keys of the English one. */
export const catalogues: Readonly<Record<string, Readonly<Record<MessageKey, string>>>> = { en };

/**
 * `{name}` and `{count, plural, …}`. The text of a branch always holds a space, which no argument's name
 * does.
 */
type Argument<Inside extends string> = Inside extends `${infer Name},${string}` ? Word<Name> : Word<Inside>;
type Word<Name extends string> = Name extends `${string} ${string}` ? never : Name;
type ArgumentNames<Text extends string> = Text extends `${string}{${infer Rest}`
  ? (Rest extends `${infer Inside}}${string}` ? Argument<Inside> : never) | ArgumentNames<Rest>
  : never;
type TagNames<Text extends string> = Text extends `${string}<${infer Tag}>${infer Rest}`
  ? (Tag extends `/${string}` ? never : Tag) | TagNames<Rest>
  : never;

type TextValues<Key extends MessageKey> = { [Name in ArgumentNames<Catalogue[Key]>]: string | number };
type HtmlValues<Key extends MessageKey> = {
  [Name in ArgumentNames<Catalogue[Key]>]: string | number | Html;
} & { [Name in TagNames<Catalogue[Key]>]: (content: Html) => Html };
type Values<All> = keyof All extends never ? [] : [values: All];

/** Texts without `<tags>`: they can stand where only characters can, in a title or a subject. */
export type PlainKey = {
  [Key in MessageKey]: TagNames<Catalogue[Key]> extends never ? Key : never;
}[MessageKey];

export interface Translator {
  /** The text as characters. */
  text<Key extends PlainKey>(key: Key, ...values: Values<TextValues<Key>>): string;
  /**
   * The text as HTML. Strings among the values are escaped and isolated (`bdi`), tags are rendered by their
   * function.
   */
  html<Key extends MessageKey>(key: Key, ...values: Values<HtmlValues<Key>>): Html;
}

type HtmlValue = string | number | Html | ((content: Html) => Html);

const translators = new Map<string, Translator>();

/** The translator of a language; the English one where there is no catalogue. */
export function messages(locale: string): Translator {
  const known = Object.hasOwn(catalogues, locale) ? locale : "en";
  const existing = translators.get(known);
  if (existing !== undefined) return existing;
  const created = createTranslator(known, catalogues[known] ?? en);
  translators.set(known, created);
  return created;
}

function createTranslator(locale: string, catalogue: Readonly<Record<MessageKey, string>>): Translator {
  const compiled = new Map<MessageKey, IntlMessageFormat>();
  const formatOf = (key: MessageKey): IntlMessageFormat => {
    let format = compiled.get(key);
    if (format === undefined) {
      format = new IntlMessageFormat(catalogue[key], locale);
      compiled.set(key, format);
    }
    return format;
  };
  return {
    text: (key, ...[values]) => String(formatOf(key).format(values)),
    html: (key, ...[values]) => formatHtml(formatOf(key), values ?? {}),
  };
}

function formatHtml(format: IntlMessageFormat, values: Record<string, HtmlValue>): Html {
  const wrapped: Record<string, number | Html | ((chunks: (string | Html)[]) => Html)> = {};
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "function") wrapped[name] = (chunks) => value(joinHtml(chunks));
    else if (typeof value === "string" && !isHtml(value)) wrapped[name] = bdi(value);
    else wrapped[name] = value;
  }
  const parts = format.formatToParts<Html | ((chunks: (string | Html)[]) => Html)>(wrapped);
  return joinHtml(parts.map(({ value }) => (typeof value === "function" ? html`` : value)));
}
