/**
 * HTML as a value: `html` escapes whatever is put into it, and only what it made itself passes unescaped. The
 * one module that knows which template library does the escaping; hono's tag may answer with a promise, ours
 * never does.
 */

import { html as escapingTag, type raw } from "hono/html";

/** A piece of HTML that needs no escaping any more. */
export type Html = ReturnType<typeof raw>;

/** What may stand in a template: text is escaped, nothing at all is left out, lists are joined. */
export type Child = string | number | Html | null | undefined | false | readonly Child[];

/** Template tag: `html\`<p>${text}</p>\``. */
export function html(strings: TemplateStringsArray, ...values: Child[]): Html {
  const result = escapingTag(strings, ...values);
  if (result instanceof Promise) throw new TypeError("a page template was given a promise");
  return result;
}

/** Whether a value was made by `html`, and not by whoever filled in a form. */
export function isHtml(value: unknown): value is Html {
  return value instanceof String && "isEscaped" in value;
}

/** A name or an address inside a sentence: escaped, and its writing direction kept to itself. */
export function bdi(text: string): Html {
  return html`<bdi>${text}</bdi>`;
}

/** The pieces one after the other. */
export function joinHtml(pieces: readonly Child[]): Html {
  return html`${pieces}`;
}
