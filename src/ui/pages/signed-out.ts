/** Signed out here, and perhaps not yet at the upstream. */

import { alternatives, goToPortal } from "../components.ts";
import { bdi, html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { SignedOutPage, Site } from "../views.ts";

export function signedOut(site: Site, view: SignedOutPage): string {
  const t = messages(site.locale);
  const heading = t.text("signedOut.title");
  const upstreams = site.upstreams.map(({ name }) => bdi(name));
  const body = html`<h1>${heading}</h1>
<p class="lead">${t.html("signedOut.lead", { site: site.name })}</p>
${upstreams.length > 0 && html`<p>${t.html("signedOut.upstream", { upstreams: alternatives(site, upstreams) })}</p>`}
${goToPortal(site, view.portal)}`;
  return renderPage(site, { heading, body });
}
