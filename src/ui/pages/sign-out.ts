/** Sign out? The form goes back to the provider, with its own token. */

import { webLink } from "../components.ts";
import { html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { SignOutPage, Site } from "../views.ts";

export function signOut(site: Site, view: SignOutPage): string {
  const t = messages(site.locale);
  const heading = t.text("signOut.title");
  const body = html`<h1>${heading}</h1>
<p class="lead">${t.html("signOut.lead", { site: site.name })}</p>
${view.automatic && html`<p role="status">${t.text("signOut.automatic")}</p>`}
<form method="post" action="${view.form.action}"${view.automatic && html` data-auto-submit`}>
<input type="hidden" name="xsrf" value="${view.form.xsrf}">
<p class="actions"><button class="button button-primary" type="submit" name="logout" value="yes">${t.text("signOut.submit")}</button></p>
</form>
${
  view.portal !== null &&
  !view.automatic &&
  html`<p>${webLink(view.portal.homeUrl, t.html("signOut.stay", { portal: view.portal.name }))}</p>`
}`;
  return renderPage(site, { heading, body });
}
