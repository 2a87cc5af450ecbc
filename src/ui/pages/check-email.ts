/**
 * Check your email: the same for every address, which is shown in the browser that typed it. What may be said
 * of a link that was declined is decided where the page is filled. Complete without a script; with one it
 * counts down and goes on by itself. What the script says stands in `data-` attributes, so that all texts
 * stay in the catalogue.
 */

import {
  askAgainWait,
  codeText,
  contactInline,
  csrfInput,
  eyebrow,
  membershipLines,
  problemSummary,
} from "../components.ts";
import { formatInstant, formatMinutes } from "../format.ts";
import { bdi, type Html, html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { CheckEmailPage, Site } from "../views.ts";

const resendId = "resend";

export function checkEmail(site: Site, view: CheckEmailPage): string {
  const t = messages(site.locale);
  const heading = t.text("checkEmail.title");
  const problems = view.askedTooSoon ? [{ target: resendId, text: t.text("checkEmail.tooSoon") }] : [];
  const body = html`${problemSummary(site, problems)}
${declined(site, view)}
${linkedMeanwhile(site, view)}
${eyebrow(site, view.portal)}
<h1>${heading}</h1>
<p class="lead">${t.text(view.heldUntil === null && view.lookedAtBy === null ? "checkEmail.lead" : "checkEmail.leadHeld")}</p>
${waits(site, view)}
<p>${t.text("checkEmail.open")}</p>
<dl class="facts-list">
${view.address !== null && html`<div><dt>${t.text("checkEmail.address")}</dt><dd>${bdi(view.address)}</dd></div>`}
${view.code !== null && html`<div><dt>${t.text("checkEmail.code")}</dt><dd>${t.html("checkEmail.codeText", { code: codeText(view.code) })}</dd></div>`}
<div><dt>${t.text("checkEmail.sender")}</dt><dd>${bdi(view.senderAddress)}</dd></div>
<div><dt>${t.text("checkEmail.lifetime")}</dt><dd>${formatMinutes(site.locale, view.linkLifetimeMinutes)}</dd></div>
<div><dt>${t.text("checkEmail.count")}</dt><dd>${t.text("checkEmail.countText")}</dd></div>
</dl>
<p class="status" role="status" data-poll="${view.statusUrl}" data-continue="${view.continueUrl}" data-page="${view.waitingUrl}"${view.isDeclined && html` data-declined`} data-waiting="${t.text(view.isDeclined ? "checkEmail.waitingDeclined" : "checkEmail.waiting")}" data-going="${t.text("checkEmail.going")}" data-linked="${t.text("checkEmail.pollLinked", { profiles: "{profiles}" })}"></p>
<p><a class="onward" href="${view.continueUrl}">${t.text("checkEmail.opened")}</a></p>
<section class="ask" aria-labelledby="trouble">
<h2 id="trouble">${t.text("checkEmail.trouble")}</h2>
<ul>
<li>${t.text("checkEmail.changedMind")}</li>
<li>${t.text("checkEmail.dropIt")}</li>
<li>${t.text("checkEmail.spam")}</li>
<li>${t.text("checkEmail.busy")}</li>
<li>${t.html("checkEmail.other", { link: (content) => html`<a href="${view.useAnotherAddressUrl}">${content}</a>` })}</li>
<li>${t.html("checkEmail.ask", { contact: contactInline(site) })}</li>
</ul>
${resend(site, view)}
</section>`;
  return renderPage(site, {
    heading,
    error: view.askedTooSoon,
    signedIn: { as: view.signedInAs, csrfToken: view.resend.csrfToken },
    body,
  });
}

/** A link of this request was declined, in this browser or by whoever asked. */
function declined(site: Site, view: CheckEmailPage): Html | null {
  if (!view.isDeclined) return null;
  const t = messages(site.locale);
  return html`<div class="notice">
<h2>${t.text("checkEmail.declinedTitle")}</h2>
<p>${t.text("checkEmail.declinedText")}</p>
</div>`;
}

/** That this person's own requests keep it waiting, and for how long. What others do is never said. */
function waits(site: Site, { heldUntil, lookedAtBy, now }: CheckEmailPage): Html | null {
  const t = messages(site.locale);
  if (heldUntil !== null) {
    return html`<p class="inset">${t.text("checkEmail.held", { date: formatInstant(site, heldUntil, now) })}</p>`;
  }
  if (lookedAtBy === null) return null;
  return html`<p class="inset">${t.text("checkEmail.lookedAtBy", { date: formatInstant(site, lookedAtBy, now) })}</p>`;
}

function resend(site: Site, view: CheckEmailPage): Html {
  const t = messages(site.locale);
  return html`<form class="resend" method="post" action="${view.resend.action}">
${csrfInput(view.resend.csrfToken)}
<button class="button button-secondary" type="submit" id="${resendId}" aria-describedby="resend-when">${t.text("checkEmail.again")}</button>
<span class="hint" id="resend-when">${askAgainWait(site, view.resendInSeconds)}</span>
</form>`;
}

/** Something was linked, but nothing that opens the portal the person wants. */
function linkedMeanwhile(site: Site, view: CheckEmailPage): Html | null {
  const t = messages(site.locale);
  const count = view.linkedMeanwhile.length;
  if (count === 0) return null;
  return html`<div class="notice">
<h2>${t.text("checkEmail.linkedTitle", { count })}</h2>
<ul class="cards">
${view.linkedMeanwhile.map((membership) => html`<li class="membership">${membershipLines(site, membership)}</li>`)}
</ul>
<p>${
    view.portal === null
      ? t.text("checkEmail.linkedTextNoPortal")
      : t.html("checkEmail.linkedText", { count, portal: view.portal.name })
  }</p>
${
  view.portal !== null &&
  view.whyNotUrl !== null &&
  html`<p><a href="${view.whyNotUrl}">${t.html("checkEmail.whyNot", { count, portal: view.portal.name })}</a></p>`
}
</div>`;
}
