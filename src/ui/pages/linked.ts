/** The end of the link: which profile, and every portal it opens. */

import { contactInline, linkButton, profileStop, rail } from "../components.ts";
import { html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { LinkedPage, Site } from "../views.ts";

export function linked(site: Site, view: LinkedPage): string {
  const t = messages(site.locale);
  const heading = t.text("linked.title");
  const count = view.opens.length;
  const opens = view.opens.map(({ name, startUrl }, index) => {
    const label = t.html("common.continueTo", { portal: name });
    return html`<li>${linkButton(startUrl, label, index === 0 ? "primary" : "secondary")}</li>`;
  });
  const body = html`<h1>${heading}</h1>
<p class="lead">${t.text("linked.lead")}</p>
${rail("linked", [profileStop(site, view.membership)])}
${
  count === 0
    ? html`<p>${t.html("linked.opensNothing", { contact: contactInline(site) })}</p>`
    : html`<p>${t.text("linked.opens", { count })}</p>
<ul class="portals">
${opens}
</ul>`
}
<div class="aside">
<p>${t.text("linked.waiting")}</p>
<p>${t.text("linked.more")}</p>
</div>`;
  return renderPage(site, { heading, body });
}
