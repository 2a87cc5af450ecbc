/** The frame of the administration's pages: where one is, who one is, the way out. */

import { csrfInput } from "../components.ts";
import { bdi, type Child, type Html, html } from "../html.ts";
import { emblem, renderDocument } from "../layout.ts";
import { messages } from "../messages.ts";
import type { Site } from "../views.ts";
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
  const links = frame.sections.map(
    (section) =>
      html`<li><a href="${sectionUrl(site, section)}"${section === page.section && html` aria-current="page"`}>${t.text(`admin.section.${section}`)}</a></li>`,
  );
  // Times in lists are short; their zone is named once.
  const showsTimes = html`${page.body}`.includes("<time datetime=");
  const body = html`<header class="console-top">
<div class="console-bar">
<a class="brand" href="${site.basePath}/admin">${emblem()}<span><bdi>${site.name}</bdi> <span class="console-word">${t.text("admin.word")}</span></span></a>
<div class="console-who">
<span>${bdi(frame.who)} <span class="facts-inline">${t.text(`admin.role.${frame.role}`)}</span></span>
<form method="post" action="${frame.signOut.action}">${csrfInput(frame.signOut.csrfToken)}<button class="link" type="submit">${t.text("admin.signOut")}</button></form>
</div>
</div>
<nav class="console-nav console-nav-wide" aria-label="${t.text("admin.navLabel")}"><ul>${links}</ul></nav>
<details class="console-nav console-nav-narrow"><summary>${t.text("admin.menu")}</summary><nav aria-label="${t.text("admin.navLabel")}"><ul>${links}</ul></nav></details>
</header>
<main id="main" tabindex="-1" class="console-main">
${page.back && html`<p class="console-back"><a href="${page.back.url}">${t.html("admin.backTo", { page: bdi(page.back.label) })}</a></p>`}
${frame.done !== null && html`<div class="done" role="status"><p>${frame.done}</p></div>`}
${page.body}
${showsTimes && html`<p class="hint console-zone">${t.text("admin.zone", { zone: site.timeZone })}</p>`}
</main>`;
  return renderDocument(site, title, body, "console");
}

export function sectionUrl(site: Pick<Site, "basePath">, section: ConsoleSection): string {
  return `${site.basePath}/admin${section === "overview" ? "" : `/${section}`}`;
}

/** A heading with what can be done about the page beside it. */
export function headed(heading: Child, ...actions: Child[]): Html {
  return html`<div class="console-head"><h1>${heading}</h1>${actions.length > 0 && html`<div class="console-actions">${actions}</div>`}</div>`;
}
