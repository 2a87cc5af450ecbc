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
  linkTo,
  membershipLines,
  problemSummary,
} from "../components.ts";
import { formatInstant, formatMinutes } from "../format.ts";
import { bdi, type Child, type Html, html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { CheckEmailPage, Site } from "../views.ts";

const resendId = "resend";

export function checkEmail(site: Site, view: CheckEmailPage): string {
  const t = messages(site.locale);
  const heading = t.text("checkEmail.title");
  const problems = view.askedTooSoon ? [{ target: resendId, text: t.text("checkEmail.tooSoon") }] : [];
  const isThrottled = view.heldUntil !== null || view.lookedAtBy !== null;
  const body = html`${problemSummary(site, problems)}
${declined(site, view)}
${linkedMeanwhile(site, view)}
${eyebrow(site, view.portal)}
<h1>${heading}</h1>
<p class="lead">${t.text(isThrottled ? "checkEmail.leadHeld" : "checkEmail.lead")}</p>
${waits(site, view)}
<p>${t.text("checkEmail.open")}</p>
${mailFacts(site, view)}
<p class="status" role="status"${pollingData(site, view)}></p>
<p><a class="onward" href="${view.continueUrl}">${t.text("checkEmail.opened")}</a></p>
<section class="ask" aria-labelledby="trouble">
<h2 id="trouble">${t.text("checkEmail.trouble")}</h2>
<ul>
<li>${t.text("checkEmail.changedMind")}</li>
<li>${t.text("checkEmail.dropIt")}</li>
<li>${t.text("checkEmail.spam")}</li>
<li>${t.text("checkEmail.busy")}</li>
<li>${t.html("checkEmail.other", { link: linkTo(view.useAnotherAddressUrl) })}</li>
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

/** What there is to know of the mails: to whom they go, what tells them from others, how long they last. */
function mailFacts(site: Site, view: CheckEmailPage): Html {
  const t = messages(site.locale);
  const { address, code, senderAddress } = view;
  const line = (term: string, fact: Child) => html`<div><dt>${term}</dt><dd>${fact}</dd></div>`;
  const codeFact = code !== null && t.html("checkEmail.codeText", { code: codeText(code) });
  const lifetime = formatMinutes(site.locale, view.linkLifetimeMinutes);
  return html`<dl class="facts-list">
${address !== null && line(t.text("checkEmail.address"), bdi(address))}
${codeFact && line(t.text("checkEmail.code"), codeFact)}
${line(t.text("checkEmail.sender"), bdi(senderAddress))}
${line(t.text("checkEmail.lifetime"), lifetime)}
${line(t.text("checkEmail.count"), t.text("checkEmail.countText"))}
</dl>`;
}

/** What the script needs to ask whether a link was opened, and to say so. */
function pollingData(site: Site, view: CheckEmailPage): Html[] {
  const t = messages(site.locale);
  const waiting = t.text(view.isDeclined ? "checkEmail.waitingDeclined" : "checkEmail.waiting");
  const linked = t.text("checkEmail.pollLinked", { profiles: "{profiles}" });
  return [
    html` data-poll="${view.statusUrl}" data-continue="${view.continueUrl}" data-page="${view.waitingUrl}"`,
    html`${view.isDeclined && html` data-declined`} data-waiting="${waiting}"`,
    html` data-going="${t.text("checkEmail.going")}" data-linked="${linked}"`,
  ];
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
    const date = formatInstant(site, heldUntil, now);
    return html`<p class="inset">${t.text("checkEmail.held", { date })}</p>`;
  }
  if (lookedAtBy === null) return null;
  const date = formatInstant(site, lookedAtBy, now);
  return html`<p class="inset">${t.text("checkEmail.lookedAtBy", { date })}</p>`;
}

function resend(site: Site, view: CheckEmailPage): Html {
  const t = messages(site.locale);
  const button = html`id="${resendId}" aria-describedby="resend-when"`;
  return html`<form class="resend" method="post" action="${view.resend.action}">
${csrfInput(view.resend.csrfToken)}
<button class="button button-secondary" type="submit" ${button}>${t.text("checkEmail.again")}</button>
<span class="hint" id="resend-when">${askAgainWait(site, view.resendInSeconds)}</span>
</form>`;
}

/** Something was linked, but nothing that opens the portal the person wants. */
function linkedMeanwhile(site: Site, view: CheckEmailPage): Html | null {
  const t = messages(site.locale);
  const count = view.linkedMeanwhile.length;
  if (count === 0) return null;
  const cards = view.linkedMeanwhile.map(
    (membership) => html`<li class="membership">${membershipLines(site, membership)}</li>`,
  );
  const whyNot = view.portal && t.html("checkEmail.whyNot", { count, portal: view.portal.name });
  return html`<div class="notice">
<h2>${t.text("checkEmail.linkedTitle", { count })}</h2>
<ul class="cards">
${cards}
</ul>
<p>${
    view.portal === null
      ? t.text("checkEmail.linkedTextNoPortal")
      : t.html("checkEmail.linkedText", { count, portal: view.portal.name })
  }</p>
${whyNot && view.whyNotUrl !== null && html`<p><a href="${view.whyNotUrl}">${whyNot}</a></p>`}
</div>`;
}
