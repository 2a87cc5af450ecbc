/** The frame of the administration's pages: where one is, who one is, the way out. */

import { csrfInput } from "../components.ts";
import { bdi, type Child, type Html, html } from "../html.ts";
import { emblem, renderDocument } from "../layout.ts";
import { messages } from "../messages.ts";
import type { Site } from "../views.ts";
import { doneNotice } from "./components.ts";
import type { ConsoleFrame, ConsoleSection } from "./views.ts";

export interface ConsolePage {
  /** Null for a page of none. */
  section: ConsoleSection | null;
  /** The h1 as characters. */
  heading: string;
  /** The page came back with an error. */
  error?: boolean;
  /** The page above this one. */
  back?: { url: string; label: string };
  body: Child;
}

/** A whole HTML document. */
export function renderConsole(site: Site, frame: ConsoleFrame, page: ConsolePage): string {
  const t = messages(site.locale);
  const heading = page.heading;
  const title = t.text(page.error ? "admin.titleError" : "admin.title", { heading, site: site.name });
  const links = frame.sections.map((section) => {
    const current = section === page.section && html` aria-current="page"`;
    const label = t.text(`admin.section.${section}`);
    return html`<li><a href="${sectionUrl(site, section)}"${current}>${label}</a></li>`;
  });
  const word = html`<span class="console-word">${t.text("admin.word")}</span>`;
  const nav = html`<nav aria-label="${t.text("admin.navLabel")}"><ul>${links}</ul></nav>`;
  const { action, csrfToken } = frame.signOut;
  const signOut = html`<button class="link" type="submit">${t.text("admin.signOut")}</button>`;
  // Times in lists are short; their zone is named once.
  const showsTimes = html`${page.body}`.includes("<time datetime=");
  const zone = html`<p class="hint console-zone">${t.text("admin.zone", { zone: site.timeZone })}</p>`;
  const body = html`<header class="console-top">
<div class="console-bar">
<a class="brand" href="${site.basePath}/admin">${emblem()}<span><bdi>${site.name}</bdi> ${word}</span></a>
<div class="console-who">
<span>${bdi(frame.who)} <span class="facts-inline">${t.text(`admin.role.${frame.role}`)}</span></span>
<form method="post" action="${action}">${csrfInput(csrfToken)}${signOut}</form>
</div>
</div>
<nav class="console-nav console-nav-wide" aria-label="${t.text("admin.navLabel")}"><ul>${links}</ul></nav>
<details class="console-nav console-nav-narrow"><summary>${t.text("admin.menu")}</summary>${nav}</details>
</header>
<main id="main" tabindex="-1" class="console-main">
${page.back && backLink(site, page.back)}
${frame.done !== null && doneNotice(frame.done)}
${page.body}
${showsTimes && zone}
</main>`;
  return renderDocument(site, title, body, "console");
}

function backLink(site: Site, { url, label }: NonNullable<ConsolePage["back"]>): Html {
  const text = messages(site.locale).html("admin.backTo", { page: bdi(label) });
  return html`<p class="console-back"><a href="${url}">${text}</a></p>`;
}

export function sectionUrl(site: Pick<Site, "basePath">, section: ConsoleSection): string {
  return `${site.basePath}/admin${section === "overview" ? "" : `/${section}`}`;
}

/** A heading with what can be done about the page beside it. */
export function headed(heading: Child, ...actions: Child[]): Html {
  const beside = actions.length > 0 && html`<div class="console-actions">${actions}</div>`;
  return html`<div class="console-head"><h1>${heading}</h1>${beside}</div>`;
}
