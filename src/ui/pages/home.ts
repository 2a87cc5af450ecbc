/** "/": what this service is, and the ways on from here. */

import { linkButton, linkTo, webLink } from "../components.ts";
import { html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { Site } from "../views.ts";

export function home(site: Site): string {
  const t = messages(site.locale);
  const heading = t.text("home.title");
  const about = (url: string, name: string) =>
    html`<span class="small">${webLink(url, t.html("home.about", { portal: name }))}</span>`;
  const body = html`<h1>${heading}</h1>
<p class="lead">${t.html("home.lead", { site: site.name })}</p>
${
  site.portals.length > 0 &&
  html`<h2>${t.text("home.portals")}</h2>
<p>${t.text("home.portalsHint")}</p>
<ul class="portals">
${site.portals.map(
  ({ name, homeUrl, aboutUrl }) => html`<li>
${linkButton(homeUrl, t.html("common.goTo", { portal: name }), "secondary")}
${aboutUrl !== null && about(aboutUrl, name)}
</li>`,
)}
</ul>`
}
<p>${t.html("home.helpLead", { link: linkTo(`${site.basePath}/help`) })}</p>`;
  return renderPage(site, { heading, body });
}
