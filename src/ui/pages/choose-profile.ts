/** Several profiles open the portal: one question, which of them to use. */

import { csrfInput, errorSummary, eyebrow, fieldError, membershipLines, signedInStrip } from "../components.ts";
import { html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { ChooseProfilePage, Site } from "../views.ts";

const field = "profile_id";

export function chooseProfile(site: Site, view: ChooseProfilePage): string {
  const t = messages(site.locale);
  const heading = t.text("chooseProfile.title");
  const error = fieldError(site, view.errors, field);
  const body = html`${errorSummary(site, view.errors)}
${eyebrow(site, view.portal)}
<form method="post" action="${view.form.action}" novalidate>
${csrfInput(view.form.csrfToken)}
<fieldset class="field${error === null ? "" : " field-wrong"}" aria-describedby="${field}-hint${error === null ? "" : ` ${field}-error`}">
<legend><h1>${heading}</h1></legend>
<p class="hint" id="${field}-hint">${t.text("chooseProfile.hint")}</p>
${error}
<div class="radios">
${view.choices.map(
  (choice, index) => html`<label class="radio" for="${radioId(index)}">
<input id="${radioId(index)}" type="radio" name="${field}" value="${choice.profileId}"${choice.profileId === view.selectedProfileId && html` checked`}>
<span class="membership">${membershipLines(site, choice)}</span>
</label>`,
)}
</div>
</fieldset>
<p class="actions"><button class="button button-primary" type="submit">${t.text("chooseProfile.submit")}</button></p>
</form>
<p><a href="${view.linkAnotherUrl}">${t.text("common.linkAnother")}</a></p>`;
  return renderPage(site, {
    heading,
    error: view.errors.length > 0,
    signedIn: signedInStrip(site, view.signedInAs, view.form.csrfToken),
    body,
  });
}

/** The first one bears the field's name, so that the error summary leads to it. */
function radioId(index: number): string {
  return index === 0 ? field : `${field}-${index + 1}`;
}
