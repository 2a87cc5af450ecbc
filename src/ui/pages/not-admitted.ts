/** Profiles are linked, but none opens this portal: the reason for each, and every way on. */

import {
  alternatives,
  backToPortal,
  contactInline,
  eyebrow,
  linkTo,
  membershipLines,
  webLink,
} from "../components.ts";
import { formatLastDay } from "../format.ts";
import { bdi, type Html, html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { NotAdmittedPage, RefusalReason, Site } from "../views.ts";

type Refusal = NotAdmittedPage["refusals"][number];

export function notAdmitted(site: Site, view: NotAdmittedPage): string {
  const t = messages(site.locale);
  const values = { count: view.refusals.length, portal: view.portal.name };
  const body = html`${eyebrow(site, view.portal)}
<h1>${t.html("notAdmitted.title", values)}</h1>
<p class="lead">${t.html("notAdmitted.lead", values)}</p>
<ul class="cards">
${view.refusals.map((refusal) => card(site, view, refusal))}
</ul>
<h2>${t.text("common.whatToDo")}</h2>
<ul>
<li>${t.html("notAdmitted.askSupport", { contact: contactInline(site) })}</li>
<li>${t.html("notAdmitted.linkAnother", { link: linkTo(view.linkAnotherUrl) })}</li>
${view.signedInAs.useAnotherAction !== null && html`<li>${t.text("notAdmitted.useAnother")}</li>`}
</ul>
<p>${t.html("notAdmitted.back", { portal: view.portal.name })}</p>
${backToPortal(site, view.portal, view.back)}`;
  return renderPage(site, {
    heading: t.text("notAdmitted.title", values),
    signedIn: { as: view.signedInAs, csrfToken: view.csrfToken },
    body,
  });
}

function card(site: Site, view: NotAdmittedPage, refusal: Refusal): Html {
  const t = messages(site.locale);
  const opens = refusal.opens.map(({ homeUrl, name }) => webLink(homeUrl, bdi(name)));
  return html`<li class="membership">${membershipLines(site, refusal)}
<ul class="reasons">
${refusal.reasons.map((reason) => html`<li>${explain(site, view, refusal, reason)}</li>`)}
</ul>
<p class="small">${
    opens.length === 0
      ? t.text("notAdmitted.opensNothing")
      : t.html("notAdmitted.opens", { portals: alternatives(site, opens, "conjunction") })
  }</p>
</li>`;
}

function explain(site: Site, view: NotAdmittedPage, refusal: Refusal, reason: RefusalReason): Html {
  const t = messages(site.locale);
  const values = { portal: view.portal.name, organization: refusal.organizationName };
  if (reason === "kind_not_admitted")
    return t.html(`notAdmitted.reason.kind_not_admitted.${refusal.kind}`, values);
  if (reason === "plan_expired" && refusal.planExpiredAt !== null) {
    return t.html("notAdmitted.reason.plan_expired_at", {
      ...values,
      date: formatLastDay(site, refusal.planExpiredAt),
    });
  }
  return t.html(`notAdmitted.reason.${reason}`, values);
}
