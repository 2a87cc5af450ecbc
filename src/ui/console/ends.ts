/**
 * Pages of the administration for whom it doesn't open. In the frame of all other pages: there is no
 * administrator here.
 */

import { linkButton, staysKnown, whomToAsk } from "../components.ts";
import { html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { Site, StaysKnown } from "../views.ts";

export function notAdministrator(
  site: Site,
  view: { profileName: string; organizationName: string; anotherUrl: string },
): string {
  const t = messages(site.locale);
  const heading = t.text("admin.notAdministrator.title");
  const { profileName: profile, organizationName: organization } = view;
  const body = html`<h1>${heading}</h1>
<p class="lead">${t.html("admin.notAdministrator.why", { profile, organization })}</p>
<p>${t.text("admin.notAdministrator.do")}</p>
<p class="actions">${linkButton(view.anotherUrl, t.text("admin.notAdministrator.another"), "secondary")}</p>
${whomToAsk(site)}`;
  return renderPage(site, { heading, body });
}

export function consoleSignedOut(site: Site, view: { staysKnown: StaysKnown }): string {
  const t = messages(site.locale);
  const heading = t.text("admin.signedOut.title");
  const again = linkButton(`${site.basePath}/admin`, t.text("admin.signedOut.again"), "primary");
  const body = html`<h1>${heading}</h1>
<p class="lead">${t.html("admin.signedOut.lead", { site: site.name })}</p>
<p>${t.text("signedOut.next")}</p>
<p class="actions">${again}</p>
${staysKnown(site, view.staysKnown)}`;
  return renderPage(site, { heading, body });
}

export function consoleLost(site: Site): string {
  const t = messages(site.locale);
  const heading = t.text("admin.lost.title");
  const again = linkButton(`${site.basePath}/admin`, t.text("admin.lost.again"), "primary");
  const text = html`<h1>${heading}</h1><p class="lead">${t.text("admin.lost.why")}</p>`;
  const body = html`${text}<p class="actions">${again}</p>${whomToAsk(site)}`;
  return renderPage(site, { heading, body });
}
