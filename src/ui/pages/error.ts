/** The generic end: also what an OAuth error looks like when there is no way back to the portal. */

import { linkButton, startAgain, whomToAsk } from "../components.ts";
import { formatSeconds } from "../format.ts";
import { bdi, type Html, html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { ErrorPage, Site } from "../views.ts";

export function error(site: Site, view: ErrorPage): string {
  const t = messages(site.locale);
  const { kind, portal } = view;
  const named = kind === "portal_mistake" && portal !== null ? { portal: portal.name } : null;
  const heading = named ? t.text("error.portal_mistake.titleNamed", named) : t.text(`error.${kind}.title`);
  const body = html`<h1>${named ? t.html("error.portal_mistake.titleNamed", named) : heading}</h1>
<p class="lead">${t.text(`error.${kind}.why`)}</p>
<h2>${t.text("common.whatToDo")}</h2>
${
  view.retryUrl === null
    ? html`<p>${whatToDo(site, view)}</p>
${startAgain(site, portal)}`
    : html`<p>${t.text("error.tryAgain")}</p>
<p class="actions">${linkButton(view.retryUrl, t.text("error.retry"), "primary")}</p>`
}
${whomToAsk(site)}
${(view.requestId !== "" || view.code !== null) && reference(site, view.requestId, view.code)}`;
  return renderPage(site, { heading, body });
}

function whatToDo({ locale }: Site, { kind, retryAfterSeconds }: ErrorPage): string {
  const t = messages(locale);
  if (kind !== "too_many" || retryAfterSeconds === null) return t.text(`error.${kind}.do`);
  return t.text("error.too_many.doIn", { time: formatSeconds(locale, retryAfterSeconds) });
}

/** What support needs to find the request in the log. */
export function reference(site: Site, requestId: string, code: string | null): Html {
  const t = messages(site.locale);
  return html`<dl class="facts-list reference">
<div><dt>${t.text("common.reference")}</dt><dd><code>${bdi(requestId)}</code></dd></div>
${code !== null && html`<div><dt>${t.text("error.code")}</dt><dd><code>${bdi(code)}</code></dd></div>`}
</dl>`;
}
