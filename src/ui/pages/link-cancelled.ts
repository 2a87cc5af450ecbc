/** *Don't link* was carried out. */

import { contactInline, goToOpened } from "../components.ts";
import { html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { LinkCancelledPage, Site } from "../views.ts";

export function linkCancelled(site: Site, view: LinkCancelledPage): string {
  const t = messages(site.locale);
  const heading = t.text("linkCancelled.title");
  const { requester, membership } = view;
  const body = html`<h1>${heading}</h1>
<p class="lead">${t.html("linkCancelled.lead", {
    who: requester.who,
    upstream: requester.upstreamName,
    profile: membership.profileName,
    organization: membership.organizationName,
  })}</p>
<h2>${t.text("common.whatToDo")}</h2>
<ul>
<li>${t.html("linkCancelled.notYours", { contact: contactInline(site) })}</li>
<li>${t.text("linkCancelled.yours")}</li>
</ul>
${goToOpened(site, view.opens)}`;
  return renderPage(site, { heading, body });
}
