/** The upstream can't be reached, refused, or answered something we can't use; and how to begin again. */

import { linkButton, startAgain, whomToAsk } from "../components.ts";
import { html } from "../html.ts";
import { renderPage } from "../layout.ts";
import { messages } from "../messages.ts";
import type { Site, UpstreamProblemPage } from "../views.ts";
import { reference } from "./error.ts";

export function upstreamProblem(site: Site, view: UpstreamProblemPage): string {
  const t = messages(site.locale);
  const { problem, retryUrl } = view;
  const upstream = view.upstream?.name ?? t.text("upstreamProblem.nameless");
  const body = html`<h1>${t.html(`upstreamProblem.${problem}.title`, { upstream })}</h1>
<p class="lead">${t.html(`upstreamProblem.${problem}.why`, { upstream })}</p>
<h2>${t.text("common.whatToDo")}</h2>
${
  retryUrl === null
    ? html`<p>${t.html(`upstreamProblem.${problem}.doNoRetry`, { upstream })}</p>
${startAgain(site, null)}`
    : html`<p>${t.html(`upstreamProblem.${problem}.do`, { upstream })}</p>
<p class="actions">${linkButton(retryUrl, t.text("upstreamProblem.retry"), "primary")}</p>`
}
${whomToAsk(site, view.upstream)}
${reference(site, view.requestId, null)}`;
  return renderPage(site, { heading: t.text(`upstreamProblem.${problem}.title`, { upstream }), body });
}
