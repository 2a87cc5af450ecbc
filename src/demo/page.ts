/**
 * How every page of the demo's own sites is made: the consumer identity provider, the portals and the inbox.
 * Auto-escaping templates, one stylesheet, a strict content security policy. The broker's pages are src/ui's
 * and share nothing with these.
 */

import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import type { ParameterizedContext } from "koa";
import { stylesheet } from "./style.ts";

export type Markup = ReturnType<typeof html>;
export { html };

/** Whose page it is: decides the look, so that a newcomer sees where they are. */
export type Look = "fabrikam" | "customersource" | "partnersource" | "inbox";

export interface Page {
  look: Look;
  /** The site's name, in the header and behind the title. */
  site: string;
  /** One line under the site's name. */
  tagline: string;
  title: string;
  nav?: { href: string; label: string }[];
  body: Markup;
  /** Inline script; the page must work without it. */
  script?: string;
  status?: number;
}

const styleHash = sourceHash(stylesheet);

function sourceHash(source: string): string {
  return `'sha256-${createHash("sha256").update(source).digest("base64")}'`;
}

/**
 * Sends a page. Its policy names the hashes of the one stylesheet and the page's own script, and frames of
 * this site.
 */
export function sendPage(ctx: ParameterizedContext, page: Page): void {
  const scripts =
    page.script === undefined ? "" : ` script-src ${sourceHash(page.script)}; connect-src 'self';`;
  ctx.status = page.status ?? 200;
  ctx.set({
    "Content-Security-Policy":
      `default-src 'none'; img-src data:; style-src ${styleHash};${scripts} frame-src 'self'; base-uri ` +
      "'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
  });
  ctx.type = "html";
  ctx.body = String(layout(page));
}

function layout(page: Page): Markup {
  const links = page.nav?.map((link) => html`<li><a href="${link.href}">${link.label}</a></li>`);
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${page.title} – ${page.site}</title>
    <link rel="icon" href="data:,">
    <style>${raw(stylesheet)}</style>
    ${page.script === undefined ? "" : html`<script defer>${raw(page.script)}</script>`}
  </head>
  <body class="${page.look}">
    <header>
      <div class="bar">
        <p class="brand"><a href="/">${page.site}</a> <span>${page.tagline}</span></p>
        ${links === undefined ? "" : html`<nav aria-label="Site"><ul>${links}</ul></nav>`}
      </div>
    </header>
    <main>${page.body}</main>
    <footer><p>${page.site} is part of the Liaison demo. It runs on this computer only; every name in it is
      invented.</p></footer>
  </body>
</html>`;
}

/** A labelled text field. `invalid` carries the message that belongs to it. */
export function field(options: {
  name: string;
  label: string;
  value?: string;
  type?: "text" | "email" | "password";
  autocomplete: string;
  hint?: string;
  focus?: boolean;
}): Markup {
  const { type = "text" } = options;
  const hintId = `${options.name}-hint`;
  const describedBy = options.hint === undefined ? "" : html`aria-describedby="${hintId}"`;
  return html`<div class="field">
    <label for="${options.name}">${options.label}</label>
    ${options.hint === undefined ? "" : html`<p class="hint" id="${hintId}">${options.hint}</p>`}
    <input id="${options.name}" name="${options.name}" type="${type}" value="${options.value ?? ""}"
      autocomplete="${options.autocomplete}" autocapitalize="none" spellcheck="false" required
      ${options.focus ? html`autofocus` : ""} ${describedBy}>
  </div>`;
}

/** A message above a form, read out as soon as the page appears. */
export function problem(message: string | undefined): Markup | string {
  return message === undefined ? "" : html`<p class="problem" role="alert">${message}</p>`;
}
