/**
 * An expired, finished, bookmarked or foreign sign-in, or a browser that keeps no cookies: how to begin
 * again.
 */

import { goToPortal, startAgain, whomToAsk } from "../components.ts";
import { html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { SignInLostPage, Site } from "../views.ts";

export function signInLost(site: Site, view: SignInLostPage): string {
  const t = messages(site.locale);
  const heading = t.text(`signInLost.${view.reason}.title`);
  const body = html`<h1>${heading}</h1>
<p class="lead">${t.text(`signInLost.${view.reason}.why`)}</p>
<h2>${t.text("common.whatToDo")}</h2>
<p>${t.text(`signInLost.${view.reason}.do`)}</p>
${view.reason === "already_finished" ? goToPortal(site, view.portal) : startAgain(site, view.portal)}
${whomToAsk(site)}`;
  return renderPage(site, { heading, body });
}
