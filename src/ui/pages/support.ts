/**
 * A message to the deployment's support, from somebody who doesn't know their registered address. It confirms
 * nothing.
 */

import {
  codeText,
  contactInline,
  csrfInput,
  errorSummary,
  eyebrow,
  fieldError,
  goToPortal,
  problemSummary,
} from "../components.ts";
import { formatInstant } from "../format.ts";
import { type Html, html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { Site, SupportField, SupportPage, SupportSentPage } from "../views.ts";

export function support(site: Site, view: SupportPage): string {
  const t = messages(site.locale);
  const heading = t.text("support.title");
  const { full } = view;
  const fullText =
    full === null
      ? null
      : full.until === null
        ? t.text("support.fullHere")
        : t.text("support.full", { date: formatInstant(site, full.until, view.now) });
  const problems =
    fullText === null
      ? errorSummary(site, view.errors)
      : problemSummary(site, [{ target: "send", text: fullText }]);
  const { message } = view.values;
  const textArea = (attributes: Html) =>
    html`<textarea class="input" ${attributes} rows="5" maxlength="2000" dir="auto">${message}</textarea>`;
  const submit = t.text("support.submit");
  const body = html`${problems}
${eyebrow(site, view.portal)}
<h1>${heading}</h1>
<p class="lead">${t.text("support.lead")}</p>
<p>${t.html("support.instead", { contact: contactInline(site) })}</p>
<form method="post" action="${view.form.action}" novalidate>
${csrfInput(view.form.csrfToken)}
${textField(site, view, "name", html` autocomplete="name"`)}
${textField(site, view, "organization", html` autocomplete="organization"`)}
${textField(site, view, "account_number", html` autocomplete="off" spellcheck="false"`)}
${field(site, view, "message", textArea)}
<p class="actions"><button class="button button-primary" type="submit" id="send">${submit}</button></p>
</form>
<p><a href="${view.backUrl}">${t.text("support.back")}</a></p>`;
  return renderPage(site, {
    heading,
    error: view.errors.length > 0 || full !== null,
    signedIn: { as: view.signedInAs, csrfToken: view.form.csrfToken },
    body,
  });
}

export function supportSent(site: Site, view: SupportSentPage): string {
  const t = messages(site.locale);
  const heading = t.text("support.sentTitle");
  const body = html`<h1>${heading}</h1>
<p class="lead">${t.text("support.sentLead")}</p>
<p>${t.html("support.reference", { reference: codeText(view.reference) })}</p>
<p>${t.text("support.sentNext")}</p>
<p><a class="onward" href="${view.backUrl}">${t.text("support.back")}</a></p>
${goToPortal(site, view.portal)}`;
  return renderPage(site, { heading, body });
}

function textField(site: Site, view: SupportPage, name: SupportField, attributes: Html): Html {
  const typing = html`type="text"${attributes} maxlength="200" dir="auto" value="${view.values[name]}"`;
  return field(site, view, name, (own) => html`<input class="input" ${own} ${typing}>`);
}

/** A field with its label, its hint and what is wrong with it. */
function field(site: Site, view: SupportPage, name: SupportField, control: (attributes: Html) => Html): Html {
  const t = messages(site.locale);
  const error = fieldError(site, view.errors, name);
  const described = `${name}-hint${error === null ? "" : ` ${name}-error`}`;
  const invalid = error !== null && html` aria-invalid="true"`;
  const attributes = html`id="${name}" name="${name}" aria-describedby="${described}"${invalid}`;
  return html`<div class="field${error === null ? "" : " field-wrong"}">
<label for="${name}">${t.text(`support.${name}`)}</label>
<p class="hint" id="${name}-hint">${t.text(`support.${name}.hint`)}</p>
${error}
${control(attributes)}
</div>`;
}
