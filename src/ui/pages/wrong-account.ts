/** Requested as A, signed in as B: nothing is linked, the link stays alive. */

import { accountStop, buttonForm, contactInline, rail, strongName } from "../components.ts";
import { html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { Site, WrongAccountPage } from "../views.ts";

export function wrongAccount(site: Site, view: WrongAccountPage): string {
  const t = messages(site.locale);
  const heading = t.text("wrongAccount.title");
  const { requester, signedInAs, membership } = view;
  const body = html`<h1>${heading}</h1>
<p class="lead">${t.text("wrongAccount.lead")}</p>
${rail("broken", [
  accountStop(site, t.text("wrongAccount.asked"), requester),
  accountStop(site, t.text("wrongAccount.used"), signedInAs),
])}
<p>${t.html("wrongAccount.do", {
    who: strongName(requester.who),
    upstream: requester.upstreamName,
    profile: membership.profileName,
    organization: membership.organizationName,
  })}</p>
<div class="actions">${buttonForm(view.retry, t.text("wrongAccount.retry"), "primary")}</div>
<section class="ask" aria-labelledby="else">
<h2 id="else">${t.text("common.whatToDo")}</h2>
<ul>
<li>${t.text("wrongAccount.wanted")}</li>
<li>${t.html("wrongAccount.notYours", { who: requester.who, contact: contactInline(site) })}</li>
</ul>
</section>`;
  return renderPage(site, { heading, body });
}
