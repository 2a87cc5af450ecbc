/**
 * The frame of every page: head, landmarks, the card in the middle, the footer. What stands in the card is
 * pages/'s.
 */

import { iconPath, scriptPath, stylesheetPath } from "./assets.ts";
import { contactLinks, signedInStrip, useAnotherAccount } from "./components.ts";
import { bdi, type Child, html } from "./html.ts";
import { messages } from "./messages.ts";
import type { SignedInAs, Site } from "./views.ts";

export interface Frame {
  /** The h1 as characters: the title is made of it. The page writes the h1 itself. */
  heading: string;
  /** The page came back with an error: said in the title, which a screen reader reads first. */
  error?: boolean;
  /**
   * Who is signed in: named at the top of the card. The way to another account comes last, behind what the
   * page asks.
   */
  signedIn?: { as: SignedInAs; csrfToken: string };
  /** A page to be read and printed: more width. */
  wide?: boolean;
  body: Child;
}

/** A whole HTML document. */
export function renderPage(site: Site, frame: Frame): string {
  const t = messages(site.locale);
  const title = t.text(frame.error ? "common.titleError" : "common.title", {
    heading: frame.heading,
    site: site.name,
  });
  return renderDocument(
    site,
    title,
    html`<div class="page${frame.wide ? " page-wide" : ""}">
<header class="top">
<a class="brand" href="${site.basePath}/">${emblem()}<bdi>${site.name}</bdi></a>
</header>
<main id="main" tabindex="-1">
<div class="card">
${frame.signedIn && signedInStrip(site, frame.signedIn.as)}
<div class="card-body">
${frame.body}
</div>
${frame.signedIn && useAnotherAccount(site, frame.signedIn.as, frame.signedIn.csrfToken)}
</div>
</main>
<footer class="foot" aria-label="${t.text("common.footerLabel")}">
<p>${bdi(site.name)}</p>
<ul>
<li><a href="${site.basePath}/help">${t.text("common.help")}</a></li>
${contactLinks(site).map((link) => html`<li>${link}</li>`)}
</ul>
</footer>
</div>`,
  );
}

/**
 * The document around a page of ours. The body has an element `main`, which a keyboard's first link skips to.
 */
export function renderDocument(site: Site, title: string, body: Child, bodyClass?: string): string {
  const document = html`<!doctype html>
<html lang="${site.locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<link rel="stylesheet" href="${site.basePath}${stylesheetPath}">
<link rel="icon" type="image/svg+xml" href="${site.basePath}${iconPath}">
<script src="${site.basePath}${scriptPath}" defer></script>
</head>
<body${bodyClass !== undefined && html` class="${bodyClass}"`}>
<a class="skip" href="#main">${messages(site.locale).text("common.skip")}</a>
${body}
</body>
</html>
`;
  return document.toString();
}

/** Two accounts and what joins them. Decoration: the name stands beside it. */
export function emblem(): Child {
  const shapes = [
    html`<rect class="emblem-ground" width="32" height="32" rx="8"/>`,
    html`<path class="emblem-line" d="M12.5 19.5 19.5 12.5"/>`,
    html`<circle class="emblem-ring" cx="10" cy="22" r="4.25"/>`,
    html`<circle class="emblem-dot" cx="22" cy="10" r="5.5"/>`,
  ];
  const size = html`viewBox="0 0 32 32" width="32" height="32"`;
  return html`<svg class="emblem" ${size} aria-hidden="true" focusable="false">${shapes}</svg>`;
}
