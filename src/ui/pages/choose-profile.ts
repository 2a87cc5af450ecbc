/** Several profiles open the portal: one question, which of them to use. */

import { csrfInput, errorSummary, eyebrow, fieldError, membershipLines } from "../components.ts";
import { type Html, html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { ChooseProfilePage, Site } from "../views.ts";

const field = "profile_id";

export function chooseProfile(site: Site, view: ChooseProfilePage): string {
  const t = messages(site.locale);
  const heading = t.text("chooseProfile.title");
  const error = fieldError(site, view.errors, field);
  const why = whyAsked(site, view);
  const describedBy = [why && `${field}-why`, `${field}-hint`, error && `${field}-error`]
    .filter(Boolean)
    .join(" ");
  const radio = ({ profileId }: ChooseProfilePage["choices"][number], index: number) => {
    const checked = profileId === view.selectedProfileId && html` checked`;
    return html`<input id="${radioId(index)}" type="radio" name="${field}" value="${profileId}"${checked}>`;
  };
  const submit = t.text("chooseProfile.submit");
  const body = html`${errorSummary(site, view.errors)}
${eyebrow(site, view.portal)}
<form method="post" action="${view.form.action}" novalidate>
${csrfInput(view.form.csrfToken)}
<fieldset class="field${error === null ? "" : " field-wrong"}" aria-describedby="${describedBy}">
<legend><h1>${heading}</h1></legend>
${why && html`<p id="${field}-why">${why}</p>`}
<p class="hint" id="${field}-hint">${t.text("chooseProfile.hint")}</p>
${error}
<div class="radios">
${view.choices.map(
  (choice, index) => html`<label class="radio" for="${radioId(index)}">
${radio(choice, index)}
<span class="membership">${membershipLines(site, choice)}
${mark(site, view, choice.profileId)}</span>
</label>`,
)}
</div>
</fieldset>
<p class="actions"><button class="button button-primary" type="submit">${submit}</button></p>
</form>
<p><a href="${view.linkAnotherUrl}">${t.text("common.linkAnother")}</a></p>`;
  return renderPage(site, {
    heading,
    error: view.errors.length > 0,
    signedIn: { as: view.signedInAs, csrfToken: view.form.csrfToken },
    body,
  });
}

/** Why somebody is asked who has chosen before. */
function whyAsked(
  site: Site,
  { portal, choices, currentProfileId, hintedProfileId }: ChooseProfilePage,
): Html | null {
  const t = messages(site.locale);
  if (currentProfileId === null) return null;
  const isChoice = choices.some(({ profileId }) => profileId === currentProfileId);
  if (!isChoice) return t.html("chooseProfile.lost", { portal: portal.name });
  return hintedProfileId === null ? null : t.html("chooseProfile.hinted", { portal: portal.name });
}

/** The hint is the request's, and anybody's link can make one: nothing here says that the portal wants it. */
function mark(site: Site, view: ChooseProfilePage, profileId: string): Html | null {
  const t = messages(site.locale);
  const { currentProfileId, hintedProfileId } = view;
  if (profileId === currentProfileId)
    return html`<span class="mark">${t.text("chooseProfile.current")}</span>`;
  if (profileId !== hintedProfileId) return null;
  return html`<span class="mark">${t.text("chooseProfile.hintedOne")}</span>`;
}

/** The first one bears the field's name, so that the error summary leads to it. */
function radioId(index: number): string {
  return index === 0 ? field : `${field}-${index + 1}`;
}
