/**
 * Sign out, or out of the account that was used before. The form goes back to the provider, with its own
 * token.
 */

import { eyebrow, staysKnown, webLink } from "../components.ts";
import { type Html, html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { SignOutPage, Site } from "../views.ts";

export function signOut(site: Site, view: SignOutPage): string {
  const t = messages(site.locale);
  const { purpose, automatic } = view;
  const heading = t.text(`signOut.${purpose}.title`);
  const submit = html`name="logout" value="yes">${t.text(`signOut.${purpose}.submit`)}`;
  const body = html`${purpose === "switch_account" && eyebrow(site, view.portal)}
<h1>${heading}</h1>
<p class="lead">${t.html(`signOut.${purpose}.lead`, { site: site.name })}</p>
${explanation(site, view)}
${automatic && html`<p role="status">${t.text(`signOut.${purpose}.automatic`)}</p>`}
<form method="post" action="${view.form.action}"${automatic && html` data-auto-submit`}>
<input type="hidden" name="xsrf" value="${view.form.xsrf}">
<p class="actions"><button class="button button-primary" type="submit" ${submit}</button></p>
</form>
${
  purpose === "sign_out" &&
  view.portal !== null &&
  !automatic &&
  html`<p>${webLink(view.portal.homeUrl, t.html("signOut.stay", { portal: view.portal.name }))}</p>`
}
${purpose !== "switch_account" && staysKnown(site, view.staysKnown)}`;
  return renderPage(site, { heading, body });
}

function explanation(site: Site, { purpose, portal }: SignOutPage): Html | null {
  const t = messages(site.locale);
  switch (purpose) {
    case "sign_out":
      return null;
    case "nothing_left":
      return portal === null ? null : html`<p>${t.html("signOut.back", { portal: portal.name })}</p>`;
    case "switch_account":
      return html`<p>${t.html("signOut.before", { site: site.name })}</p>`;
  }
}
