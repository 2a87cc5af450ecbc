/** The page that a mailed link opens. It changes nothing: it says what would be linked to whom, and asks. */

import {
  accountStop,
  backToPortal,
  buttonForm,
  codeText,
  contactInline,
  profileStop,
  rail,
  strongName,
} from "../components.ts";
import { formatInstant } from "../format.ts";
import { type Html, html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { LinkLandingPage, Site } from "../views.ts";

export function linkLanding(site: Site, view: LinkLandingPage): string {
  const t = messages(site.locale);
  const heading = t.text("landing.title");
  const { requester, membership } = view;
  const body = html`${cancelled(site, view)}
<h1>${heading}</h1>
<p class="lead">${t.text("landing.lead")}</p>
${rail("pending", [accountStop(site, t.text("landing.account"), requester), profileStop(site, membership)])}
<p>${t.html("landing.code", { code: codeText(view.code) })}</p>
<p>${t.html("landing.signInWith", { who: strongName(requester.who), upstream: requester.upstreamName })}
${t.text("landing.until", { date: formatInstant(site, view.expiresAt, view.now) })}</p>
<div class="actions">
${buttonForm(view.confirm, t.text("landing.confirm"), "primary")}
${buttonForm(view.decline, t.text("landing.decline"), "secondary")}
</div>
<p class="hint">${t.text("landing.both")}</p>
${back(site, view)}
<section class="ask" aria-labelledby="not-you">
<h2 id="not-you">${t.text("landing.notYou")}</h2>
<p>${t.text("landing.notYouText")} ${t.html("landing.notYouTell", { contact: contactInline(site) })}</p>
</section>`;
  return renderPage(site, { heading, body });
}

/** Back from the upstream with nothing. */
function cancelled(site: Site, { isCancelled, requester }: LinkLandingPage): Html | null {
  if (!isCancelled) return null;
  const t = messages(site.locale);
  return html`<div class="notice" role="alert" tabindex="-1" data-focus>
<h2>${t.text("landing.cancelled")}</h2>
<p>${t.html("landing.cancelledText", { upstream: requester.upstreamName })}</p>
</div>`;
}

function back(site: Site, view: LinkLandingPage): Html | null {
  if (view.back === null) return null;
  const { portal, form } = view.back;
  return html`<p>${messages(site.locale).html("landing.back", { portal: portal.name })}</p>
${backToPortal(site, portal, form)}`;
}
