/** Signed out here, and perhaps not yet at the upstream and at portals. */

import { goToPortal, staysKnown } from "../components.ts";
import { html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { SignedOutPage, Site } from "../views.ts";

export function signedOut(site: Site, view: SignedOutPage): string {
  const t = messages(site.locale);
  const heading = t.text("signedOut.title");
  const body = html`<h1>${heading}</h1>
<p class="lead">${t.html("signedOut.lead", { site: site.name })}</p>
<p>${t.text("signedOut.next")}</p>
${goToPortal(site, view.portal)}
${staysKnown(site, view.staysKnown)}`;
  return renderPage(site, { heading, body });
}
