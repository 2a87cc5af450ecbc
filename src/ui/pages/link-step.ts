/** The link step: one question, the email address registered with the organization. */

import {
  askAgainWait,
  contactInline,
  csrfInput,
  errorSummary,
  eyebrow,
  fieldError,
  linkTo,
  problemSummary,
} from "../components.ts";
import { type Html, html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { LinkStepPage, Site } from "../views.ts";

const field = "email";
const submitId = "submit";

export function linkStep(site: Site, view: LinkStepPage): string {
  const t = messages(site.locale);
  const heading = t.text("linkStep.title");
  const error = fieldError(site, view.errors, field);
  const isTooSoon = view.askAgainInSeconds !== null;
  const problems = isTooSoon ? [{ target: submitId, text: t.text("checkEmail.tooSoon") }] : [];
  const describedBy = html`aria-describedby="${field}-hint${error === null ? "" : ` ${field}-error`}"`;
  const typing = [
    html`inputmode="email" autocomplete="email" autocapitalize="none" spellcheck="false" dir="auto" required`,
    html` value="${view.value}" ${describedBy}${error !== null && html` aria-invalid="true"`}`,
  ];
  const submitting = html`id="${submitId}"${isTooSoon && html` aria-describedby="again-when"`}`;
  const submit = t.text("linkStep.submit");
  const body = html`${isTooSoon ? problemSummary(site, problems) : errorSummary(site, view.errors)}
${eyebrow(site, view.portal)}
<form method="post" action="${view.form.action}" novalidate>
${csrfInput(view.form.csrfToken)}
<h1><label for="${field}">${heading}</label></h1>
<p class="lead">${
    view.portal === null
      ? t.text("linkStep.leadNoPortal")
      : t.html("linkStep.lead", { portal: view.portal.name })
  }</p>
<div class="field${error === null ? "" : " field-wrong"}">
<p class="hint" id="${field}-hint">${t.text("linkStep.hint")}</p>
${error}
<input class="input" id="${field}" name="${field}" type="email" ${typing}>
</div>
<p class="actions"><button class="button button-primary" type="submit" ${submitting}>${submit}</button></p>
${againWhen(site, view)}
</form>
${helpPanel(site, view)}`;
  return renderPage(site, {
    heading,
    error: isTooSoon || view.errors.length > 0,
    signedIn: { as: view.signedInAs, csrfToken: view.form.csrfToken },
    body,
  });
}

function againWhen(site: Site, { askAgainInSeconds }: LinkStepPage): Html | null {
  if (askAgainInSeconds === null) return null;
  const text = messages(site.locale).text("linkStep.tooSoon");
  return html`<p class="hint" id="again-when">${text} ${askAgainWait(site, askAgainInSeconds)}</p>`;
}

function helpPanel(site: Site, view: LinkStepPage): Html {
  const t = messages(site.locale);
  const { who, upstreamName } = view.signedInAs;
  const draft = {
    subject: t.text("linkStep.mailSubject"),
    body: t.text("linkStep.mailBody", { who, upstream: upstreamName }),
  };
  return html`<details>
<summary>${t.text("linkStep.help")}</summary>
<div class="inset">
<p>${t.html("linkStep.helpText", { contact: contactInline(site, draft) })}</p>
<ul>
<li>${t.text("linkStep.helpName")}</li>
<li>${t.text("linkStep.helpNumber")}</li>
</ul>
<p>${t.html("linkStep.helpForm", { link: linkTo(view.supportUrl) })}</p>
<p>${t.text("linkStep.helpAfter")}</p>
</div>
</details>`;
}
